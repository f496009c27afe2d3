using Nightjar.Cli.Output;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Cli.Tests.Output;

/// <summary>What each combination of flags prints; recorded from mosquitto_sub 2.0.11.</summary>
public sealed class MessagePrinterTests
{
    private static readonly MqttMessage[] Messages =
    [
        MqttMessage.Create("a/b", "x"), MqttMessage.Create("a/c", ""), MqttMessage.Create("a/d", "y\nz\n"), MqttMessage.Create("a/e", ""),
    ];

    [Fact]
    public void Payloads_alone_and_nothing_for_an_empty_one() => Assert.Equal("x\ny\nz\n\n", Printed.With(new PrintOptions(), Messages));

    [Fact]
    public void Verbose_is_topic_and_payload() =>
        Assert.Equal("a/b x\na/c (null)\na/d y\nz\n\na/e (null)\n", Printed.With(new PrintOptions { Verbose = true }, Messages));

    [Fact]
    public void Without_end_of_line_payloads_follow_each_other() =>
        Assert.Equal("xy\nz\n", Printed.With(new PrintOptions { EndOfLine = false }, Messages));

    [Fact]
    public void Verbose_without_end_of_line_leaves_out_empty_ones() =>
        Assert.Equal("a/b xa/d y\nz\n", Printed.With(new PrintOptions { Verbose = true, EndOfLine = false }, Messages));

    [Fact]
    public void A_format_wins_over_verbose_and_prints_empty_payloads_too() =>
        Assert.Equal("x\n\ny\nz\n\n\n", Printed.With(new PrintOptions { Verbose = true, Format = MessageFormat.Parse("%p") }, Messages));

    [Fact]
    public void A_format_without_end_of_line() =>
        Assert.Equal("a/ba/ca/da/e", Printed.With(new PrintOptions { Format = MessageFormat.Parse("%t"), EndOfLine = false }, Messages));

    [Fact]
    public void An_empty_format_prints_lines() =>
        Assert.Equal("\n\n\n\n", Printed.With(new PrintOptions { Format = MessageFormat.Parse("") }, Messages));

    [Fact]
    public void Bytes_go_out_untouched() =>
        Assert.Equal("a/\u00c3\u00a9\u00e2\u0082\u00ac \u0001\u00ff\u00fe\u0080abc\u001b[31m\n", Printed.With(new PrintOptions { Verbose = true }, SampleMessages.Binary));

    [Fact]
    public void On_a_terminal_topic_and_payload_are_escaped() => Assert.Equal(
        "a\\x0ab c\n\\x1bd\ne\\x07 (null)\n",
        Printed.With(new PrintOptions { Verbose = true, ForTerminal = true }, MqttMessage.Create("a\nb", "c\n\u001bd"), MqttMessage.Create("e\a", "")));

    [Fact]
    public void Much_output_is_flushed_before_anybody_asks()
    {
        using var output = new MemoryStream();
        var printer = new MessagePrinter(new PrintOptions(), output, TimeProvider.System, _ => { });

        printer.Print(MqttMessage.Create("t", "x"));
        Assert.Equal(0, output.Length);
        printer.Print(MqttMessage.Create("t", new string('x', 100_000)));

        Assert.Equal(2 + 100_001, output.Length);
    }

    [Fact]
    public void A_reader_that_has_gone_is_an_end_of_its_own()
    {
        var printer = new MessagePrinter(new PrintOptions(), new FailingStream(hresult: 32), TimeProvider.System, _ => { });
        printer.Print(MqttMessage.Create("t", "x"));

        Assert.Throws<OutputClosedException>(printer.Flush);
    }

    [Fact]
    public void A_full_disk_is_an_error()
    {
        var printer = new MessagePrinter(new PrintOptions(), new FailingStream(hresult: 28), TimeProvider.System, _ => { });
        printer.Print(MqttMessage.Create("t", "x"));

        Assert.Throws<IOException>(printer.Flush);
    }

    private sealed class FailingStream(int hresult) : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer) => throw new IOException("It failed.", hresult);
    }
}
