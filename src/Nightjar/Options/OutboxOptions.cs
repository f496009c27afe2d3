namespace Nightjar;

/// <summary>What waits to be sent.</summary>
public sealed class OutboxOptions
{
    /// <summary>Ends the wait of a publish, not the message. Default: <see cref="Timeout.InfiniteTimeSpan"/>; else more than zero, at most 49 days.</summary>
    public TimeSpan PublishTimeout { get; set; } = Timeout.InfiniteTimeSpan;

    /// <summary>The most messages that wait to be sent or for their answer, together. Default: 1,000,000; at least 1. What happens to more, <see cref="Overflow"/> says.</summary>
    public int MaximumMessages { get; set; } = 1_000_000;

    /// <summary>
    /// The most bytes of topics, properties, payloads and identifiers of all these messages. Default: 64 MiB; at least 1. What happens to more, <see cref="Overflow"/> says; a message that alone is larger
    /// is refused.
    /// </summary>
    public long MaximumBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>
    /// How long a message may wait to be sent for the first time; then it is dropped, which is reported. What was sent once is never too old. Default: <see cref="Timeout.InfiniteTimeSpan"/>; else more than zero.
    /// </summary>
    public TimeSpan MaximumAge { get; set; } = Timeout.InfiniteTimeSpan;

    /// <summary>What happens to a message that finds no room. Default: <see cref="OutboxOverflow.Wait"/>, its sender waits.</summary>
    public OutboxOverflow Overflow { get; set; }

    /// <summary>
    /// What happens to a QoS 1 or 2 message that is published while there is no connection; <see cref="OutgoingMessage.WhenOffline"/> says it for one message. Default: <see cref="WhenOffline.Queue"/>;
    /// not <see cref="WhenOffline.Drop"/>.
    /// </summary>
    public WhenOffline WhenOffline { get; set; }

    /// <summary>The same for QoS 0. Default: <see cref="WhenOffline.Queue"/>.</summary>
    public WhenOffline AtMostOnceWhenOffline { get; set; }

    /// <summary>How many <see cref="OutgoingMessage.Id"/>s of delivered messages are remembered, so that one of them is not sent again. Default: 100,000; 0 remembers none.</summary>
    public int RememberedIds { get; set; } = 100_000;

    /// <summary>The most QoS 1 and 2 messages in flight; the server's Receive Maximum may lower it. Default: 65,535; 1 to 65,535.</summary>
    public int MaximumInFlight { get; set; } = 65_535;

    /// <summary>The most topic aliases to use towards the server, which may allow fewer. Default: 16; at most 65,535; 0 turns them off.</summary>
    public int MaximumTopicAliases { get; set; } = 16;

    /// <summary>
    /// The highest QoS that is sent, for servers that drop the link at a higher one and have no way to say so (before 5.0 none has). The server's own Maximum QoS may
    /// lower it. Default: <see cref="QoS.ExactlyOnce"/>.
    /// </summary>
    public QoS MaximumQoS { get; set; } = QoS.ExactlyOnce;

    /// <summary>
    /// What happens to a message of a QoS above <see cref="MaximumQoS"/>, or above the server's: lowered (the result says so), or refused. Default: false, refused.
    /// </summary>
    public bool LowerQoS { get; set; }

    /// <summary>How fast messages may leave. Default: as fast as they can.</summary>
    public PaceOptions Pace { get; set; } = new();

    /// <summary>A copy.</summary>
    internal OutboxOptions Snapshot()
    {
        var copy = (OutboxOptions)MemberwiseClone();
        copy.Pace = Pace.Snapshot();
        return copy;
    }
}
