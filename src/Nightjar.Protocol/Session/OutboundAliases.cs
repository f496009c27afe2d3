namespace Nightjar.Protocol.Session;

/// <summary>
/// The topic aliases that we use on this connection, given to the topics used last (MQTT 5, 3.3.2.3.4). An alias is proposed by <see cref="Find"/> and becomes
/// known to the server only with <see cref="Commit"/>, once its PUBLISH is wholly in the lane. Belongs to the outbound half.
/// </summary>
internal sealed class OutboundAliases
{
    private readonly Dictionary<byte[], ushort> _byTopic = new(TopicBytesComparer.Instance);
    private readonly Dictionary<byte[], ushort>.AlternateLookup<ReadOnlySpan<byte>> _lookup;
    private readonly Entry[] _entries;
    private ushort _newest;
    private ushort _oldest;
    private int _used;
    private ushort _unused = 1;

    /// <param name="maximum">The smaller of our wish and the server's Topic Alias Maximum; at least 1.</param>
    public OutboundAliases(int maximum)
    {
        _entries = new Entry[maximum + 1];
        _lookup = _byTopic.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    /// <summary>The alias to send; <paramref name="known"/>: the server knows it, so the topic can be left out.</summary>
    public ushort Find(ReadOnlySpan<byte> topic, out bool known)
    {
        known = _lookup.TryGetValue(topic, out var alias);
        if (known)
        {
            MoveToFront(alias);
            return alias;
        }

        if (_used == _entries.Length - 1)
        {
            return _oldest;
        }

        while (_entries[_unused].Topic is not null)
        {
            _unused++;
        }

        return _unused;
    }

    /// <summary>The PUBLISH that maps <paramref name="alias"/> anew is wholly encoded. One that the application chose may lie beyond ours: it is not remembered.</summary>
    public void Commit(ushort alias, ReadOnlySpan<byte> topic)
    {
        if (alias >= _entries.Length)
        {
            return;
        }

        ref var entry = ref _entries[alias];
        if (entry.Topic is null)
        {
            _used++;
            LinkInFront(alias);
        }
        else
        {
            _byTopic.Remove(entry.Topic);
            MoveToFront(alias);
        }

        entry.Topic = topic.ToArray();
        _byTopic[entry.Topic] = alias;
    }

    private void MoveToFront(ushort alias)
    {
        if (_newest == alias)
        {
            return;
        }

        ref var entry = ref _entries[alias];
        _entries[entry.Newer].Older = entry.Older;
        if (_oldest == alias)
        {
            _oldest = entry.Newer;
        }
        else
        {
            _entries[entry.Older].Newer = entry.Newer;
        }

        LinkInFront(alias);
    }

    private void LinkInFront(ushort alias)
    {
        ref var entry = ref _entries[alias];
        entry.Newer = 0;
        entry.Older = _newest;
        if (_newest == 0)
        {
            _oldest = alias;
        }
        else
        {
            _entries[_newest].Newer = alias;
        }

        _newest = alias;
    }

    private struct Entry
    {
        public byte[]? Topic;
        public ushort Newer;
        public ushort Older;
    }
}
