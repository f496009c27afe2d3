namespace Nightjar;

/// <summary>A number for each QoS.</summary>
/// <param name="AtMostOnce">QoS 0.</param>
/// <param name="AtLeastOnce">QoS 1.</param>
/// <param name="ExactlyOnce">QoS 2.</param>
public readonly record struct CountByQoS(long AtMostOnce, long AtLeastOnce, long ExactlyOnce)
{
    /// <summary>All together.</summary>
    public long Total => AtMostOnce + AtLeastOnce + ExactlyOnce;
}

/// <summary>
/// What a client did since it was made, and what it holds at this moment; all numbers are of the same moment. Totals only grow; they span all connections.
/// </summary>
public sealed record ClientStatistics
{
    /// <summary>PUBLISH packets sent, those that were sent again included.</summary>
    public CountByQoS MessagesSent { get; init; }

    /// <summary>PUBLISH packets received, repeated ones included.</summary>
    public CountByQoS MessagesReceived { get; init; }

    /// <summary>PUBLISH packets sent again after a lost connection.</summary>
    public long MessagesResent { get; init; }

    /// <summary>Packets of all types sent.</summary>
    public long PacketsSent { get; init; }

    /// <summary>Packets of all types received.</summary>
    public long PacketsReceived { get; init; }

    /// <summary>Bytes of MQTT handed to the transport.</summary>
    public long BytesSent { get; init; }

    /// <summary>Bytes of whole MQTT packets received.</summary>
    public long BytesReceived { get; init; }

    /// <summary>Connections that a server accepted.</summary>
    public long Connections { get; init; }

    /// <summary>Connections after the first.</summary>
    public long Reconnects => Math.Max(0, Connections - 1);

    /// <summary>Connections for which the server had kept the session.</summary>
    public long SessionsResumed { get; init; }

    /// <summary>Attempts that led to no connection.</summary>
    public long AttemptsFailed { get; init; }

    /// <summary>Outgoing QoS 0 messages that went down with a connection before they were written.</summary>
    public long PublishesDropped { get; init; }

    /// <summary>Messages of the outbox that were not sent and will not be: dropped, expired, or more than the server takes. See <see cref="ClientEvent.MessageDropped"/>.</summary>
    public long OutboxDropped { get; init; }

    /// <summary>Of <see cref="OutboxDropped"/>, those whose time was over.</summary>
    public long OutboxExpired { get; init; }

    /// <summary>How often a message that was sent before could not be sent again for the limits of a new connection; it was kept.</summary>
    public long Quarantined { get; init; }

    /// <summary>Received QoS 0 messages that were dropped because their subscriber is too slow.</summary>
    public long MessagesDropped { get; init; }

    /// <summary>Received messages that no subscription matched.</summary>
    public long Unrouted { get; init; }

    /// <summary>How often the session's store began to fail, or could not be opened: the number of <see cref="ClientEvent.StorageFailed"/>.</summary>
    public long StorageFailures { get; init; }

    /// <summary>Received messages that were too large and were not stored.</summary>
    public long MessagesSkipped { get; init; }

    /// <summary>Calls of handlers that were repeated because the one before threw.</summary>
    public long HandlerRetries { get; init; }

    /// <summary>Messages that a handler failed on for good, retries included.</summary>
    public long HandlerFailures { get; init; }

    /// <summary>Acknowledgements for packet identifiers that are not in use.</summary>
    public long UnknownAcknowledgements { get; init; }

    /// <summary>The outbox: messages that may still have to be sent, or sent again.</summary>
    public int PendingMessages { get; init; }

    /// <summary>What they take: topics, properties and payloads, in bytes.</summary>
    public long PendingBytes { get; init; }

    /// <summary>Bytes of encoded packets that the transport has not taken yet.</summary>
    public int BufferedBytes { get; init; }

    /// <summary>When bytes were last handed to the transport; null: never.</summary>
    public DateTimeOffset? LastSent { get; init; }

    /// <summary>When bytes last came; null: never.</summary>
    public DateTimeOffset? LastReceived { get; init; }

    /// <summary>From the last PINGREQ to its PINGRESP; null: there was none yet.</summary>
    public TimeSpan? LastRoundTrip { get; init; }
}
