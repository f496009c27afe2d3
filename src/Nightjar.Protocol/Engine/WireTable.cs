using Nightjar.Protocol.Topics;

namespace Nightjar.Protocol.Engine;

/// <summary>The filters that are on the wire or should be, by their text, and which of them overlap.</summary>
internal sealed class WireTable
{
    private readonly Dictionary<string, WireSubscription> _byText = new(StringComparer.Ordinal);
    private readonly TopicTrie<WireSubscription> _byPattern = new();
    private readonly List<WireSubscription> _overlapping = [];

    public IReadOnlyCollection<WireSubscription> All => _byText.Values;

    public WireSubscription? Find(string filter) => _byText.GetValueOrDefault(filter);

    /// <summary>Adds one. Returns those that overlap with it and did not overlap with any before; good until the next call.</summary>
    public IReadOnlyList<WireSubscription> Add(WireSubscription wire)
    {
        _overlapping.Clear();
        _byPattern.Overlapping(wire.Filter, _overlapping);
        wire.Overlaps = _overlapping.Count > 0;
        _overlapping.RemoveAll(other => other.Overlaps);
        foreach (var other in _overlapping)
        {
            other.Overlaps = true;
        }

        _byText.Add(wire.Filter.Text, wire);
        _byPattern.Add(wire.Filter, wire);
        return _overlapping;
    }

    public void Remove(WireSubscription wire)
    {
        if (_byText.TryGetValue(wire.Filter.Text, out var current) && current == wire)
        {
            _byText.Remove(wire.Filter.Text);
            _byPattern.Remove(wire.Filter, wire);
        }
    }
}
