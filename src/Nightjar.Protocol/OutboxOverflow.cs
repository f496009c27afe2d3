namespace Nightjar;

/// <summary>What happens to a message when the outbox has no room for it.</summary>
public enum OutboxOverflow
{
    /// <summary>Its sender waits for room, in the order of asking.</summary>
    Wait,

    /// <summary>It is refused with an exception.</summary>
    Reject,

    /// <summary>The oldest messages that were never sent are dropped for it. If all there are have been sent and wait for their answer, it is refused as with <see cref="Reject"/>.</summary>
    DropOldest,

    /// <summary>It is dropped itself.</summary>
    DropNewest,

    /// <summary>
    /// Of each topic only the newest value waits: it takes the place of the one that was never sent, full or not. A message of a topic that nothing waits for needs room, and its sender
    /// waits for it as with <see cref="Wait"/>.
    /// </summary>
    LatestPerTopic,
}
