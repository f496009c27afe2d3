using System.Net.Security;
using System.Net.Sockets;

namespace Nightjar;

/// <summary>The root of what the network and the peer can do to a call. Misuse gets the exceptions of the base class library.</summary>
public abstract class MqttException : Exception
{
    private protected MqttException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>The code that the server sent, or that was sent to it; null if none was exchanged.</summary>
    public ReasonCode? ReasonCode { get; internal init; }

    /// <summary>The server's own words, if it said any.</summary>
    public string? ReasonString { get; internal init; }

    /// <summary>Whether the same call may succeed later without anybody changing anything.</summary>
    public bool IsTransient { get; internal init; }

    /// <summary>5.0: in the order of the wire.</summary>
    public IReadOnlyList<UserProperty> UserProperties { get; internal init; } = [];
}

/// <summary>How far an attempt to connect came.</summary>
public enum ConnectStage
{
    /// <summary>Resolving the host's name.</summary>
    Dns,

    /// <summary>Opening the TCP connection, or the caller's stream.</summary>
    Tcp,

    /// <summary>The TLS handshake.</summary>
    Tls,

    /// <summary>CONNECT is sent, CONNACK awaited.</summary>
    Connect,

    /// <summary>Before anything is opened: <see cref="ConnectionOptions.ReadinessGate"/> or <see cref="ConnectionOptions.BeforeConnect"/>.</summary>
    Preparation,
}

/// <summary>No connection could be made: <see cref="Stage"/> says how far it came, the inner exception why.</summary>
public sealed class MqttConnectException : MqttException
{
    internal MqttConnectException(string message, ConnectStage stage, Exception? inner = null)
        : base(message, inner) => Stage = stage;

    /// <summary>Where it failed.</summary>
    public ConnectStage Stage { get; }

    /// <summary>5.0: another server to use, if the server named one.</summary>
    public string? ServerReference { get; internal init; }

    /// <summary>What the system said about the socket; null if it was not the socket. If several addresses were tried, the last one's.</summary>
    public SocketError? SocketError => (InnerException as SocketException)?.SocketErrorCode;

    /// <summary>What is wrong with the server's certificate; <see cref="SslPolicyErrors.None"/> if that was not the reason.</summary>
    public SslPolicyErrors CertificateErrors { get; internal init; }
}

/// <summary>The connection ended, or the client was stopped, while a call waited for it.</summary>
public sealed class MqttDisconnectedException : MqttException
{
    internal MqttDisconnectedException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}

/// <summary>The server answered with a failure: a PUBACK, PUBREC, SUBACK or UNSUBACK of 0x80 or above.</summary>
public sealed class MqttRefusedException : MqttException
{
    internal MqttRefusedException(string message)
        : base(message)
    {
    }
}

/// <summary>Refused here, before a byte was sent: the server does not do it, or has a limit that it would exceed.</summary>
public sealed class MqttLimitException : MqttException
{
    internal MqttLimitException(string message)
        : base(message)
    {
    }
}

/// <summary>The peer broke the protocol; <see cref="Clause"/> names the rule.</summary>
public sealed class MqttProtocolException : MqttException
{
    internal MqttProtocolException(string message, string clause)
        : base(message) => Clause = clause;

    /// <summary>The statement of the specification, version-qualified: <c>MQTT5-3.3.1-4</c>.</summary>
    public string Clause { get; }
}

/// <summary>The server says that nobody listens where a request went: PUBACK or PUBREC with No Matching Subscribers (0x10).</summary>
public sealed class MqttNoResponderException : MqttException
{
    internal MqttNoResponderException(string message)
        : base(message)
    {
    }
}

/// <summary>
/// The responder answered a request with a failure, in its own words. A responder throws it to fail a request so; whatever else it throws arrives without its text, which may hold what
/// the other side must not see.
/// </summary>
public sealed class MqttRemoteException : MqttException
{
    /// <summary>Fails a request.</summary>
    /// <param name="message">What the requester is told.</param>
    public MqttRemoteException(string message)
        : base(message)
    {
    }
}

/// <summary>
/// The time for a wait is over, and nothing else: after <see cref="OutboxOptions.PublishTimeout"/> the message itself is still on its way, after an unanswered
/// <see cref="MqttClient.PingAsync"/> the connection goes on. Or no answer to a request came. Always transient.
/// </summary>
public sealed class MqttTimeoutException : MqttException
{
    internal MqttTimeoutException(string message)
        : base(message) => IsTransient = true;
}
