using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Nightjar.Cli.CommandLine;
using Nightjar.Cli.Output;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Cli.Tests.Output;

public sealed partial class MessageFormatTests
{
    /// <summary>
    /// What mosquitto_sub 2.0.11 printed: a format, then its output for the four messages of <see cref="SampleMessages"/>, each cell in brackets, bytes that
    /// are not plain ASCII as \xNN.
    /// </summary>
    [Fact]
    public void Every_conversion_prints_what_mosquitto_sub_prints()
    {
        var rows = Golden().ToList();
        Assert.Equal(206, rows.Count);
        Assert.All(rows, cells =>
        {
            var format = Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(cells[0]));
            Assert.Equal($"{format} full: {cells[1]}", $"{format} full: {Printed.InFormat(format, SampleMessages.Full)}");
            Assert.Equal($"{format} bare: {cells[2]}", $"{format} bare: {Printed.InFormat(format, SampleMessages.Bare)}");
            Assert.Equal($"{format} binary: {cells[3]}", $"{format} binary: {Printed.InFormat(format, SampleMessages.Binary)}");
            Assert.Equal($"{format} empty: {cells[4]}", $"{format} empty: {Printed.InFormat(format, SampleMessages.Empty)}");
        });
    }

    [Theory]
    [InlineData("%", "Incomplete format specifier.")]
    [InlineData("a%", "Incomplete format specifier.")]
    [InlineData("%-", "Incomplete format specifier.")]
    [InlineData("%0", "Incomplete format specifier.")]
    [InlineData("%5", "Incomplete format specifier.")]
    [InlineData("%5.", "Incomplete format specifier.")]
    [InlineData("@", "Incomplete format specifier.")]
    [InlineData("\\", "Incomplete escape specifier.")]
    [InlineData("%k", "Invalid format specifier 'k'.")]
    [InlineData("%0-10t", "Invalid format specifier '-'.")]
    [InlineData("% t", "Invalid format specifier ' '.")]
    [InlineData("%+t", "Invalid format specifier '+'.")]
    [InlineData("%1$t", "Invalid format specifier '$'.")]
    [InlineData("\\q", "Invalid escape specifier 'q'.")]
    public void A_format_that_mosquitto_sub_refuses_is_refused_in_its_words(string format, string message) =>
        Assert.Equal(message, Assert.Throws<UsageException>(() => MessageFormat.Parse(format)).Message);

    [Fact]
    public void A_null_character_can_separate_fields() => Assert.Equal("a/b\0hi", Printed.InFormat("%t\\0%p", SampleMessages.Bare));

    [Fact]
    public void An_absurd_width_is_cut_and_does_not_overflow() =>
        Assert.Equal(1_000_000, Printed.InFormat("%99999999999t", SampleMessages.Bare).Length);

    [Theory]
    [InlineData("%I", "2021-01-03T01:59:59+0000")]
    [InlineData("%30I|", "      2021-01-03T01:59:59+0000|")]
    [InlineData("%-30I|", "2021-01-03T01:59:59+0000      |")]
    [InlineData("%030I", "      2021-01-03T01:59:59+0000")]
    [InlineData("%10.4I|", "      2021|")]
    [InlineData("%U", "1609639199.123456700")]
    [InlineData("%30U", "1609639199.123456700")]
    [InlineData("@s.@N", "1609639199.123456700")]
    [InlineData("@Y-@m-@dT@H:@M:@S@z", "2021-01-03T01:59:59+0000")]
    public void Times_are_of_the_moment_of_printing(string format, string expected) =>
        Assert.Equal(expected, Printed.InFormat(format, SampleMessages.Bare));

    [Fact]
    public void Times_are_local()
    {
        var zone = TimeZoneInfo.CreateCustomTimeZone("test", new TimeSpan(-3, -30, 0), "Test Time", "TST");
        var format = new PrintOptions { Format = MessageFormat.Parse("%I @H:@M @Z") };

        Assert.Equal("2021-01-02T22:29:59-0330 22:29 TST\n", Printed.With(format, _ => { }, zone, SampleMessages.Bare));
    }

    [Fact]
    public void On_a_terminal_fields_are_escaped_and_the_format_is_not()
    {
        var message = MqttMessage.Create("a/\u001b]0;x\a", "\u001b[2J\u009b1A"u8.ToArray(), contentType: "c\nd", userProperties: [new UserProperty("\u0001", "\u0002")]);

        Assert.Equal(
            "\u001b[92ma/\\x1b]0;x\\x07\u001b[0m \\x1b[2J\\u009b1A c\\x0ad \\x01:\\x02",
            Printed.InFormat("\\e[92m%t\\e[0m %p %C %P", message, forTerminal: true));
    }

    private static IEnumerable<string[]> Golden()
    {
        using var stream = typeof(MessageFormatTests).Assembly.GetManifestResourceStream("mosquitto_sub.golden")!;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            yield return [.. line.Split('\t').Select(cell => Byte().Replace(
                cell[1..^1], match => ((char)byte.Parse(match.ValueSpan[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToString()))];
        }
    }

    [GeneratedRegex(@"\\x[0-9a-f]{2}")]
    private static partial Regex Byte();
}
