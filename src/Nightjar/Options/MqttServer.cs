namespace Nightjar;

/// <summary>One server: where it is, how to reach it, and what to prove to it. Credentials are sent to no other host.</summary>
public sealed class MqttServer
{
    /// <summary>
    /// From a URI: scheme <c>mqtt</c> (TCP, port 1883) or <c>mqtts</c> (TLS, port 8883), percent-encoded user name and password before the host if there
    /// are any. Throws <see cref="UriFormatException"/> saying what is wrong.
    /// </summary>
    public MqttServer(string uri) => throw new NotSupportedException("skeleton");

    /// <summary>Over a stream of the caller's: a tunnel, a serial line, an in-memory pair. It is called for each attempt.</summary>
    /// <param name="name">What logs and exceptions call it.</param>
    /// <param name="connect">Opens the stream; the client owns it afterwards.</param>
    public static MqttServer FromStream(string name, Func<CancellationToken, ValueTask<Stream>> connect) => throw new NotSupportedException("skeleton");

    /// <summary>A name or an address.</summary>
    public string Host => throw new NotSupportedException("skeleton");

    /// <summary>The port.</summary>
    public int Port => throw new NotSupportedException("skeleton");

    /// <summary>Whether the connection is encrypted.</summary>
    public bool UsesTls => throw new NotSupportedException("skeleton");

    /// <summary>User name and password. Default: those of the URI, or none.</summary>
    public MqttCredentials? Credentials { get; set; }

    /// <summary>How TLS is verified.</summary>
    public TlsOptions Tls { get; set; } = new();

    /// <summary>A local address to connect from. Default: the system chooses.</summary>
    public System.Net.IPAddress? LocalAddress { get; set; }

    /// <summary>
    /// Whether a password may travel over an unencrypted link that is not loopback. Default: false, so such an attempt is refused before anything is sent.
    /// </summary>
    public bool AllowPlaintextCredentials { get; set; }

    /// <summary>Scheme, host and port; never the credentials.</summary>
    public override string ToString() => throw new NotSupportedException("skeleton");
}
