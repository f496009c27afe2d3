using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text;

namespace Nightjar.Protocol.Codec;

/// <summary>What the decoder asks of topic names and filters (MQTT 5, 4.7 and 4.8.2), on the bytes of the wire.</summary>
internal static class TopicRules
{
    private static readonly SearchValues<byte> Wildcards = SearchValues.Create("+#"u8);

    /// <summary>Null if it is a topic name.</summary>
    /// <param name="topic">The bytes.</param>
    /// <param name="wildcardRule">What a wildcard breaks; it has several numbers.</param>
    public static Rule? CheckName(ReadOnlySpan<byte> topic, Rule wildcardRule) =>
        topic.IsEmpty ? Rules.TopicEmpty
        : IsPlain(topic) ? null
        : Utf8Rules.Check(topic) ?? (topic.ContainsAny(Wildcards) ? wildcardRule : null);

    /// <summary>
    /// Null if it is a topic filter. 3.1 and 3.1.1 do not know shared subscriptions: <c>$share</c> is a level like any other there.
    /// </summary>
    public static Rule? CheckFilter(ReadOnlySpan<byte> filter, MqttVersion version)
    {
        if (filter.IsEmpty)
        {
            return Rules.TopicEmpty;
        }

        if (IsPlain(filter) && !(version == MqttVersion.Mqtt5 && IsShared(filter)))
        {
            return null;
        }

        if (Utf8Rules.Check(filter) is { } ill)
        {
            return ill;
        }

        if (version != MqttVersion.Mqtt5 || !IsShared(filter))
        {
            return CheckLevels(filter);
        }

        ReadOnlySpan<byte> share = filter["$share/"u8.Length..];
        int end = share.IndexOf((byte)'/');
        ReadOnlySpan<byte> name = end < 0 ? share : share[..end];
        return name.IsEmpty ? Rules.ShareNameEmpty
            : end < 0 || end + 1 == share.Length || name.ContainsAny(Wildcards) ? Rules.ShareNameForm
            : CheckLevels(share[(end + 1)..]);
    }

    /// <summary>Refuses to write what is not a topic filter.</summary>
    /// <exception cref="ArgumentException">It is not one.</exception>
    public static void ThrowIfNotFilter(string filter, MqttVersion version)
    {
        _ = Utf8Rules.GetByteCount(filter);
        if (CheckFilter(Encoding.UTF8.GetBytes(filter), version) is { } broken)
        {
            throw new ArgumentException(broken.BrokenIn(version).ToString(), nameof(filter));
        }
    }

    public static bool IsShared(ReadOnlySpan<byte> filter) => filter.StartsWith("$share/"u8);

    private static Rule? CheckLevels(ReadOnlySpan<byte> filter)
    {
        while (true)
        {
            int end = filter.IndexOf((byte)'/');
            ReadOnlySpan<byte> level = end < 0 ? filter : filter[..end];
            if (level.Contains((byte)'#') && (level.Length > 1 || end >= 0))
            {
                return Rules.FilterMultiLevel;
            }

            if (level.Contains((byte)'+') && level.Length > 1)
            {
                return Rules.FilterSingleLevel;
            }

            if (end < 0)
            {
                return null;
            }

            filter = filter[(end + 1)..];
        }
    }

    /// <summary>
    /// Whether the text is ASCII without U+0000 and wildcards, as nearly all topics are: one look at each 16 bytes decides it. False says
    /// nothing yet.
    /// </summary>
    public static bool IsPlain(ReadOnlySpan<byte> text)
    {
        ref byte start = ref MemoryMarshal.GetReference(text);
        int length = text.Length;
        if (length >= Vector128<byte>.Count)
        {
            // The last look overlaps the one before, so that no byte is left over.
            int last = length - Vector128<byte>.Count;
            Vector128<byte> suspects = Suspects(Vector128.LoadUnsafe(ref start, (nuint)last));
            for (int i = 0; i < last; i += Vector128<byte>.Count)
            {
                suspects |= Suspects(Vector128.LoadUnsafe(ref start, (nuint)i));
            }

            return suspects.ExtractMostSignificantBits() == 0;
        }

        if (length >= sizeof(ulong))
        {
            ulong low = Unsafe.ReadUnaligned<ulong>(ref start);
            ulong high = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, length - sizeof(ulong)));
            return Suspects(Vector128.Create(low, high).AsByte()).ExtractMostSignificantBits() == 0;
        }

        if (length >= sizeof(uint))
        {
            uint low = Unsafe.ReadUnaligned<uint>(ref start);
            uint high = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref start, length - sizeof(uint)));
            return Suspects(Vector128.Create(low, high, low, high).AsByte()).ExtractMostSignificantBits() == 0;
        }

        foreach (byte value in text)
        {
            if (value is 0 or (byte)'#' or (byte)'+' or >= 0x80)
            {
                return false;
            }
        }

        return true;
    }

    // The top bit of a byte is set where the text is not plain; a byte from 0x80 on brings it along.
    private static Vector128<byte> Suspects(Vector128<byte> text) =>
        text
        | Vector128.Equals(text, Vector128<byte>.Zero)
        | Vector128.Equals(text, Vector128.Create((byte)'#'))
        | Vector128.Equals(text, Vector128.Create((byte)'+'));
}
