using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace Nightjar.Cli.Output;

/// <summary>
/// Writes JSON the way mosquitto_sub prints it, byte for byte: compact, or with tabs (<c>--pretty</c>); members may repeat, as user properties do.
/// </summary>
internal sealed class JsonText(IBufferWriter<byte> output, bool pretty, bool forTerminal)
{
    private static readonly byte[] Controls = [.. Enumerable.Range(0, 0x20).Select(control => (byte)control)];
    private static readonly SearchValues<byte> MustEscape = SearchValues.Create([.. Controls, (byte)'"', (byte)'\\']);
    private static readonly SearchValues<byte> PlainAscii =
        SearchValues.Create([.. Enumerable.Range(0x20, 0x7F - 0x20).Select(plain => (byte)plain).Where(plain => plain is not ((byte)'"' or (byte)'\\'))]);

    private readonly Stack<bool> _arrays = [];
    private bool _first = true;
    private bool _afterName;

    public void StartObject() => Start((byte)'{', array: false);

    public void StartArray() => Start((byte)'[', array: true);

    public void EndObject()
    {
        _arrays.Pop();
        if (pretty)
        {
            NewLine();
        }

        output.Write("}"u8);
        _first = false;
    }

    public void EndArray()
    {
        _arrays.Pop();
        output.Write("]"u8);
        _first = false;
    }

    public void Name(ReadOnlySpan<byte> utf8)
    {
        if (!_first)
        {
            output.Write(","u8);
        }

        if (pretty)
        {
            NewLine();
        }

        Quoted(utf8);
        output.Write(pretty ? ":\t"u8 : ":"u8);
        _first = false;
        _afterName = true;
    }

    public void Name(string name) => Name(Encoding.UTF8.GetBytes(name));

    public void String(ReadOnlySpan<byte> utf8)
    {
        Separate();
        Quoted(utf8);
    }

    public void String(string text) => String(Encoding.UTF8.GetBytes(text));

    public void Number(long value) => Literal(Encoding.ASCII.GetBytes(value.ToString(CultureInfo.InvariantCulture)));

    /// <summary>A number, <c>true</c>, <c>false</c> or <c>null</c>, as it stands.</summary>
    public void Literal(ReadOnlySpan<byte> token)
    {
        Separate();
        output.Write(token);
    }

    private void Start(byte bracket, bool array)
    {
        Separate();
        output.Write([bracket]);
        _arrays.Push(array);
        _first = true;
    }

    private void Separate()
    {
        if (!_afterName && !_first && _arrays.TryPeek(out var array) && array)
        {
            output.Write(pretty ? ", "u8 : ","u8);
        }

        _first = false;
        _afterName = false;
    }

    private void NewLine()
    {
        output.Write("\n"u8);
        for (var depth = _arrays.Count; depth > 0; depth--)
        {
            output.Write("\t"u8);
        }
    }

    private void Quoted(ReadOnlySpan<byte> utf8)
    {
        // JSON has no bytes: what is not UTF-8 becomes U+FFFD, for %x prints it exactly.
        if (!Utf8.IsValid(utf8))
        {
            utf8 = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(utf8));
        }

        output.Write("\""u8);
        while (!utf8.IsEmpty)
        {
            var plain = forTerminal ? utf8.IndexOfAnyExcept(PlainAscii) : utf8.IndexOfAny(MustEscape);
            if (plain != 0)
            {
                plain = plain < 0 ? utf8.Length : plain;
                output.Write(utf8[..plain]);
                utf8 = utf8[plain..];
                continue;
            }

            Rune.DecodeFromUtf8(utf8, out var rune, out var length);
            switch (rune.Value)
            {
                case '"':
                    output.Write("\\\""u8);
                    break;
                case '\\':
                    output.Write("\\\\"u8);
                    break;
                case '\b':
                    output.Write("\\b"u8);
                    break;
                case '\f':
                    output.Write("\\f"u8);
                    break;
                case '\n':
                    output.Write("\\n"u8);
                    break;
                case '\r':
                    output.Write("\\r"u8);
                    break;
                case '\t':
                    output.Write("\\t"u8);
                    break;
                case < 0x20:
                case var _ when forTerminal && !TerminalText.IsHarmless(rune, lines: false):
                    output.Write(Encoding.ASCII.GetBytes($"\\u{rune.Value:x4}"));
                    break;
                default:
                    output.Write(utf8[..length]);
                    break;
            }

            utf8 = utf8[length..];
        }

        output.Write("\""u8);
    }
}
