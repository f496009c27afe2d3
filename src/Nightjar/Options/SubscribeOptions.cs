namespace Nightjar;

/// <summary>How a subscription is made. The properties of MQTT 5 are ignored with 3.1 and 3.1.1.</summary>
public sealed record SubscribeOptions
{
    // What a variable byte integer of four bytes can say (1.5.5).
    private const uint LargestSubscriptionIdentifier = 268_435_455;

    /// <summary>The highest QoS that messages come with. Default: 1.</summary>
    public QoS QoS { get; init; } = QoS.AtLeastOnce;

    /// <summary>5.0: do not receive what this client itself published. Default: false.</summary>
    public bool NoLocal { get; init; }

    /// <summary>5.0: keep the RETAIN flag as it was published. Default: false, it then marks only what was stored before.</summary>
    public bool RetainAsPublished { get; init; }

    /// <summary>
    /// 5.0: which retained messages to receive. Default: all, at each SUBSCRIBE, so also when the client has subscribed to the filter before. They then reach this subscription alone where the server
    /// does subscription identifiers (and no subscription to the filter asks for <see cref="RetainAsPublished"/>); else all subscriptions to the filter hear them again.
    /// </summary>
    public RetainHandling RetainHandling { get; init; }

    /// <summary>
    /// 5.0: a number that the server sends back with each message; 1 to 268,435,455. Default: null, the client chooses one of its own (from 2,097,152 on) where it needs one to tell filters
    /// apart. Give the same number to one filter only: messages are routed by it.
    /// </summary>
    public uint? SubscriptionIdentifier { get; init; }

    /// <summary>5.0: user properties of the SUBSCRIBE.</summary>
    public IReadOnlyList<UserProperty> UserProperties { get; init; } = [];

    /// <summary>Throws one <see cref="ArgumentException"/> that lists every conflict.</summary>
    internal void ThrowIfInvalid(string parameterName)
    {
        var conflicts = new OptionConflicts();
        conflicts.Defined(nameof(QoS), QoS);
        conflicts.Defined(nameof(RetainHandling), RetainHandling);
        conflicts.Require(
            SubscriptionIdentifier is null or (> 0 and <= LargestSubscriptionIdentifier),
            $"{nameof(SubscriptionIdentifier)} is {SubscriptionIdentifier}; it must be from 1 to {LargestSubscriptionIdentifier}.");
        conflicts.UserProperties(nameof(UserProperties), UserProperties);
        conflicts.ThrowIfAny("This subscription cannot be made", parameterName);
    }
}
