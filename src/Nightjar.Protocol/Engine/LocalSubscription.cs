using Nightjar.Protocol.Topics;

namespace Nightjar.Protocol.Engine;

/// <summary>What the application asks for with one subscription; the host's queue and handler derive from it.</summary>
internal abstract class LocalSubscription
{
    protected LocalSubscription(TopicFilter filter, SubscriptionTerms terms)
    {
        TopicFilter = filter;
        Terms = terms;
    }

    public TopicFilter TopicFilter { get; }

    public SubscriptionTerms Terms { get; }

    /// <summary>Messages are acknowledged as they come: what its handler does with them is nobody's concern.</summary>
    public bool AcknowledgesAtArrival { get; init; }

    /// <summary>The engine's: it was reported that its handler holds a message for too long, and none of its messages has ended since.</summary>
    public bool IsStalled { get; set; }

    /// <summary>The engine's: when that was reported last.</summary>
    public long StalledAt { get; set; } = long.MinValue;

    /// <summary>How many of these have a say in the acknowledgement.</summary>
    public static int CountAcknowledging(LocalSubscription[] subscriptions)
    {
        var count = 0;
        foreach (var subscription in subscriptions)
        {
            count += subscription.AcknowledgesAtArrival ? 0 : 1;
        }

        return count;
    }

    /// <summary>Whether it takes a message as it arrives, so that it need not be held whole.</summary>
    public bool TakesStreams { get; init; }
}

/// <summary>The options of a subscription as they go to the wire.</summary>
internal sealed record SubscriptionTerms(
    QoS QoS, bool NoLocal, bool RetainAsPublished, RetainHandling RetainHandling, uint? Identifier, IReadOnlyList<UserProperty> UserProperties);
