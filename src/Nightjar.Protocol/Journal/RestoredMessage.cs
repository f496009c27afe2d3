namespace Nightjar.Protocol.Journal;

/// <summary>A message to be sent that an earlier process left.</summary>
internal sealed class RestoredMessage
{
    /// <summary>The record that it came in with: its identity.</summary>
    public required long Record { get; init; }

    /// <summary>It had a packet identifier once, on a session that is lost: it may have arrived.</summary>
    public bool HasLeft => Flags.HasFlag(PublishFlags.PossiblyDuplicated);

    /// <summary>Where it lies among the session's contents; -1 if its content is lost.</summary>
    public int Handle { get; set; } = -1;

    public bool IsLost => Handle < 0;

    /// <summary>Its handle in the outbound half, once that has taken it over.</summary>
    public int Place { get; set; } = -1;

    public MessagePhase Phase { get; set; }

    public ushort PacketId { get; set; }

    public QoS QoS { get; set; }

    public PublishFlags Flags { get; set; }

    /// <summary>What PUBREC said.</summary>
    public ReasonCode ReasonCode { get; set; }

    /// <summary>Its place among all messages: where it came in, or where the one did that it replaced.</summary>
    public long Order { get; init; }

    /// <summary>Its place among released messages.</summary>
    public long ReleasedAt { get; set; }

    /// <summary>When it was accepted, or written anew, in UTC; null if that is not known.</summary>
    public DateTime? At { get; set; }

    /// <summary>How long it was to live from then on, in ticks; 0: for ever.</summary>
    public long TimeToLive { get; set; }

    /// <summary>What ends then is the age that the outbox allows, not the message's own time.</summary>
    public bool ExpiresByAge { get; set; }

    /// <summary>The last record that tells it whole, and what that takes in the log.</summary>
    public long Base { get; set; }

    public int Size { get; set; }

    /// <summary>
    /// How long it has still to live, in ticks; null: for ever. A clock that stood before 2024 when it was written was not set, and one that went back says nothing: then no time
    /// has passed.
    /// </summary>
    public long? Remaining(DateTimeOffset utcNow)
    {
        if (TimeToLive == 0)
        {
            return null;
        }

        var elapsed = At is { Year: >= 2024 } at ? Math.Max(0, (utcNow.UtcDateTime - at).Ticks) : 0;
        return TimeToLive - elapsed;
    }
}

/// <summary>A received message without a final answer.</summary>
internal sealed record RestoredArrival(ushort PacketId, QoS QoS, long DeliveryId)
{
    public bool IsReceived { get; set; }

    public bool WasStored { get; set; }

    public long Base { get; init; }

    public int Size { get; init; }
}

/// <summary>A received message whose handlers are not done.</summary>
/// <param name="DeliveryId">What it is called.</param>
/// <param name="Handle">Where it lies among the session's stored messages.</param>
/// <param name="Base">The last record that tells it.</param>
/// <param name="Size">What that takes in the log.</param>
internal sealed record RestoredDelivery(long DeliveryId, int Handle, long Base, int Size);

/// <summary>A subscription identifier that the server knows.</summary>
internal sealed record RestoredIdentifier(uint Identifier, string Filter, long Base, int Size);

/// <summary>The id of a message that was delivered.</summary>
internal sealed record RestoredId(CompletedId Completed, long Base, int Size);

/// <summary>Records that are missing between two others; 0: there is none on that side.</summary>
internal readonly record struct LostStretch(long After, long Before);
