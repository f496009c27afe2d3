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

    /// <summary>Whether it takes a message as it arrives, so that it need not be held whole.</summary>
    public bool TakesStreams { get; init; }
}

/// <summary>The options of a subscription as they go to the wire.</summary>
internal sealed record SubscriptionTerms(
    QoS QoS, bool NoLocal, bool RetainAsPublished, RetainHandling RetainHandling, uint? Identifier, IReadOnlyList<UserProperty> UserProperties);
