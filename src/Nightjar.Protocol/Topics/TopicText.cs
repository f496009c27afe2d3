using System.Text;

namespace Nightjar.Protocol.Topics;

/// <summary>What topic names and topic filters have in common: their text (MQTT 5, 1.5.4 and 4.7.3).</summary>
internal static class TopicText
{
    // The length of a UTF-8 string on the wire is two bytes (MQTT 5, 1.5.4).
    public const int MaximumLength = 65_535;

    // Enough to recognise a topic in an exception's message; a topic may have 64 KiB.
    private const int QuotedLength = 80;

    /// <summary>Null, or what is wrong with the text whatever its levels are.</summary>
    public static string? Check(string text, string kind)
    {
        if (text.Length == 0)
        {
            return $"The {kind} is empty; it needs at least one character [MQTT5-4.7.3-1].";
        }

        var zero = text.IndexOf('\0');
        if (zero >= 0)
        {
            return $"The {kind} has U+0000 at position {zero}, which MQTT forbids; remove it [MQTT5-4.7.3-2].";
        }

        var surrogate = IndexOfLoneSurrogate(text);
        if (surrogate >= 0)
        {
            return $"The {kind} has half a surrogate pair at position {surrogate}, which UTF-8 cannot express; remove it [MQTT5-1.5.4-1].";
        }

        var length = Encoding.UTF8.GetByteCount(text);
        return length > MaximumLength
            ? $"The {kind} '{Quote(text)}' has {length} bytes of UTF-8; use at most {MaximumLength} [MQTT5-4.7.3-3]."
            : null;
    }

    /// <summary>The text, or its start if it is long.</summary>
    public static string Quote(string text) => text.Length <= QuotedLength ? text : string.Concat(text.AsSpan(0, QuotedLength), "...");

    private static int IndexOfLoneSurrogate(string text)
    {
        var start = text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF');
        for (var i = start; i >= 0 && i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i]))
            {
                continue;
            }

            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1]))
            {
                return i;
            }

            i++;
        }

        return -1;
    }
}
