using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Engine;

/// <summary>One server as the engine knows it: where it is, what to say to it, and which session is kept there.</summary>
internal sealed record ServerSettings
{
    /// <summary>What messages call it, and what tells it from others.</summary>
    public required string Name { get; init; }

    /// <summary>The host, for server references; empty where there is none.</summary>
    public string Host { get; init; } = "";

    public int Port { get; init; }

    public bool UsesTls { get; init; }

    /// <summary>Everything of CONNECT that does not change: the engine fills in version and clean start.</summary>
    public required ConnectPacket Connect { get; init; }

    /// <summary>Whether the client identifier was generated: its session is nobody's after this client.</summary>
    public bool ClientIdIsGenerated { get; init; }

    /// <summary>What the application said about the first attempt; null: the default.</summary>
    public bool? CleanStart { get; init; }

    /// <summary>Whether the first CONNECT of this version asks for a session that the server may hold.</summary>
    public bool MayHoldSession(MqttVersion version) => !(CleanStart ?? (version == MqttVersion.Mqtt5 || ClientIdIsGenerated));

    /// <summary>Servers with the same name here keep one session together; null: this one keeps its own.</summary>
    public string? SessionGroup { get; init; }

    /// <summary>The host's own object for it.</summary>
    public object? Tag { get; init; }

    /// <summary>
    /// Set for a server that is nowhere among the settings, and that another one referred to: where it is; the rest is that of the server that did, without what was meant for
    /// that one alone.
    /// </summary>
    public bool IsReferred { get; init; }

    /// <summary>Whoever keeps the session: this server, or those that keep it together.</summary>
    public string Keeper => SessionGroup ?? Name;

    /// <summary>The session that is spoken of: sessions are kept by server and client identifier.</summary>
    public string SessionKey(string clientId) => $"{Keeper}\n{clientId}";
}
