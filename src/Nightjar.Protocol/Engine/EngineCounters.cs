using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Engine;

/// <summary>
/// What happened since the client was made, in plain numbers: they are touched under the host's lock only, so counting is an addition. Numbers that the engine knows anyway
/// (what is in flight, what waits) are not kept twice.
/// </summary>
internal sealed class EngineCounters
{
    private const int PacketTypes = 16;
    private const int QoSLevels = 3;

    /// <summary>By <see cref="PacketType"/>: packets put into the lanes.</summary>
    public long[] PacketsSent { get; } = new long[PacketTypes];

    /// <summary>By <see cref="PacketType"/>: whole packets that were applied.</summary>
    public long[] PacketsReceived { get; } = new long[PacketTypes];

    /// <summary>By QoS: PUBLISHes put into the lanes, those that are sent again included.</summary>
    public long[] MessagesSent { get; } = new long[QoSLevels];

    /// <summary>By QoS: PUBLISHes that came, repeated ones included.</summary>
    public long[] MessagesReceived { get; } = new long[QoSLevels];

    /// <summary>By <see cref="CloseKind"/>: accepted connections that ended.</summary>
    public long[] ConnectionsEnded { get; } = new long[Enum.GetValues<CloseKind>().Length];

    /// <summary>By <see cref="CloseKind"/>: connections after the first, by what ended the one before.</summary>
    public long[] Reconnects { get; } = new long[Enum.GetValues<CloseKind>().Length];

    /// <summary>What ended the last connection.</summary>
    public CloseKind LastEnd { get; set; }

    /// <summary>PUBLISHes with DUP.</summary>
    public long MessagesResent { get; set; }

    /// <summary>Bytes taken for the transport.</summary>
    public long BytesSent { get; set; }

    /// <summary>Bytes of whole packets.</summary>
    public long BytesReceived { get; set; }

    /// <summary>Connections that the server accepted.</summary>
    public long Connections { get; set; }

    /// <summary>Of them, those that found their session.</summary>
    public long SessionsResumed { get; set; }

    /// <summary>Attempts that led to no connection.</summary>
    public long AttemptsFailed { get; set; }

    /// <summary>Outgoing QoS 0 messages that went down with a connection.</summary>
    public long PublishesDropped { get; set; }

    /// <summary>By <see cref="MessageDropReason"/>: messages of the outbox that will not be sent.</summary>
    public long[] OutboxDropped { get; } = new long[Enum.GetValues<MessageDropReason>().Length];

    /// <summary>How often a message that was sent before could not be sent again for the limits of a new connection.</summary>
    public long Quarantined { get; set; }

    /// <summary>Messages that no subscription matched.</summary>
    public long Unrouted { get; set; }

    /// <summary>How often the session's store began to fail, or could not be opened; the host counts them.</summary>
    public long StorageFailures { get; set; }

    /// <summary>When output was last handed to the transport; negative: never.</summary>
    public long LastSent { get; set; } = -1;

    /// <summary>When bytes last came; negative: never.</summary>
    public long LastReceived { get; set; } = -1;

    /// <summary>The last PINGREQ's time to its answer; negative: there was none yet.</summary>
    public long LastRoundTrip { get; set; } = -1;

    /// <summary>Adds another client's totals to these.</summary>
    public void Add(EngineCounters other)
    {
        Add(PacketsSent, other.PacketsSent);
        Add(PacketsReceived, other.PacketsReceived);
        Add(MessagesSent, other.MessagesSent);
        Add(MessagesReceived, other.MessagesReceived);
        Add(ConnectionsEnded, other.ConnectionsEnded);
        Add(Reconnects, other.Reconnects);
        Add(OutboxDropped, other.OutboxDropped);
        Quarantined += other.Quarantined;
        MessagesResent += other.MessagesResent;
        BytesSent += other.BytesSent;
        BytesReceived += other.BytesReceived;
        Connections += other.Connections;
        SessionsResumed += other.SessionsResumed;
        AttemptsFailed += other.AttemptsFailed;
        PublishesDropped += other.PublishesDropped;
        Unrouted += other.Unrouted;
        StorageFailures += other.StorageFailures;
    }

    private static void Add(long[] to, long[] from)
    {
        for (var i = 0; i < to.Length; i++)
        {
            to[i] += from[i];
        }
    }
}
