using System.Buffers;
using System.Text;

namespace Nightjar.Cli.Output;

/// <summary>How messages are printed; the flags of <c>nightjar sub</c>.</summary>
internal sealed record PrintOptions
{
    /// <summary>The format of <c>-F</c>; null: payload alone, or topic and payload.</summary>
    public MessageFormat? Format { get; init; }

    /// <summary>Topic and payload.</summary>
    public bool Verbose { get; init; }

    /// <summary>Whether each message ends with a line feed.</summary>
    public bool EndOfLine { get; init; } = true;

    /// <summary>Whether JSON is laid out for people.</summary>
    public bool Pretty { get; init; }

    /// <summary>Whether control characters of messages are made visible.</summary>
    public bool ForTerminal { get; init; }
}

/// <summary>
/// Prints messages to a buffer and the buffer to a stream. Not thread-safe: its owner lets one message in at a time.
/// </summary>
internal sealed class MessagePrinter
{
    // One write per 64 KiB is few enough not to count, and little enough not to be felt as delay.
    private const int FlushAt = 64 * 1024;

    private readonly ArrayBufferWriter<byte> _buffer = new(FlushAt);
    private readonly PrintOptions _options;
    private readonly Stream _stream;
    private readonly FieldWriter _fields;

    /// <param name="invalidJson">Called with the topic of a message that <c>%J</c> cannot print.</param>
    public MessagePrinter(PrintOptions options, Stream stream, TimeProvider clock, Action<string> invalidJson)
    {
        _options = options;
        _stream = stream;
        _fields = new FieldWriter(_buffer, options.ForTerminal, options.Pretty, clock, invalidJson);
    }

    /// <summary>Prints a message; it may stay in the buffer until <see cref="Flush"/>. Throws <see cref="OutputClosedException"/>.</summary>
    public void Print(MqttMessage message)
    {
        _fields.NextMessage();
        if (_options.Format is { } format)
        {
            format.Write(message, _fields);
            EndLine();
        }
        else if (!message.Payload.IsEmpty)
        {
            if (_options.Verbose)
            {
                _fields.Foreign(Encoding.UTF8.GetBytes(message.Topic), lines: false);
                _buffer.Write(" "u8);
            }

            _fields.Foreign(message.Payload.Span, lines: true);
            EndLine();
        }
        else if (_options is { Verbose: true, EndOfLine: true })
        {
            _fields.Foreign(Encoding.UTF8.GetBytes(message.Topic), lines: false);
            _buffer.Write(" (null)\n"u8);
        }

        if (_buffer.WrittenCount >= FlushAt)
        {
            Flush();
        }
    }

    /// <summary>Hands everything to the stream. Throws <see cref="OutputClosedException"/> if nobody reads it any more, another <see cref="IOException"/> if it cannot be written.</summary>
    public void Flush()
    {
        if (_buffer.WrittenCount == 0)
        {
            return;
        }

        try
        {
            _stream.Write(_buffer.WrittenSpan);
            _stream.Flush();
        }
        catch (IOException error) when (OutputClosedException.Is(error))
        {
            throw new OutputClosedException(error);
        }
        finally
        {
            _buffer.ResetWrittenCount();
        }
    }

    private void EndLine()
    {
        if (_options.EndOfLine)
        {
            _buffer.Write("\n"u8);
        }
    }
}

/// <summary>Whoever read the standard output has gone, <c>| head -1</c> for instance: the end, and no error.</summary>
internal sealed class OutputClosedException(IOException inner) : Exception("The standard output is closed.", inner)
{
    // EPIPE, and what Windows says instead (ERROR_BROKEN_PIPE, ERROR_NO_DATA).
    private static readonly int[] ReaderGone = [32, unchecked((int)0x8007006D), unchecked((int)0x800700E8)];

    /// <summary>Whether this is how the system says so.</summary>
    public static bool Is(IOException error) => ReaderGone.Contains(error.HResult);
}
