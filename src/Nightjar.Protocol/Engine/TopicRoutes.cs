using Nightjar.Protocol.Session;
using Nightjar.Protocol.Topics;

namespace Nightjar.Protocol.Engine;

/// <summary>
/// Finds the subscriptions of a message: by the subscription identifiers that it came with if all of them are known, else by its topic, in a trie. Both stand behind a cache of what was
/// seen last. A device hears the same few topics again and again, and then neither the walk nor the string costs anything. Not thread-safe: guarded with the outbound
/// half.
/// </summary>
internal sealed class TopicRoutes(WireTable wires, SubscriptionIdentifiers identifiers)
{
    private const int SmallestCache = 16;

    // Beyond this many topics the walk is cheaper than the memory.
    private const int LargestCache = 4096;

    private readonly TopicTrie<LocalSubscription> _trie = new();
    private readonly List<LocalSubscription> _matches = [];
    private readonly HashSet<LocalSubscription> _found = [];
    private LocalSubscription[] _catchAll = [];
    private TopicRoute?[] _cache = [];
    private int _replaced;
    private int _changes;

    /// <summary>Both only grow, so the sum is the same only if both are.</summary>
    private int Version => _changes + identifiers.Version;

    public void Add(LocalSubscription subscription)
    {
        foreach (var filter in subscription.Filters)
        {
            _trie.Add(filter, subscription);
        }

        _changes++;
    }

    /// <summary>Whatever it gets.</summary>
    public bool Remove(LocalSubscription subscription)
    {
        var removed = false;
        foreach (var filter in subscription.Filters)
        {
            removed |= _trie.Remove(filter, subscription);
        }

        _changes++;
        return removed;
    }

    /// <summary>What it gets by way of this filter on the wire.</summary>
    public void Remove(LocalSubscription subscription, TopicFilter wireFilter)
    {
        foreach (var filter in subscription.FiltersUnder(wireFilter))
        {
            _trie.Remove(filter, subscription);
        }

        _changes++;
    }

    /// <summary>Gets what nobody else does.</summary>
    public void AddCatchAll(LocalSubscription subscription)
    {
        _catchAll = [.. _catchAll, subscription];
        _changes++;
    }

    public void RemoveCatchAll(LocalSubscription subscription)
    {
        if (_catchAll.Contains(subscription))
        {
            _catchAll = [.. _catchAll.Where(other => other != subscription)];
            _changes++;
        }
    }

    /// <summary>By the topic alone.</summary>
    public TopicRoute Find(ReadOnlySpan<byte> topic) => Find(topic, [], retained: false);

    /// <param name="topic">A topic name.</param>
    /// <param name="marks">The subscription identifiers of the message.</param>
    /// <param name="retained">Its RETAIN flag, if it has identifiers; false otherwise.</param>
    public TopicRoute Find(ReadOnlySpan<byte> topic, ReadOnlySpan<uint> marks, bool retained)
    {
        var hash = TopicBytesComparer.Hash(topic);
        foreach (var mark in marks)
        {
            hash = (hash ^ mark) * 0x9E3779B1; // 2^32 divided by the golden ratio, a prime near it
        }

        if (_cache.Length > 0 && _cache[hash & (uint)(_cache.Length - 1)] is { } cached && cached.Version == Version && cached.IsFor(topic, marks, retained))
        {
            return cached;
        }

        return Walk(topic, marks, retained, hash);
    }

    private TopicRoute Walk(ReadOnlySpan<byte> topic, ReadOnlySpan<uint> marks, bool retained, uint hash)
    {
        _found.Clear();
        _matches.Clear();
        _trie.Match(topic, _matches);
        if (!FindMarked(topic, marks, retained))
        {
            // A subscription to several filters stands in the trie several times.
            _found.UnionWith(_matches);
        }

        var route = new TopicRoute(topic.ToArray(), marks.ToArray(), retained, _found.Count == 0 ? _catchAll : [.. _found], Version);
        if (_replaced >= _cache.Length && _cache.Length < LargestCache)
        {
            _cache = new TopicRoute?[Math.Max(SmallestCache, _cache.Length * 4)];
            _replaced = 0;
        }

        ref var place = ref _cache[hash & (uint)(_cache.Length - 1)];
        if (place is { } other && other.Version == Version)
        {
            _replaced++;
        }

        place = route;
        return route;
    }

    /// <summary>By identifiers. False: there are none, or one of them is not known, so that only the topic can tell.</summary>
    private bool FindMarked(ReadOnlySpan<byte> topic, ReadOnlySpan<uint> marks, bool retained)
    {
        foreach (var mark in marks)
        {
            if (identifiers.Find(mark) is null)
            {
                return false;
            }
        }

        foreach (var mark in marks)
        {
            var filters = identifiers.Find(mark)!;
            foreach (var (filter, retainedFor) in filters)
            {
                // A filter that was given up and whose UNSUBACK is still to come has nobody left. Of several that the application gave one number, only the topic tells which it was.
                if (wires.Find(filter.Text) is { } wire && (filters.Count == 1 || filter.Matches(topic)))
                {
                    FindServed(wire, topic, retained && !wire.Needed.RetainAsPublished ? retainedFor : null);
                }
            }
        }

        AddUnmarked(topic, marks);
        return marks.Length > 0;
    }

    private void FindServed(WireSubscription wire, ReadOnlySpan<byte> topic, IReadOnlyList<LocalSubscription>? only)
    {
        foreach (var local in wire.Locals)
        {
            if ((only is null || only.Contains(local)) && local.Takes(wire.Filter, topic))
            {
                _found.Add(local);
            }
        }
    }

    /// <summary>A server that sends one copy for all filters names those alone whose identifier it was told.</summary>
    private void AddUnmarked(ReadOnlySpan<byte> topic, ReadOnlySpan<uint> marks)
    {
        if (marks.IsEmpty)
        {
            return;
        }

        foreach (var local in _matches)
        {
            foreach (var filter in local.WireFilters)
            {
                if (filter.Matches(topic) && wires.Find(filter.Text) is { MayComeUnmarked: true })
                {
                    _found.Add(local);
                    break;
                }
            }
        }
    }
}
