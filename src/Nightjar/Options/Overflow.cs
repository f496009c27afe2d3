namespace Nightjar;

/// <summary>What happens to QoS 0 messages that find the queue of their subscription full (<see cref="SubscribeOptions.QueueLimit"/>).</summary>
public enum Overflow
{
    /// <summary>The oldest that waits makes room: what is handled is the newest there is.</summary>
    DropOldest,

    /// <summary>What comes is dropped.</summary>
    DropNewest,

    /// <summary>
    /// Nothing is dropped: reading pauses until half of what waits is handled, and the server feels it through TCP. All subscriptions of the client wait with this one; the queue may
    /// grow by what one read brings (64 KiB) over its limit.
    /// </summary>
    Wait,
}
