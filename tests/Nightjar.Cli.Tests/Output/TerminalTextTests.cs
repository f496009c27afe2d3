using System.Buffers;
using System.Text;
using Nightjar.Cli.Output;
using Xunit;

namespace Nightjar.Cli.Tests.Output;

public sealed class TerminalTextTests
{
    [Theory]
    [InlineData("plain ~ é € 😀", "plain ~ é € 😀")]
    [InlineData("\u001b[2J", "\\x1b[2J")]
    [InlineData("\0\a\b\r\u007f", "\\x00\\x07\\x08\\x0d\\x7f")]
    [InlineData("a\nb\tc", "a\\x0ab\\x09c")]
    [InlineData("\u0085\u009b31m", "\\u0085\\u009b31m")]
    [InlineData("\u202e\u2066\u200f\u061c\u2028", "\\u202e\\u2066\\u200f\\u061c\\u2028")]
    public void Control_characters_become_visible(string text, string expected) => Assert.Equal(expected, TerminalText.Escape(text));

    [Fact]
    public void Bytes_that_are_not_UTF8_become_visible()
    {
        var output = new ArrayBufferWriter<byte>();

        TerminalText.Append([0x61, 0xFF, 0x9B, 0xE2, 0x82, 0x62, 0xC0, 0x80], lines: true, output);

        Assert.Equal("a\\xff\\x9b\\xe2\\x82b\\xc0\\x80", Encoding.UTF8.GetString(output.WrittenSpan));
    }

    [Fact]
    public void A_payload_keeps_its_lines_and_tabs()
    {
        var output = new ArrayBufferWriter<byte>();

        TerminalText.Append("{\n\t1\r\n}"u8, lines: true, output);

        Assert.Equal("{\n\t1\\x0d\n}", Encoding.UTF8.GetString(output.WrittenSpan));
    }
}
