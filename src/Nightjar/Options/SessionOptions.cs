namespace Nightjar;

/// <summary>The session: what server and client keep for each other between connections.</summary>
public sealed class SessionOptions
{
    /// <summary>
    /// Whether the first attempt of this client starts a new session; later ones resume it. Default: null, it does. With an explicit client identifier, false resumes what an
    /// earlier process left at the server. (Clean Start in 5.0, Clean Session in 3.1 and 3.1.1, where a session is clean for good unless a client identifier
    /// was given.) The server sends what it kept right after the connection is made. So a client that may resume does not connect with its first subscription, but once none has come for
    /// a tenth of a second, a second after the first at the latest; <see cref="MqttClient.ConnectAsync"/> and publishing connect at once. A message for a subscription that is registered
    /// later than that is one that nobody subscribes to: where that may happen, let <see cref="ConnectionOptions.ReadinessGate"/> wait until all are registered, or take it with
    /// <see cref="MqttClient.OnUnrouted(Func{MqttMessage, CancellationToken, ValueTask})"/>.
    /// </summary>
    public bool? CleanStart { get; set; }

    /// <summary>
    /// 5.0: how long the server keeps the session after the connection ends. Default: 1 h; whole seconds, at most 4,294,967,294; <see cref="Timeout.InfiniteTimeSpan"/>: for ever.
    /// </summary>
    public TimeSpan ExpiryInterval { get; set; } = TimeSpan.FromHours(1);

    /// <summary>
    /// 5.0: whether filters that overlap are told apart by subscription identifiers, where the server can do that, so that a message which it sends once for each of them reaches each subscription
    /// once. Default: true. Turn it off for a server that gets them wrong. Only that of <see cref="MqttClientOptions.Session"/> counts, not that of a
    /// <see cref="MqttServer.Session"/>.
    /// </summary>
    public bool SubscriptionIdentifiers { get; set; } = true;

    /// <summary>
    /// Whether the servers of <see cref="MqttClientOptions.Servers"/> keep one session together, as a cluster behind several addresses does. Default: false, each keeps its own: whoever
    /// moves from one to another starts clean there, and what the first one had not acknowledged is sent to the other as new, marked
    /// <see cref="PublishFlags.PossiblyDuplicated"/>.
    /// </summary>
    public bool SharedAcrossServers { get; set; }

    /// <summary>
    /// Where the session lives when this client is gone: what waits to be sent or acknowledged, what was received and is not handled, and the client identifier if it was generated or assigned. Default:
    /// null, it ends with the client. A store has one client at a time and belongs to one session. The client does not dispose it. Only that of <see cref="MqttClientOptions.Session"/> counts; that of a
    /// <see cref="MqttServer.Session"/> must be null, since what waits does not belong to a server yet.
    /// </summary>
    public ISessionStore? Store { get; set; }

    /// <summary>A copy; the store in it is the same one.</summary>
    internal SessionOptions Snapshot() => (SessionOptions)MemberwiseClone();
}
