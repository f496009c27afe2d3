using Nightjar.Protocol.Topics;

namespace Nightjar.Testing.Broker;

/// <summary>All subscriptions of all sessions, found by topic. Guarded by the broker's lock.</summary>
internal sealed class SubscriptionTable
{
    private readonly TopicTrie<BrokerSubscription> _own = new();
    private readonly TopicTrie<SharedGroup> _shared = new();
    private readonly Dictionary<string, SharedGroup> _groups = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _filters = new(StringComparer.Ordinal);

    // What the current message found; kept so that routing allocates no lists.
    private readonly List<BrokerSubscription> _matches = [];
    private readonly List<SharedGroup> _groupMatches = [];

    /// <summary>The filters that somebody subscribes to, as they were given.</summary>
    public IReadOnlyCollection<string> Filters => _filters.Keys;

    public bool Contains(string filter) => _filters.ContainsKey(filter);

    public void Add(BrokerSubscription subscription)
    {
        var text = subscription.Filter.Text;
        _filters[text] = _filters.GetValueOrDefault(text) + 1;
        if (!subscription.Filter.IsShared)
        {
            _own.Add(subscription.Filter, subscription);
            return;
        }

        if (!_groups.TryGetValue(text, out var group))
        {
            group = new SharedGroup();
            _groups.Add(text, group);
            _shared.Add(subscription.Filter, group);
        }

        group.Add(subscription);
    }

    public void Remove(BrokerSubscription subscription)
    {
        var text = subscription.Filter.Text;
        if (--_filters[text] == 0)
        {
            _filters.Remove(text);
        }

        if (!subscription.Filter.IsShared)
        {
            _own.Remove(subscription.Filter, subscription);
            return;
        }

        var group = _groups[text];
        group.Remove(subscription);
        if (group.IsEmpty)
        {
            _groups.Remove(text);
            _shared.Remove(subscription.Filter, group);
        }
    }

    /// <summary>The sessions' own subscriptions that match; valid until the next call.</summary>
    public List<BrokerSubscription> Match(ReadOnlySpan<byte> topic)
    {
        _matches.Clear();
        _own.Match(topic, _matches);
        return _matches;
    }

    /// <summary>The shared subscriptions that match; valid until the next call.</summary>
    public List<SharedGroup> MatchShared(ReadOnlySpan<byte> topic)
    {
        _groupMatches.Clear();
        _shared.Match(topic, _groupMatches);
        return _groupMatches;
    }
}
