using System.Text;
using Nightjar.Cli.Input;
using Xunit;

namespace Nightjar.Cli.Tests.Input;

public sealed class LineReaderTests
{
    /// <summary>The lines of the first six are what mosquitto_pub 2.0.11 published.</summary>
    [Theory]
    [InlineData("a\nb\nc", "a|b|c")]
    [InlineData("a\r\n\r\nb\n", "a\r|\r|b")]
    [InlineData("\n\nx\n", "||x")]
    [InlineData("\n", "")]
    [InlineData("no newline", "no newline")]
    [InlineData("one\n", "one")]
    [InlineData("x\0y\nz\n", "x\0y|z")]
    public async Task Lines_end_with_a_line_feed_and_keep_everything_else(string input, string expected)
    {
        var whole = await ReadAsync(new MemoryStream(Encoding.Latin1.GetBytes(input)));
        var byteByByte = await ReadAsync(new SmallReads(Encoding.Latin1.GetBytes(input), 1));

        Assert.Equal(expected, string.Join('|', whole));
        Assert.Equal(expected, string.Join('|', byteByByte));
    }

    [Fact]
    public async Task No_input_has_no_lines() => Assert.Empty(await ReadAsync(new MemoryStream()));

    [Fact]
    public async Task A_line_may_be_longer_than_any_buffer()
    {
        var line = new string('x', 1_000_000);

        var lines = await ReadAsync(new SmallReads(Encoding.Latin1.GetBytes($"{line}\n{line}\nshort"), 50_001));

        Assert.Equal([line, line, "short"], lines);
    }

    [Fact]
    public async Task A_line_that_no_message_can_hold_is_refused() =>
        await Assert.ThrowsAsync<InvalidDataException>(() => ReadAsync(new MemoryStream(new byte[1001]), maximumLength: 1000));

    [Fact]
    public async Task Lines_come_before_the_input_ends()
    {
        var pipe = new System.IO.Pipelines.Pipe();
        await using var lines = LineReader.ReadAsync(pipe.Reader.AsStream(), 1000, TestContext.Current.CancellationToken).GetAsyncEnumerator();

        await pipe.Writer.WriteAsync("first\nsec"u8.ToArray());

        Assert.True(await lines.MoveNextAsync());
        Assert.Equal("first"u8.ToArray(), lines.Current);
    }

    [Fact]
    public async Task Waiting_for_input_can_be_cancelled()
    {
        using var cancellation = new CancellationTokenSource();
        await using var lines = LineReader.ReadAsync(new NeverReads(), 1000, cancellation.Token).GetAsyncEnumerator();
        var next = lines.MoveNextAsync();

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await next);
    }

    private static async Task<List<string>> ReadAsync(Stream stream, int maximumLength = 10_000_000)
    {
        var lines = new List<string>();
        await foreach (var line in LineReader.ReadAsync(stream, maximumLength, TestContext.Current.CancellationToken))
        {
            lines.Add(Encoding.Latin1.GetString(line));
        }

        return lines;
    }

    private sealed class SmallReads(byte[] bytes, int atMost) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, atMost)], cancellationToken);
    }

    /// <summary>As a terminal does: it heeds no token.</summary>
    private sealed class NeverReads : MemoryStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await new TaskCompletionSource().Task;
            return 0;
        }
    }
}
