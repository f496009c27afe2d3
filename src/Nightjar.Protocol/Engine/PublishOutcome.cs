namespace Nightjar.Protocol.Engine;

/// <summary>How a publish ended, for the one who waits.</summary>
internal enum PublishEnd : byte
{
    /// <summary>QoS 0: it is in the lane. QoS 1 and 2: the server answered, perhaps with a failure.</summary>
    Answered,

    /// <summary>A limit of the server forbids it; the detail says which. It never left.</summary>
    Limit,

    /// <summary>It was sent once and a new connection's limits forbid sending it again: it is kept.</summary>
    Quarantined,

    /// <summary>The first connection could not be made, or the client was closed; the reason says why.</summary>
    NotSent,

    /// <summary>It was sent and not answered before the client was closed, or gave up: nobody knows.</summary>
    Unanswered,

    /// <summary>The client was closed, and the message lives on in the store.</summary>
    Kept,

    /// <summary>Its wait is over (PublishTimeout); the message goes on.</summary>
    TimedOut,

    /// <summary>The wait for room in the outbox is over (PublishTimeout); the message never came in.</summary>
    NoRoom,

    /// <summary>It will not be sent; <see cref="PublishOutcome.Drop"/> says why.</summary>
    Dropped,

    /// <summary>Its sender took it back before it was sent.</summary>
    Withdrawn,
}

/// <summary>One ended wait.</summary>
internal readonly record struct PublishOutcome(
    object Waiter, PublishEnd End, ReasonCode ReasonCode, ushort PacketId, PublishFlags Flags, string? Detail = null, CloseReason? Reason = null)
{
    /// <summary>Why it was dropped.</summary>
    public MessageDropReason Drop { get; init; }
}

/// <summary>A message that will not be sent, for those who watch.</summary>
internal readonly record struct DroppedMessage(string Topic, QoS QoS, string? Id, MessageDropReason Reason);
