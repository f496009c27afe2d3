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

    /// <summary>Its wait is over (PublishTimeout); the message goes on.</summary>
    TimedOut,
}

/// <summary>One ended wait.</summary>
internal readonly record struct PublishOutcome(
    object Waiter, PublishEnd End, ReasonCode ReasonCode, ushort PacketId, PublishFlags Flags, string? Detail = null, CloseReason? Reason = null);
