using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Journal;
using Nightjar.Protocol.Topics;

namespace Nightjar.Protocol.Engine;

/// <summary>
/// Which subscription identifier stands for which filter (MQTT 5, 3.8.2.1.2). A filter that overlaps with another gets one, so that a message which the server sends once for
/// each of them is told apart; the others need none and share a SUBSCRIBE, which has room for one identifier only. No number is used twice in a session: they go upwards from
/// a random one, so that those of an earlier process, which the server may still send, are not taken for ours.
/// </summary>
internal sealed class SubscriptionIdentifiers
{
    /// <summary>A message for more filters than this is routed by its topic. A server that names several filters sends one copy, so nothing comes twice by that.</summary>
    public const int MostInMessage = 16;

    private const uint Largest = 268_435_455;

    // Applications that number for themselves begin at 1.
    private const uint Smallest = 1 << 21;

    private readonly Dictionary<uint, List<Mark>> _marks = [];
    private readonly Dictionary<string, List<uint>> _byFilter = new(StringComparer.Ordinal);
    private readonly Func<double> _random;
    private uint _next;

    public SubscriptionIdentifiers(Func<double> random) => _random = random;

    /// <summary>Where it is written what they stand for; null: nowhere.</summary>
    public SessionJournal? Journal { get; set; }

    /// <summary>Whether messages may carry one that is known.</summary>
    public bool InUse => _marks.Count > 0;

    /// <summary>Changes with what is known.</summary>
    public int Version { get; private set; }

    /// <summary>What an earlier process told the server; only before the first connection.</summary>
    /// <param name="known">What stands for what.</param>
    /// <param name="highest">The highest number that was ever used.</param>
    public void Restore(IEnumerable<(uint Identifier, string Filter)> known, uint highest)
    {
        _next = highest;
        foreach (var (identifier, filter) in known)
        {
            Note(identifier, TopicFilter.Parse(filter), retainedFor: null);
        }
    }

    /// <summary>A number of its own for a filter.</summary>
    /// <param name="filter">The filter.</param>
    /// <param name="retainedFor">Who is to get the retained messages that come with it; null: everyone.</param>
    public uint Take(TopicFilter filter, IReadOnlyList<LocalSubscription>? retainedFor)
    {
        if (_next == 0)
        {
            _next = Smallest + (uint)(_random() * (Largest / 2 - Smallest));
        }

        do
        {
            _next = _next >= Largest ? Smallest : _next + 1;
        }
        while (_marks.ContainsKey(_next));

        Note(_next, filter, retainedFor);
        return _next;
    }

    /// <summary>A filter goes out with a number of the application's choice; it may give the same to several.</summary>
    public void Note(uint identifier, TopicFilter filter, IReadOnlyList<LocalSubscription>? retainedFor)
    {
        if (!_marks.TryGetValue(identifier, out var marks))
        {
            _marks[identifier] = marks = [];
        }

        marks.RemoveAll(mark => mark.Filter == filter);
        marks.Add(new Mark(filter, retainedFor));
        if (!_byFilter.TryGetValue(filter.Text, out var identifiers))
        {
            _byFilter[filter.Text] = identifiers = [];
        }

        if (!identifiers.Contains(identifier))
        {
            identifiers.Add(identifier);
        }

        Version++;
    }

    /// <summary>What a number stands for; null if it is not known.</summary>
    public IReadOnlyList<Mark>? Find(uint identifier) => _marks.GetValueOrDefault(identifier);

    /// <summary>The server has no such subscription any more.</summary>
    public void Forget(string filter)
    {
        if (!_byFilter.Remove(filter, out var identifiers))
        {
            return;
        }

        foreach (var identifier in identifiers)
        {
            Journal?.Unidentified(identifier, filter);
            var marks = _marks[identifier];
            marks.RemoveAll(mark => mark.Filter.Text == filter);
            if (marks.Count == 0)
            {
                _marks.Remove(identifier);
            }
        }

        Version++;
    }

    /// <summary>A new session: the server knows none.</summary>
    public void Clear()
    {
        _marks.Clear();
        _byFilter.Clear();
        Version++;
    }

    /// <summary>Something else that routes depend on has changed.</summary>
    public void Touch() => Version++;

    /// <summary>The identifiers among a message's properties; none if there are more than fit.</summary>
    public static ReadOnlySpan<uint> Read(ReadOnlySpan<byte> properties, Span<uint> buffer)
    {
        var count = 0;
        var reader = new PropertyReader(properties);
        while (reader.Read())
        {
            if (reader.Id != PropertyId.SubscriptionIdentifier)
            {
                continue;
            }

            if (count == buffer.Length)
            {
                return [];
            }

            buffer[count++] = reader.Number;
        }

        return buffer[..count];
    }

    /// <summary>A filter behind a number.</summary>
    internal readonly record struct Mark(TopicFilter Filter, IReadOnlyList<LocalSubscription>? RetainedFor);
}
