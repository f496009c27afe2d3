using System.Text;
using Nightjar.Cli.CommandLine;

namespace Nightjar.Cli.Output;

/// <summary>
/// The language of <c>-F</c>, parsed once and then applied to each message: <c>%t</c> and its like take fields of the message, <c>@X</c> goes
/// to strftime, <c>\n</c> and its like are single characters. Widths and precisions count bytes.
/// </summary>
internal sealed class MessageFormat
{
    private const string Conversions = "%ACDEFIJPRSUXjlmpqrtx";

    private readonly List<Part> _parts = [];

    private MessageFormat()
    {
    }

    private enum PartKind : byte
    {
        Literal,
        Field,
        Time,
    }

    /// <summary>Parses. Throws <see cref="UsageException"/>, in mosquitto_sub's words.</summary>
    public static MessageFormat Parse(string text)
    {
        var format = new MessageFormat();
        var literal = new StringBuilder();
        for (var index = 0; index < text.Length; index++)
        {
            switch (text[index])
            {
                case '%':
                    format.Take(literal);
                    format._parts.Add(ParseField(text, ref index));
                    break;
                case '@':
                    var letter = Next(text, ref index, "format");
                    if (char.IsAscii(letter))
                    {
                        format.Take(literal);
                        format._parts.Add(new Part(PartKind.Time, letter));
                    }
                    else
                    {
                        literal.Append('%').Append(letter);
                    }

                    break;
                case '\\':
                    literal.Append(Unescape(Next(text, ref index, "escape")));
                    break;
                default:
                    literal.Append(text[index]);
                    break;
            }
        }

        format.Take(literal);
        return format;
    }

    /// <summary>Appends the message in this format.</summary>
    public void Write(MqttMessage message, FieldWriter fields)
    {
        foreach (var part in _parts)
        {
            switch (part.Kind)
            {
                case PartKind.Literal:
                    fields.Literal(part.Bytes);
                    break;
                case PartKind.Time:
                    fields.Time(part.Letter);
                    break;
                default:
                    fields.Field(part.Letter, message, part.Padding);
                    break;
            }
        }
    }

    private static Part ParseField(string text, ref int index)
    {
        var letter = Next(text, ref index, "format");
        var left = letter == '-';
        letter = left ? Next(text, ref index, "format") : letter;
        var zero = letter == '0';
        letter = zero ? Next(text, ref index, "format") : letter;
        var width = Digits(text, ref index, ref letter);
        int? precision = null;
        if (letter == '.')
        {
            letter = Next(text, ref index, "format");
            precision = Digits(text, ref index, ref letter);
        }

        return Conversions.Contains(letter, StringComparison.Ordinal)
            ? new Part(PartKind.Field, letter, new Padding(width, precision, left, zero))
            : throw new UsageException($"Invalid format specifier '{letter}'.");
    }

    private static int Digits(string text, ref int index, ref char letter)
    {
        var number = 0;
        while (char.IsAsciiDigit(letter))
        {
            // A width that no line has; more digits would only overflow.
            number = Math.Min((number * 10) + (letter - '0'), 1_000_000);
            letter = Next(text, ref index, "format");
        }

        return number;
    }

    private static char Next(string text, ref int index, string what) =>
        ++index < text.Length ? text[index] : throw new UsageException($"Incomplete {what} specifier.");

    private static char Unescape(char letter) => letter switch
    {
        '\\' => '\\',
        '0' => '\0',
        'a' => '\a',
        'e' => '\e',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\v',
        _ => throw new UsageException($"Invalid escape specifier '{letter}'."),
    };

    private void Take(StringBuilder literal)
    {
        if (literal.Length > 0)
        {
            _parts.Add(new Part(PartKind.Literal, Encoding.UTF8.GetBytes(literal.ToString())));
            literal.Clear();
        }
    }

    private readonly struct Part
    {
        public Part(PartKind kind, byte[] bytes)
            : this(kind, '\0') => Bytes = bytes;

        public Part(PartKind kind, char letter, Padding padding = default)
        {
            Kind = kind;
            Letter = letter;
            Padding = padding;
            Bytes = [];
        }

        public PartKind Kind { get; }

        public char Letter { get; }

        public Padding Padding { get; }

        public byte[] Bytes { get; }
    }
}

/// <summary>What stands between the percent sign and the letter of a conversion.</summary>
/// <param name="Width">The least number of bytes; 0: as many as there are.</param>
/// <param name="Precision">The most bytes, where the conversion heeds it; null: all.</param>
/// <param name="Left">Padded on the right.</param>
/// <param name="Zero">Padded with zeros, where the conversion heeds it.</param>
internal readonly record struct Padding(int Width, int? Precision, bool Left, bool Zero);
