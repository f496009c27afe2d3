using System.Text;
using Nightjar.Protocol.Session;
using Nightjar.Protocol.Topics;

namespace Nightjar.Protocol.Engine;

/// <summary>Where the messages of one topic go, and the topic's name as a string that all of them share.</summary>
internal sealed class TopicRoute(byte[] topic, LocalSubscription[] subscriptions, int version)
{
    private string? _name;

    public ReadOnlyMemory<byte> Topic => topic;

    public LocalSubscription[] Subscriptions => subscriptions;

    public int Version => version;

    public string Name => _name ??= Encoding.UTF8.GetString(topic);

    public bool IsFor(ReadOnlySpan<byte> other) => other.SequenceEqual(topic);
}

/// <summary>
/// Finds the subscriptions of a topic: a trie behind a cache of the topics seen last. A device hears the same few topics again and again, and then neither the walk nor
/// the string costs anything. Not thread-safe: guarded with the outbound half.
/// </summary>
internal sealed class TopicRoutes
{
    private const int SmallestCache = 16;

    // Beyond this many topics the walk is cheaper than the memory.
    private const int LargestCache = 4096;

    private readonly TopicTrie<LocalSubscription> _trie = new();
    private readonly List<LocalSubscription> _matches = [];
    private TopicRoute?[] _cache = [];
    private int _replaced;
    private int _version;

    public void Add(LocalSubscription subscription)
    {
        _trie.Add(subscription.TopicFilter, subscription);
        _version++;
    }

    public bool Remove(LocalSubscription subscription)
    {
        _version++;
        return _trie.Remove(subscription.TopicFilter, subscription);
    }

    public TopicRoute Find(ReadOnlySpan<byte> topic)
    {
        var hash = TopicBytesComparer.Hash(topic);
        if (_cache.Length > 0 && _cache[hash & (uint)(_cache.Length - 1)] is { } cached && cached.Version == _version && cached.IsFor(topic))
        {
            return cached;
        }

        return Walk(topic, hash);
    }

    private TopicRoute Walk(ReadOnlySpan<byte> topic, uint hash)
    {
        _matches.Clear();
        _trie.Match(topic, _matches);
        var route = new TopicRoute(topic.ToArray(), Matches(), _version);
        if (_replaced >= _cache.Length && _cache.Length < LargestCache)
        {
            _cache = new TopicRoute?[Math.Max(SmallestCache, _cache.Length * 4)];
            _replaced = 0;
        }

        ref var place = ref _cache[hash & (uint)(_cache.Length - 1)];
        if (place is { } other && other.Version == _version)
        {
            _replaced++;
        }

        place = route;
        return route;
    }

    /// <summary>A subscription stands in the trie once, so no match is there twice.</summary>
    private LocalSubscription[] Matches() => _matches.Count == 0 ? [] : [.. _matches];
}
