using System.Net.Sockets;

namespace Nightjar;

/// <summary>How TCP connects, and what is asked of the socket.</summary>
public sealed class TcpOptions
{
    /// <summary>
    /// How long bytes that were sent may stay unacknowledged by the other machine before the system ends the connection (<c>TCP_USER_TIMEOUT</c>, RFC 5482): without it
    /// a link that went
    /// dead while bytes were on their way is only found by keep-alive, or after about a quarter of an hour. On Linux and Android; elsewhere it has no effect. Default: null, one
    /// and a half times <see cref="MqttClientOptions.KeepAlive"/>, the time after which the server gives up on the client; the system's if keep-alive is off.
    /// <see cref="Timeout.InfiniteTimeSpan"/>: the system's. Else more than zero, at most 49 days.
    /// </summary>
    public TimeSpan? UserTimeout { get; set; }

    /// <summary>
    /// Called with each socket before it is bound and connected, after the client has set its own options, for what there is no option for. Several sockets may be
    /// tried for one connection. It must
    /// not connect, close or keep the socket; what it throws ends the attempt. Default: null.
    /// </summary>
    public Action<Socket>? Configure { get; set; }

    /// <summary>A copy.</summary>
    internal TcpOptions Snapshot() => (TcpOptions)MemberwiseClone();
}
