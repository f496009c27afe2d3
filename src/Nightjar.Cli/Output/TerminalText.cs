using System.Buffers;
using System.Globalization;
using System.Text;

namespace Nightjar.Cli.Output;

/// <summary>
/// Makes text of a stranger harmless for a terminal: control characters become visible (<c>\x1b</c>, <c>\u009b</c>), so that a
/// topic cannot move the cursor, retitle the window or hide what stands before it. Bytes that are not UTF-8 become <c>\xff</c>.
/// </summary>
internal static class TerminalText
{
    /// <summary>Appends UTF-8, escaped.</summary>
    /// <param name="lines">Whether line feeds and tabs pass: in a payload they are text, in a topic they are a trick.</param>
    public static void Append(ReadOnlySpan<byte> utf8, bool lines, IBufferWriter<byte> output)
    {
        while (!utf8.IsEmpty)
        {
            var plain = utf8.IndexOfAnyExceptInRange((byte)' ', (byte)'~');
            if (plain != 0)
            {
                plain = plain < 0 ? utf8.Length : plain;
                output.Write(utf8[..plain]);
                utf8 = utf8[plain..];
                continue;
            }

            var isText = Rune.DecodeFromUtf8(utf8, out var rune, out var length) == OperationStatus.Done;
            if (isText && IsHarmless(rune, lines))
            {
                output.Write(utf8[..length]);
            }
            else if (isText && rune.Value >= 0x80)
            {
                Append($"\\u{rune.Value:x4}", output);
            }
            else
            {
                foreach (var octet in utf8[..length])
                {
                    Append($"\\x{octet:x2}", output);
                }
            }

            utf8 = utf8[length..];
        }
    }

    /// <summary>The same for a string: topics and reason strings in messages to people.</summary>
    public static string Escape(string text, bool lines = false)
    {
        var output = new ArrayBufferWriter<byte>();
        Append(Encoding.UTF8.GetBytes(text), lines, output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    /// <summary>Whether a terminal only draws it: no control character of either range, nothing that reorders or breaks the line.</summary>
    public static bool IsHarmless(Rune rune, bool lines) => rune.Value switch
    {
        '\n' or '\t' => lines,
        < 0x20 or (>= 0x7F and <= 0x9F) => false,
        // Marks and overrides of direction, line and paragraph separators: what is shown would not be what is there.
        0x061C or 0x200E or 0x200F or (>= 0x2028 and <= 0x202E) or (>= 0x2066 and <= 0x2069) => false,
        _ => true,
    };

    private static void Append(FormattableString escape, IBufferWriter<byte> output) =>
        output.Write(Encoding.ASCII.GetBytes(escape.ToString(CultureInfo.InvariantCulture)));
}
