using System.Buffers;
using System.Globalization;
using System.Text;

namespace Nightjar.Cli.Output;

/// <summary>
/// Writes the fields of messages for <see cref="MessageFormat"/>, padded and cut as mosquitto_sub 2 does it, its quirks included: scripts
/// rely on the bytes.
/// </summary>
/// <param name="output">Where they go.</param>
/// <param name="forTerminal">Whether control characters of fields are made visible; those of the format itself are the user's own.</param>
/// <param name="pretty">How JSON is laid out.</param>
/// <param name="clock">For the times.</param>
/// <param name="invalidJson">Called with the topic of a message that <c>%J</c> cannot print.</param>
internal sealed class FieldWriter(IBufferWriter<byte> output, bool forTerminal, bool pretty, TimeProvider clock, Action<string> invalidJson)
{
    private DateTimeOffset? _time;

    // One message shows one time, however often its format asks.
    private DateTimeOffset Now => _time ??= TimeZoneInfo.ConvertTime(clock.GetUtcNow(), clock.LocalTimeZone);

    /// <summary>The next field belongs to another message.</summary>
    public void NextMessage() => _time = null;

    /// <summary>Text of the format.</summary>
    public void Literal(ReadOnlySpan<byte> bytes) => output.Write(bytes);

    /// <summary>One strftime conversion.</summary>
    public void Time(char letter)
    {
        if (letter == '@')
        {
            output.Write("@"u8);
        }
        else
        {
            Write(TimeText.Strftime(letter, Now, clock.LocalTimeZone));
        }
    }

    /// <summary>One conversion of a message's field; a property that it does not carry leaves blanks.</summary>
    public void Field(char letter, MqttMessage message, Padding padding)
    {
        switch (letter)
        {
            case '%':
                output.Write("%"u8);
                break;
            case 'A':
                Number(message.TopicAlias, padding);
                break;
            case 'C':
                Text(message.ContentType, padding);
                break;
            case 'D':
                Foreign(message.CorrelationData.GetValueOrDefault().Span, lines: false);
                break;
            case 'E':
                Number((long?)message.TimeToLive?.TotalSeconds, padding);
                break;
            case 'F':
                Number((int?)message.PayloadFormat, padding);
                break;
            case 'I':
                Text(TimeText.Iso8601(Now), padding);
                break;
            case 'j':
                JsonMessage.WriteText(message, Now, new JsonText(output, pretty, forTerminal));
                break;
            case 'J':
                if (!JsonMessage.TryWriteJson(message, Now, pretty, forTerminal, output))
                {
                    invalidJson(message.Topic);
                }

                break;
            case 'l':
                Number(message.Payload.Length, padding);
                break;
            case 'm':
                Number(message.PacketId, padding);
                break;
            case 'p':
                Payload(message.Payload.Span, padding);
                break;
            case 'P':
                UserProperties(message.UserProperties);
                break;
            case 'q':
                Write($"{(int)message.QoS}");
                break;
            case 'r':
                output.Write(message.Retain ? "1"u8 : "0"u8);
                break;
            case 'R':
                // Alone among the texts it leaves no blanks when it is missing.
                Text(message.ResponseTopic, message.ResponseTopic is null ? default : padding);
                break;
            case 'S':
                Number(message.SubscriptionIdentifiers is [var first, ..] ? first : null, padding);
                break;
            case 't':
                Text(message.Topic, padding);
                break;
            case 'U':
                Write(TimeText.Unix(Now));
                break;
            case 'x' or 'X':
                Hexadecimal(message.Payload.Span, letter == 'X', padding);
                break;
        }
    }

    /// <summary>Bytes that a stranger chose.</summary>
    /// <param name="lines">Whether they may hold several lines.</param>
    public void Foreign(ReadOnlySpan<byte> bytes, bool lines)
    {
        if (forTerminal)
        {
            TerminalText.Append(bytes, lines, output);
        }
        else
        {
            output.Write(bytes);
        }
    }

    private void Number(long? value, Padding padding)
    {
        if (value is { } number)
        {
            var digits = number.ToString(CultureInfo.InvariantCulture);
            Write(padding.Left ? digits.PadRight(padding.Width) : digits.PadLeft(padding.Width, padding.Zero ? '0' : ' '));
        }
        else
        {
            Fill(padding.Zero ? (byte)'0' : (byte)' ', padding.Width);
        }
    }

    private void Text(string? text, Padding padding)
    {
        var bytes = Encoding.UTF8.GetBytes(text ?? string.Empty).AsSpan();
        bytes = bytes[..Math.Min(bytes.Length, padding.Precision ?? int.MaxValue)];
        var blanks = padding.Width - bytes.Length;
        Fill((byte)' ', padding.Left ? 0 : blanks);
        Foreign(bytes, lines: false);
        Fill((byte)' ', padding.Left ? blanks : 0);
    }

    // A width is also a maximum here, and precision counts for nothing.
    private void Payload(ReadOnlySpan<byte> payload, Padding padding)
    {
        var shown = padding.Width == 0 ? payload.Length : Math.Min(payload.Length, padding.Width);
        FillLeft(padding, padding.Width - shown);
        Foreign(payload[..shown], lines: true);
        FillRight(padding, padding.Width - shown);
    }

    // With a width mosquitto_sub prints half of the payload at most; so does this.
    private void Hexadecimal(ReadOnlySpan<byte> payload, bool upper, Padding padding)
    {
        var shown = padding.Width == 0 ? payload.Length : Math.Min(payload.Length, padding.Width) / 2;
        FillLeft(padding, padding.Width - (shown * 2));
        Write(upper ? Convert.ToHexString(payload[..shown]) : Convert.ToHexStringLower(payload[..shown]));
        FillRight(padding, padding.Width - (shown * 2));
    }

    private void UserProperties(IReadOnlyList<UserProperty> properties)
    {
        for (var index = 0; index < properties.Count; index++)
        {
            output.Write(index == 0 ? ""u8 : " "u8);
            Foreign(Encoding.UTF8.GetBytes($"{properties[index].Name}:{properties[index].Value}"), lines: false);
        }
    }

    private void FillLeft(Padding padding, int count) => Fill(padding.Zero ? (byte)'0' : (byte)' ', padding.Left ? 0 : count);

    private void FillRight(Padding padding, int count) => Fill((byte)' ', padding.Left ? count : 0);

    private void Fill(byte filling, int count)
    {
        if (count > 0)
        {
            output.GetSpan(count)[..count].Fill(filling);
            output.Advance(count);
        }
    }

    private void Write(string ascii) => output.Write(Encoding.UTF8.GetBytes(ascii));
}
