using Nightjar.Protocol.Topics;

namespace Nightjar.Protocol.Engine;

/// <summary>
/// What the application asks for with one subscription; the host's queue and handler derive from it. It has filters of its own, which say what it gets, and filters on the
/// wire, which say what the server is asked for: mostly the same, but one in a scope shares the scope's.
/// </summary>
internal abstract class LocalSubscription
{
    private static readonly TopicFilter Everything = TopicFilter.Parse("#");

    protected LocalSubscription(TopicFilter filter, SubscriptionTerms terms)
        : this([filter], [filter], terms)
    {
    }

    protected LocalSubscription(IReadOnlyList<TopicFilter> filters, IReadOnlyList<TopicFilter> wireFilters, SubscriptionTerms terms)
    {
        Filters = filters;
        WireFilters = wireFilters;
        Terms = terms;
    }

    /// <summary>What it gets; none for a scope, which only holds the wire's, and for the catch-all.</summary>
    public IReadOnlyList<TopicFilter> Filters { get; }

    /// <summary>What the server is asked for.</summary>
    public IReadOnlyList<TopicFilter> WireFilters { get; }

    /// <summary>The first of its filters, to call it by.</summary>
    public TopicFilter TopicFilter => Filters.Count > 0 ? Filters[0] : WireFilters.Count > 0 ? WireFilters[0] : Everything;

    public SubscriptionTerms Terms { get; }

    /// <summary>Messages are acknowledged as they come: what its handler does with them is nobody's concern.</summary>
    public bool AcknowledgesAtArrival { get; init; }

    /// <summary>Messages are acknowledged once they lie in the session's log; they stay there until their handler is done.</summary>
    public bool StoresMessages { get; init; }

    /// <summary>The engine's: those that are made later have a higher one.</summary>
    public long Number { get; set; }

    /// <summary>The engine's: it was reported that its handler holds a message for too long, and none of its messages has ended since.</summary>
    public bool IsStalled { get; set; }

    /// <summary>The engine's: when that was reported last.</summary>
    public long StalledAt { get; set; } = long.MinValue;

    /// <summary>How many of these have a say in the acknowledgement.</summary>
    /// <param name="subscriptions">Those that get the message.</param>
    /// <param name="isStored">It is stored for those of them that want that, which have none then.</param>
    public static int CountAcknowledging(LocalSubscription[] subscriptions, bool isStored = false)
    {
        var count = 0;
        foreach (var subscription in subscriptions)
        {
            count += subscription.AcknowledgesAtArrival || (isStored && subscription.StoresMessages) ? 0 : 1;
        }

        return count;
    }

    /// <summary>For how many of these a message is stored.</summary>
    public static int CountStoring(LocalSubscription[] subscriptions)
    {
        var count = 0;
        foreach (var subscription in subscriptions)
        {
            count += subscription.StoresMessages ? 1 : 0;
        }

        return count;
    }

    /// <summary>Whether it takes a message as it arrives, so that it need not be held whole.</summary>
    public bool TakesStreams { get; init; }

    /// <summary>How many of <see cref="WireFilters"/> are still wanted or granted; with the last one the subscription ends.</summary>
    public int Alive { get; set; }

    /// <summary>What it gets by way of this filter on the wire.</summary>
    public IReadOnlyList<TopicFilter> FiltersUnder(TopicFilter wireFilter)
    {
        foreach (var filter in Filters)
        {
            if (filter == wireFilter)
            {
                return Filters.Count == 1 ? Filters : [filter];
            }
        }

        return Filters;
    }

    /// <summary>Whether a message of this topic that the server sent for a filter on the wire is for this one.</summary>
    public bool Takes(TopicFilter wireFilter, ReadOnlySpan<byte> topic)
    {
        foreach (var filter in Filters)
        {
            // The server says that the wire's filter matches; only a narrower one is compared.
            if (filter == wireFilter || filter.Matches(topic))
            {
                return true;
            }
        }

        return false;
    }
}
