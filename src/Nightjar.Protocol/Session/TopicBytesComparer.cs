using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Nightjar.Protocol.Session;

/// <summary>Compares topics as UTF-8, and lets a span look up an array.</summary>
internal sealed class TopicBytesComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
{
    private TopicBytesComparer()
    {
    }

    public static TopicBytesComparer Instance { get; } = new();

    /// <summary>
    /// A quick hash: the length and both ends, where the topics of one application differ. Not for tables that a peer can fill without limit.
    /// </summary>
    public static uint Hash(ReadOnlySpan<byte> topic)
    {
        const ulong Golden = 0x9E3779B97F4A7C15; // 2^64 divided by the golden ratio: spreads what is multiplied by it
        ulong first = 0, last = 0;
        if (topic.Length >= sizeof(ulong))
        {
            first = MemoryMarshal.Read<ulong>(topic);
            last = MemoryMarshal.Read<ulong>(topic[^sizeof(ulong)..]);
        }
        else
        {
            foreach (var value in topic)
            {
                first = (first << 8) | value;
            }
        }

        var mixed = (first * Golden) ^ ((last + (ulong)topic.Length) * Golden >> 17) ^ last;
        mixed *= Golden;
        return (uint)(mixed >> 32);
    }

    public bool Equals(byte[]? x, byte[]? y) => x is null ? y is null : y is not null && x.AsSpan().SequenceEqual(y);

    public int GetHashCode([DisallowNull] byte[] obj) => (int)Hash(obj);

    public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

    public int GetHashCode(ReadOnlySpan<byte> alternate) => (int)Hash(alternate);

    public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
}
