namespace Nightjar;

/// <summary>What waits to be sent.</summary>
public sealed class OutboxOptions
{
    /// <summary>Ends the wait of a publish, not the message. Default: <see cref="Timeout.InfiniteTimeSpan"/>; else more than zero, at most 49 days.</summary>
    public TimeSpan PublishTimeout { get; set; } = Timeout.InfiniteTimeSpan;

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
