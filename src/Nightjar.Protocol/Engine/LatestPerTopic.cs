using System.Diagnostics.CodeAnalysis;

namespace Nightjar.Protocol.Engine;

/// <summary>
/// Which message waits for each topic, so that a newer value takes its place. Two of them: QoS 0 waits in a queue of its own. Guarded with the outbound half.
/// </summary>
/// <remarks>The keys are the handles themselves, compared by the topics in the store: an entry takes no copy of its topic.</remarks>
internal sealed class LatestPerTopic
{
    private readonly MessageStore _messages;
    private readonly HashSet<int> _reliable;
    private readonly HashSet<int> _unreliable;

    public LatestPerTopic(MessageStore messages)
    {
        _messages = messages;
        var comparer = new ByTopic(messages);
        _reliable = new HashSet<int>(comparer);
        _unreliable = new HashSet<int>(comparer);
    }

    /// <summary>The message of this topic that never left; -1 if there is none.</summary>
    public int Find(ReadOnlySpan<byte> topic, QoS qos) =>
        For(qos).GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(topic, out var handle) ? handle : -1;

    /// <summary>A message waits; there is no other of its topic.</summary>
    public void Add(int handle, QoS qos) => For(qos).Add(handle);

    /// <summary>A message does not wait any more; its bytes are still there.</summary>
    public void Remove(int handle, QoS qos)
    {
        var set = For(qos);
        if (set.TryGetValue(handle, out var found) && found == handle)
        {
            set.Remove(handle);
        }
    }

    private HashSet<int> For(QoS qos) => qos == QoS.AtMostOnce ? _unreliable : _reliable;

    private sealed class ByTopic(MessageStore messages) : IEqualityComparer<int>, IAlternateEqualityComparer<ReadOnlySpan<byte>, int>
    {
        public bool Equals(int x, int y) => x == y || messages[x].Topic.SequenceEqual(messages[y].Topic);

        public int GetHashCode(int obj) => GetHashCode(messages[obj].Topic);

        public bool Equals(ReadOnlySpan<byte> alternate, int other) => messages[other].Topic.SequenceEqual(alternate);

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = default(HashCode);
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        [ExcludeFromCodeCoverage(Justification = "A handle is made by the store, never from a topic.")]
        public int Create(ReadOnlySpan<byte> alternate) => throw new NotSupportedException();
    }
}
