using System.Net;

namespace Nightjar;

/// <summary>One server: where it is, how to reach it, and what to prove to it. Credentials are sent to no other host.</summary>
public sealed class MqttServer
{
    private readonly ServerScheme? _scheme;

    /// <summary>
    /// From a URI: scheme <c>mqtt</c> (TCP, port 1883) or <c>mqtts</c> (TLS, port 8883), percent-encoded user name and password before the host if there
    /// are any, an IPv6 address in brackets. Throws <see cref="UriFormatException"/> saying what is wrong and what to write; it never repeats a password.
    /// </summary>
    /// <param name="uri"><c>mqtt://localhost</c>, <c>mqtts://user:p%40ss@[2001:db8::1]:8884</c>.</param>
    public MqttServer(string uri)
    {
        ArgumentNullException.ThrowIfNull(uri);
        var parsed = ServerUri.Parse(uri);
        _scheme = parsed.Scheme;
        Host = parsed.Host;
        Port = parsed.Port;
        Credentials = parsed.Credentials;
    }

    private MqttServer(string name, Func<CancellationToken, ValueTask<Stream>> openStream)
    {
        Host = name;
        OpenStream = openStream;
    }

    private MqttServer(MqttServer other)
    {
        _scheme = other._scheme;
        Host = other.Host;
        Port = other.Port;
        OpenStream = other.OpenStream;
        Credentials = other.Credentials?.Snapshot();
        Tls = other.Tls.Snapshot();
        Tcp = other.Tcp.Snapshot();
        LocalAddress = other.LocalAddress;
        AllowPlaintextCredentials = other.AllowPlaintextCredentials;
        ClientId = Nightjar.ClientId.Expand(other.ClientId);
        Session = other.Session?.Snapshot();
    }

    // Where a server reference leads. A name to verify, and what proves who we are, are not passed on with it to another host.
    private MqttServer(MqttServer like, ServerScheme scheme, string host, int port, bool otherHost)
        : this(like)
    {
        _scheme = scheme;
        Host = host;
        Port = port;
        OpenStream = null;
        if (otherHost)
        {
            Credentials = null;
            Tls.TargetHost = Tls.CertificateFile = Tls.KeyFile = Tls.KeyPassword = null;
        }
    }

    /// <summary>
    /// Over a stream of the caller's: a tunnel, a serial line, an in-memory pair. It is called for each attempt. The stream counts as private: a password
    /// may travel over it.
    /// </summary>
    /// <param name="name">What logs and exceptions call it.</param>
    /// <param name="connect">Opens the stream, which must read and write; the client owns it afterwards.</param>
    public static MqttServer FromStream(string name, Func<CancellationToken, ValueTask<Stream>> connect)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(connect);
        return new MqttServer(name, connect);
    }

    /// <summary>A name or an address (IPv6 without brackets; an international name in its ASCII form); with <see cref="FromStream"/> the name given there.</summary>
    public string Host { get; }

    /// <summary>The port; 0 with <see cref="FromStream"/>.</summary>
    public int Port { get; }

    /// <summary>Whether the connection is encrypted. False with <see cref="FromStream"/>, whatever the stream does.</summary>
    public bool UsesTls => _scheme is { UsesTls: true };

    /// <summary>User name and password. Default: those of the URI, or none.</summary>
    public MqttCredentials? Credentials { get; set; }

    /// <summary>How TLS is verified.</summary>
    public TlsOptions Tls { get; set; } = new();

    /// <summary>What is asked of the socket; it has no meaning with <see cref="FromStream"/>.</summary>
    public TcpOptions Tcp { get; set; } = new();

    /// <summary>A local address to connect from. Default: the system chooses.</summary>
    public IPAddress? LocalAddress { get; set; }

    /// <summary>
    /// Whether a password may travel over an unencrypted link that is not loopback. Default: false, so such an attempt is refused before anything is sent.
    /// </summary>
    public bool AllowPlaintextCredentials { get; set; }

    /// <summary>The client identifier for this server. Default: null, the client's.</summary>
    public string? ClientId { get; set; }

    /// <summary>The session at this server. Default: null, as the client's options say.</summary>
    public SessionOptions? Session { get; set; }

    /// <summary>What <see cref="FromStream"/> was given; null for a server with a URI.</summary>
    internal Func<CancellationToken, ValueTask<Stream>>? OpenStream { get; }

    /// <summary>Scheme, host and port; never the credentials.</summary>
    public override string ToString() => _scheme is null ? Host : ServerUri.Describe(_scheme, Host, Port);

    /// <summary>Another place, reached like this one; on another host, without what was given for this one alone.</summary>
    internal MqttServer At(string host, int port, bool usesTls, bool otherHost) =>
        new(this, ServerScheme.Find(usesTls ? "mqtts" : "mqtt")!, host, port, otherHost);

    /// <summary>A copy that shares nothing that can change.</summary>
    internal MqttServer Snapshot() => new(this);
}
