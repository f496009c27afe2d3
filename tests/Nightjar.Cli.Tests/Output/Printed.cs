using System.Text;
using Nightjar.Cli.Output;

namespace Nightjar.Cli.Tests.Output;

/// <summary>Prints one message with given flags, at a fixed time, and returns the bytes as Latin-1, so that each of them can be compared.</summary>
internal static class Printed
{
    /// <summary>A Sunday, a second before its third hour.</summary>
    public static readonly DateTimeOffset Time = new DateTimeOffset(2021, 1, 3, 1, 59, 59, TimeSpan.Zero).AddTicks(1_234_567);

    public static string With(PrintOptions options, params MqttMessage[] messages) => With(options, _ => { }, TimeZoneInfo.Utc, messages);

    public static string With(PrintOptions options, Action<string> invalidJson, TimeZoneInfo zone, params MqttMessage[] messages)
    {
        var output = new MemoryStream();
        var printer = new MessagePrinter(options, output, new FixedClock(zone), invalidJson);
        foreach (var message in messages)
        {
            printer.Print(message);
        }

        printer.Flush();
        return Encoding.Latin1.GetString(output.ToArray());
    }

    public static string InFormat(string format, MqttMessage message, bool forTerminal = false) =>
        With(new PrintOptions { Format = MessageFormat.Parse(format), EndOfLine = false, ForTerminal = forTerminal }, message);

    private sealed class FixedClock(TimeZoneInfo zone) : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => zone;

        public override DateTimeOffset GetUtcNow() => Time;
    }
}
