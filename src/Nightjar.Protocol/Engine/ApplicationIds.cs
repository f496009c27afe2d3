using System.Diagnostics.CodeAnalysis;

namespace Nightjar.Protocol.Engine;

/// <summary>What is known of an application's own identifier: its message is pending, or was delivered, with this result.</summary>
internal readonly record struct KnownId(int Handle, ReasonCode ReasonCode, ushort PacketId, PublishFlags Flags)
{
    public bool IsPending => Handle >= 0;
}

/// <summary>
/// The identifiers that the application gave its messages: those of pending ones, and of the last that were delivered, so that enqueueing one again finds it rather than sends it twice. What
/// was refused, expired, dropped or withdrawn is forgotten: it may be tried again. Guarded with the outbound half; an outbox that sees no identifier holds nothing here.
/// </summary>
internal sealed class ApplicationIds(int remembered)
{
    /// <summary>In bytes of UTF-8.</summary>
    public const int MaximumLength = 256;

    private readonly Dictionary<byte[], KnownId> _known = new(new ByBytes());
    private readonly Queue<byte[]> _delivered = new();

    /// <summary>Whether there is any.</summary>
    public bool IsEmpty => _known.Count == 0;

    /// <summary>How many of delivered messages are remembered.</summary>
    public int Remembered => _delivered.Count;

    public bool TryFind(ReadOnlySpan<byte> id, out KnownId known) => _known.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(id, out known);

    /// <summary>A message with an identifier was taken in.</summary>
    public void Add(ReadOnlySpan<byte> id, int handle)
    {
        var lookup = _known.GetAlternateLookup<ReadOnlySpan<byte>>();

        // A key of its own: when that of a delivered message of the same name is forgotten, this one stays.
        lookup.Remove(id);
        lookup[id] = new KnownId(handle, ReasonCode.Success, 0, PublishFlags.None);
    }

    /// <summary>
    /// A pending message with an identifier was delivered: it is remembered, for as long as there are not too many newer ones. Returns the identifier, for whoever keeps it too; null: it is not
    /// remembered.
    /// </summary>
    public byte[]? Deliver(ReadOnlySpan<byte> id, ReasonCode reason, ushort packetId, PublishFlags flags)
    {
        if (remembered == 0)
        {
            Forget(id);
            return null;
        }

        var lookup = _known.GetAlternateLookup<ReadOnlySpan<byte>>();
        lookup[id] = new KnownId(-1, reason, packetId, flags);
        lookup.TryGetValue(id, out var key, out _);
        Remember(key!);
        return key;
    }

    /// <summary>An earlier process delivered a message with this identifier, which is kept as it is given.</summary>
    public void Restore(byte[] id, ReasonCode reason, ushort packetId, PublishFlags flags)
    {
        if (remembered > 0)
        {
            _known.Remove(id);
            _known[id] = new KnownId(-1, reason, packetId, flags);
            Remember(id);
        }
    }

    /// <summary>A message with an identifier ended without being delivered.</summary>
    public void Forget(ReadOnlySpan<byte> id) => _known.GetAlternateLookup<ReadOnlySpan<byte>>().Remove(id);

    private void Remember(byte[] key)
    {
        _delivered.Enqueue(key);
        if (_delivered.Count > remembered && _delivered.Dequeue() is var oldest
            && _known.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(oldest, out var current, out _) && ReferenceEquals(current, oldest))
        {
            _known.Remove(oldest);
        }
    }

    // Hashes are seeded anew by each process: identifiers may come from outside, and nobody can choose them to collide.
    private sealed class ByBytes : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode([DisallowNull] byte[] obj) => GetHashCode(obj.AsSpan());

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = default(HashCode);
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
