using Nightjar.Protocol.Topics;

namespace Nightjar.Protocol.Engine;

/// <summary>An answer for those who asked: granted QoS or a failure.</summary>
/// <param name="Filter">The filter on the wire.</param>
/// <param name="Subscriptions">Whom it is for. Of a failure: those who do not get this filter.</param>
/// <param name="ReasonCode">What the server said, or what it would have.</param>
/// <param name="Detail">Its words, or ours.</param>
/// <param name="UserProperties">5.0: the server's.</param>
internal readonly record struct SubscriptionAnswer(
    TopicFilter Filter, IReadOnlyList<LocalSubscription> Subscriptions, ReasonCode ReasonCode, string? Detail, IReadOnlyList<UserProperty>? UserProperties = null)
{
    /// <summary>Who asked once more for what is granted.</summary>
    public IReadOnlyList<object> Waiters { get; init; } = [];

    /// <summary>Why there will be no answer; then it is for the waiters alone.</summary>
    public CloseReason? Failure { get; init; }
}

/// <summary>An answer to an UNSUBSCRIBE, for the one who waits for it; or why there will be none.</summary>
internal readonly record struct UnsubscribeAnswer(object Waiter, string Filter, ReasonCode ReasonCode, string? Detail = null, CloseReason? Failure = null);
