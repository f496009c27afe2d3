namespace Nightjar.Interop.Tests.Mosquitto;

/// <summary>What a test wants of its broker. Default: anonymous, unencrypted, in memory.</summary>
internal sealed record MosquittoSettings
{
    /// <summary>The one who may log in; null: anybody.</summary>
    public (string Name, string Password)? User { get; init; }

    /// <summary>The names in the broker's certificate; empty: no TLS.</summary>
    public string[] TlsHosts { get; init; } = [];

    /// <summary>Whether a client needs a certificate of the same authority.</summary>
    public bool RequireClientCertificate { get; init; }

    /// <summary>Whether sessions and messages survive <see cref="MosquittoBroker.RestartAsync"/>.</summary>
    public bool Persistence { get; init; }

    /// <summary>How many messages of QoS 1 and 2 it lets be on their way to and from each client; null: as Mosquitto does, 20.</summary>
    public int? MaximumInFlight { get; init; }

    /// <summary>Whether it logs every packet. Off for those who send many.</summary>
    public bool LogsPackets { get; init; } = true;
}
