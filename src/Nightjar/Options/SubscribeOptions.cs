namespace Nightjar;

/// <summary>A part of a message that tells which others it must be handled in order with; see <see cref="SubscribeOptions.OrderBy"/>.</summary>
/// <param name="message">Valid during the call.</param>
public delegate ReadOnlySpan<byte> MessageKey(LeasedMessage message);

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

    /// <summary>When messages are acknowledged. Default: <see cref="AcknowledgeMode.AfterHandler"/>.</summary>
    public AcknowledgeMode Acknowledge { get; init; }

    /// <summary>With <see cref="AcknowledgeMode.Manual"/>: what the handler did not acknowledge is acknowledged when it ends well. Default: false, it waits for <see cref="MqttMessage.Acknowledge"/>.</summary>
    public bool AcknowledgeForgotten { get; init; }

    /// <summary>
    /// What becomes of a message whose handler still throws when the retries are used up. Default: null, what <see cref="ReceiveOptions.OnPoison"/> says. Not for a sequence, which has no handler. With
    /// <see cref="AcknowledgeMode.AtArrival"/> it can still take the message elsewhere, but what it returns changes nothing: the message was acknowledged when it came.
    /// </summary>
    public Func<MqttMessage, Exception, ValueTask<MessageOutcome>>? OnPoison { get; init; }

    /// <summary>How many messages the handler is called for at once. Default: 1, one after the other in order; at most 65,535. Acknowledgements leave in order all the same. A sequence knows 1 only.</summary>
    public int MaxConcurrency { get; init; } = 1;

    /// <summary>
    /// With a <see cref="MaxConcurrency"/> above 1: messages with the same key are handled one after the other in order, such as <c>m => m.Level(1)</c>. A handler that stands still holds those
    /// with its key alone, and one place of <see cref="MaxConcurrency"/>. It is called while the message still lies in the receive buffer, for one message at a time, and should be quick. Default: null, no order.
    /// </summary>
    public MessageKey? OrderBy { get; init; }

    /// <summary>
    /// The most QoS 0 messages that wait for the handler; what happens to more, <see cref="Overflow"/> says. Default: null, as many as <see cref="ReceiveOptions.Budget"/> holds; at least 1.
    /// QoS 1 and 2 are not limited by it but by <see cref="ReceiveOptions.ReceiveMaximum"/>, and are never dropped.
    /// </summary>
    public int? QueueLimit { get; init; }

    /// <summary>What happens to QoS 0 messages above <see cref="QueueLimit"/>. Default: <see cref="Overflow.DropOldest"/>.</summary>
    public Overflow Overflow { get; init; }

    /// <summary>Throws one <see cref="ArgumentException"/> that lists every conflict.</summary>
    /// <param name="parameterName">The caller's.</param>
    /// <param name="isSequence">There is no handler.</param>
    /// <param name="hasStore">Whether the client has a store.</param>
    /// <param name="takesStreams">The handler reads payloads as they arrive.</param>
    internal void ThrowIfInvalid(string parameterName, bool isSequence = false, bool hasStore = false, bool takesStreams = false)
    {
        var conflicts = new OptionConflicts();
        conflicts.Require(
            Acknowledge != AcknowledgeMode.Stored || hasStore,
            $"{nameof(Acknowledge)} is Stored and the client has nowhere to store a message; give its options a Session.Store, or choose another mode.");
        conflicts.Require(
            Acknowledge != AcknowledgeMode.Stored || !takesStreams,
            $"{nameof(Acknowledge)} is Stored, and a message that is read as it arrives is never there as a whole to be stored; use On or OnLeased, or choose another mode.");
        conflicts.Require(
            !isSequence || MaxConcurrency <= 1,
            $"{nameof(MaxConcurrency)} is {MaxConcurrency}, and a sequence gives one message after the other; use On, with a handler, or leave it out.");
        conflicts.Require(!isSequence || OnPoison is null, $"{nameof(OnPoison)} is set, and a sequence has no handler that could fail; use On, with a handler, or leave it out.");
        conflicts.Defined(nameof(QoS), QoS);
        conflicts.Defined(nameof(RetainHandling), RetainHandling);
        conflicts.Require(
            SubscriptionIdentifier is null or (> 0 and <= LargestSubscriptionIdentifier),
            $"{nameof(SubscriptionIdentifier)} is {SubscriptionIdentifier}; it must be from 1 to {LargestSubscriptionIdentifier}.");
        conflicts.UserProperties(nameof(UserProperties), UserProperties);
        conflicts.Defined(nameof(Acknowledge), Acknowledge);
        conflicts.Require(
            !AcknowledgeForgotten || Acknowledge == AcknowledgeMode.Manual,
            $"{nameof(AcknowledgeForgotten)} is set and {nameof(Acknowledge)} is {Acknowledge}, so there is nothing to forget; set Acknowledge to Manual, or leave it out.");
        conflicts.Range(nameof(MaxConcurrency), MaxConcurrency, 1, ushort.MaxValue);
        conflicts.Require(
            OrderBy is null || MaxConcurrency != 1,
            $"{nameof(OrderBy)} is set and {nameof(MaxConcurrency)} is 1, which keeps all messages in order already; raise MaxConcurrency, or leave OrderBy out.");
        conflicts.Defined(nameof(Overflow), Overflow);
        conflicts.Require(QueueLimit is null or > 0, $"{nameof(QueueLimit)} is {QueueLimit}; it must be at least 1, or null for no limit but the budget.");
        conflicts.Require(
            Overflow == Overflow.DropOldest || QueueLimit is not null,
            $"{nameof(Overflow)} is {Overflow} and {nameof(QueueLimit)} is null, so the queue is never full; set QueueLimit, or leave Overflow out.");
        conflicts.ThrowIfAny("This subscription cannot be made", parameterName);
    }
}
