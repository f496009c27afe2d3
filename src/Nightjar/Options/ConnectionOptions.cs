namespace Nightjar;

/// <summary>When there is to be a connection, for how long, and what happens before each attempt.</summary>
public sealed class ConnectionOptions
{
    /// <summary>
    /// How old a connection may become: then it ends in order, after what is in flight (up to <see cref="MqttClientOptions.DrainTimeout"/>), and another one is made at once. For
    /// load balancers and credentials that expire. Chance takes up to a tenth off, so that clients that connected together do not come back together. Default: null, for ever. More than
    /// zero, at most 49 days.
    /// </summary>
    public TimeSpan? MaximumAge { get; set; }

    /// <summary>
    /// After how long without a message in either direction the connection ends in order. The next publish or subscription makes another one. What is published to this client
    /// meanwhile waits in its session, if that is kept. Default: null, never. More than zero, at most 49 days.
    /// </summary>
    public TimeSpan? IdleTimeout { get; set; }

    /// <summary>
    /// The windows in which there may be a connection; outside of them there is none, unless <see cref="MqttClient.ConnectAsync"/> or <see cref="MqttClient.ReconnectNowAsync"/> asks
    /// for one. Default: null, always.
    /// </summary>
    public ConnectionSchedule? Schedule { get; set; }

    /// <summary>
    /// Awaited before each attempt: no name is looked up and no socket opened until it completes. For a clock that is not set yet, a device that is not provisioned. An exception
    /// fails the attempt. Default: null.
    /// </summary>
    public Func<CancellationToken, ValueTask>? ReadinessGate { get; set; }

    /// <summary>
    /// Called before each attempt, after <see cref="ReadinessGate"/>: it may change the server and all that CONNECT says, for this attempt, and renew credentials that were refused
    /// (<see cref="ConnectAttempt.MustRenewCredentials"/>); or bring the network up again. An exception fails the attempt. Default: null.
    /// </summary>
    public Func<ConnectAttempt, CancellationToken, ValueTask>? BeforeConnect { get; set; }

    /// <summary>A copy.</summary>
    internal ConnectionOptions Snapshot() => (ConnectionOptions)MemberwiseClone();
}
