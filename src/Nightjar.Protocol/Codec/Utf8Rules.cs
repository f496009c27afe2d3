using System.Text;
using System.Text.Unicode;

namespace Nightjar.Protocol.Codec;

/// <summary>The rules of UTF-8 strings (MQTT 5, 1.5.4), in both directions.</summary>
internal static class Utf8Rules
{
    /// <summary>Two length bytes precede every text.</summary>
    public const int MaximumBytes = ushort.MaxValue;

    /// <summary>Null if the bytes are a legal text: well-formed, so without surrogates and overlong forms, and without U+0000.</summary>
    public static Rule? Check(ReadOnlySpan<byte> text) =>
        !Utf8.IsValid(text) ? Rules.TextIllFormed
        : text.Contains((byte)0) ? Rules.TextHasNull
        : null;

    /// <summary>The size of a text in UTF-8 without its length.</summary>
    /// <exception cref="ArgumentException">It holds U+0000 or a lone surrogate, or is longer than 65,535 bytes.</exception>
    public static int GetByteCount(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Contains('\0'))
        {
            throw new ArgumentException("The text holds U+0000, which MQTT forbids; remove it.", nameof(text));
        }

        int count = Ascii.IsValid(text) ? text.Length : CountRunes(text);
        return count <= MaximumBytes
            ? count
            : throw new ArgumentException($"The text has {count} bytes of UTF-8, MQTT allows {MaximumBytes}; shorten it.", nameof(text));
    }

    private static int CountRunes(ReadOnlySpan<char> text)
    {
        int count = 0;
        while (!text.IsEmpty)
        {
            if (Rune.DecodeFromUtf16(text, out Rune rune, out int consumed) != System.Buffers.OperationStatus.Done)
            {
                throw new ArgumentException("The text holds half of a surrogate pair, which has no UTF-8; remove it.", nameof(text));
            }

            count += rune.Utf8SequenceLength;
            text = text[consumed..];
        }

        return count;
    }
}
