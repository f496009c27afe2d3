using System.IO.Pipelines;
using System.Text;
using Nightjar.Protocol.Packets;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Cli.Tests.Commands;

public sealed class PubCommandTests
{
    [Theory]
    [InlineData("31", 0)]
    [InlineData("31", 2)]
    [InlineData("311", 0)]
    [InlineData("311", 1)]
    [InlineData("5", 0)]
    [InlineData("5", 1)]
    [InlineData("5", 2)]
    public async Task One_message_is_published_at_every_version_and_QoS(string version, int qos)
    {
        await using var broker = new MqttTestBroker();

        var (exitCode, output, error) = await ToolRun.ToEndAsync($"pub -p {broker.Port} -t a/b -m hello -q {qos} -V {version}");

        Assert.Equal((0, "", ""), (exitCode, output, error));
        var message = Assert.Single(await broker.WaitForPublishedAsync(1));
        Assert.Equal(("a/b", "hello", (QoS)qos, false), (message.Topic, message.Text, message.QoS, message.Retain));
        await broker.WaitForNoClientsAsync();
    }

    [Fact]
    public async Task A_message_may_be_retained_and_may_carry_properties()
    {
        await using var broker = new MqttTestBroker();

        Assert.Equal(0, (await ToolRun.ToEndAsync(
            $"pub -p {broker.Port} -t a -m x -r -q 1 -D publish content-type text/plain -D publish user-property k v -D publish correlation-data id")).ExitCode);

        var message = Assert.Single(broker.Retained);
        Assert.Equal("text/plain", message.ContentType);
        Assert.Equal([new UserProperty("k", "v")], message.UserProperties);
        Assert.Equal("id"u8.ToArray(), message.CorrelationData!.Value.ToArray());
    }

    [Fact]
    public async Task An_empty_message_removes_a_retained_one()
    {
        await using var broker = new MqttTestBroker();
        await broker.PublishAsync("a", "x", retain: true);

        Assert.Equal(0, (await ToolRun.ToEndAsync($"pub -p {broker.Port} -t a -n -r -q 1")).ExitCode);

        Assert.Empty(broker.Retained);
    }

    [Fact]
    public async Task The_whole_of_standard_input_is_one_message_byte_for_byte()
    {
        await using var broker = new MqttTestBroker();
        var bytes = Encoding.Latin1.GetString([.. Enumerable.Range(0, 200_000).Select(n => (byte)n)]);

        Assert.Equal(0, (await ToolRun.ToEndAsync($"pub -p {broker.Port} -t a -s -q 1", bytes)).ExitCode);

        Assert.Equal(bytes, Encoding.Latin1.GetString(Assert.Single(broker.Published).Payload.Span));
    }

    [Fact]
    public async Task A_file_is_one_message_byte_for_byte()
    {
        await using var broker = new MqttTestBroker();
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(file, [0, 255, 10, 13, 27], TestContext.Current.CancellationToken);

            Assert.Equal(0, (await ToolRun.ToEndAsync($"pub -p {broker.Port} -t a -f {file} -q 1")).ExitCode);

            Assert.Equal([0, 255, 10, 13, 27], Assert.Single(broker.Published).Payload.ToArray());
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task A_file_that_is_not_there_costs_no_connection()
    {
        var (exitCode, _, error) = await ToolRun.ToEndAsync("pub -p 1 -t a -f /no/such/file");

        Assert.Equal(ExitCode.Usage, exitCode);
        Assert.StartsWith("Error: Unable to open file \"/no/such/file\"", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Lines_are_published_in_order_and_all_of_them(int qos)
    {
        await using var broker = new MqttTestBroker();
        var lines = Enumerable.Range(0, 10_000).Select(n => $"line {n}").ToList();

        Assert.Equal(0, (await ToolRun.ToEndAsync($"pub -p {broker.Port} -t a -l -q {qos}", string.Join('\n', lines))).ExitCode);

        Assert.Equal(lines, (await broker.WaitForPublishedAsync(lines.Count)).Select(message => message.Text));
    }

    [Fact]
    public async Task A_line_is_published_before_the_next_is_written()
    {
        await using var broker = new MqttTestBroker();
        var input = new Pipe();
        using var run = new ToolRun($"pub -p {broker.Port} -t a -l", input.Reader.AsStream());

        await input.Writer.WriteAsync("first\n"u8.ToArray());
        await broker.WaitForPublishedAsync(message => message.Text == "first");
        await input.Writer.WriteAsync("second\n"u8.ToArray());
        await broker.WaitForPublishedAsync(message => message.Text == "second");
        await input.Writer.CompleteAsync();

        Assert.Equal(0, await run.ExitCodeAsync());
    }

    [Fact]
    public async Task A_stream_of_lines_outlives_a_lost_connection()
    {
        var clock = new FastClock();
        await using var broker = new MqttTestBroker();
        var input = new Pipe();
        using var run = new ToolRun($"pub -p {broker.Port} -t a -l -q 1", input.Reader.AsStream(), clock: clock);
        await input.Writer.WriteAsync("first\n"u8.ToArray());
        await broker.WaitForPublishedAsync(message => message.Text == "first");

        broker.DropConnections();
        await input.Writer.WriteAsync("second\n"u8.ToArray());
        await input.Writer.CompleteAsync();

        Assert.Equal(0, await run.ExitCodeAsync());
        Assert.Contains(broker.Published, message => message.Text == "second");
        Assert.Contains("Warning: The connection to", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_message_that_met_a_dying_connection_is_an_error()
    {
        var options = new MqttTestBrokerOptions();
        await using var broker = new MqttTestBroker(options);
        options.MayPublish = (_, _) =>
        {
            broker.DropConnections();
            return false;
        };

        var (exitCode, _, error) = await ToolRun.ToEndAsync($"pub -p {broker.Port} -t a -m x -q 1");

        Assert.Equal(ExitCode.ConnectionLost, exitCode);
        Assert.Contains("Error: The connection to", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_message_is_repeated_after_the_delay()
    {
        var clock = new FastClock();
        await using var broker = new MqttTestBroker();
        using var run = new ToolRun($"pub -p {broker.Port} -t a -m x -q 1 --repeat 3 --repeat-delay 2.5", clock: clock);

        Assert.Equal(0, await run.ExitCodeAsync());
        Assert.Equal(2, clock.Asked.Count(time => time == TimeSpan.FromSeconds(2.5)));
        Assert.Equal(3, broker.Published.Count);
    }

    [Fact]
    public async Task A_refused_message_is_an_error()
    {
        await using var broker = new MqttTestBroker(new MqttTestBrokerOptions { MayPublish = (_, _) => false });

        var (exitCode, output, error) = await ToolRun.ToEndAsync($"pub -p {broker.Port} -t a -m x -q 1");

        Assert.Equal((ExitCode.Refused, ""), (exitCode, output));
        Assert.Contains("refused the message: NotAuthorized", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refused_line_does_not_stop_the_lines_after_it()
    {
        var count = 0;
        await using var broker = new MqttTestBroker(new MqttTestBrokerOptions { MayPublish = (_, _) => Interlocked.Increment(ref count) != 2 });

        var (exitCode, _, error) = await ToolRun.ToEndAsync($"pub -p {broker.Port} -t a -l -q 1", "a\nb\nc\n");

        Assert.Equal(ExitCode.Refused, exitCode);
        Assert.Equal(["a", "c"], broker.Published.Select(message => message.Text));
        Assert.Contains("Warning: Publish failed:", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("5", ReasonCode.NotAuthorized, 135)]
    [InlineData("5", ReasonCode.Banned, 138)]
    [InlineData("311", ReasonCode.NotAuthorized, 5)]
    [InlineData("311", ReasonCode.BadUserNameOrPassword, 4)]
    [InlineData("31", ReasonCode.ServerUnavailable, 3)]
    public async Task A_refused_connection_returns_its_code(string version, ReasonCode reason, int expected)
    {
        await using var broker = new MqttTestBroker();
        broker.RefuseNext(reason);

        var (exitCode, _, error) = await ToolRun.ToEndAsync($"pub -p {broker.Port} -t a -m x -V {version}");

        Assert.Equal(expected, exitCode);
        Assert.Contains("refused the connection", error, StringComparison.Ordinal);
        Assert.DoesNotContain("set credentials", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_password_is_sent_and_not_repeated()
    {
        await using var broker = new MqttTestBroker(new MqttTestBrokerOptions { Users = { ["joe"] = "secret" } });

        Assert.Equal(0, (await ToolRun.ToEndAsync($"pub -p {broker.Port} -u joe -P secret -t a -m x")).ExitCode);
        var (exitCode, _, error) = await ToolRun.ToEndAsync($"pub -p {broker.Port} -u joe -P wrongly -t a -m x -d");

        Assert.Equal(134, exitCode);
        Assert.DoesNotContain("wrongly", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broker_of_an_older_version_needs_no_flag()
    {
        var options = new MqttTestBrokerOptions();
        options.Versions.Remove(MqttVersion.Mqtt5);
        await using var broker = new MqttTestBroker(options);

        Assert.Equal(0, (await ToolRun.ToEndAsync($"pub -p {broker.Port} -t a -m x -q 1")).ExitCode);
        Assert.Single(broker.Published);
    }

    [Fact]
    public async Task What_the_broker_says_is_escaped()
    {
        await using var broker = new MqttTestBroker();
        broker.RefuseNext(ReasonCode.Banned, "go \u001b[2J away");

        Assert.Contains("go \\x1b[2J away", (await ToolRun.ToEndAsync($"pub -p {broker.Port} -t a -m x")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Quiet_says_nothing_and_returns_the_code_all_the_same()
    {
        await using var broker = new MqttTestBroker();
        broker.RefuseNext(ReasonCode.Banned);

        Assert.Equal((138, "", ""), await ToolRun.ToEndAsync($"pub -p {broker.Port} -t a -m x --quiet"));
    }

    [Fact]
    public async Task Nobody_there_is_an_error()
    {
        var (exitCode, _, error) = await ToolRun.ToEndAsync($"pub -p {await UnusedPortAsync()} -t a -m x");

        Assert.Equal(ExitCode.CannotConnect, exitCode);
        Assert.Contains("Error: Cannot connect to mqtt://localhost:", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TLS_that_fails_has_a_code_of_its_own()
    {
        await using var broker = new MqttTestBroker();

        Assert.Equal(ExitCode.Tls, (await ToolRun.ToEndAsync($"pub -p {broker.Port} -t a -m x --tls-use-os-certs")).ExitCode);
    }

    [Fact]
    public async Task A_broker_that_breaks_the_protocol_has_a_code_of_its_own()
    {
        await using var peer = ScriptedPeer.Listen();
        var run = ToolRun.ToEndAsync($"pub -p {peer.Port} -t a -m x");
        await peer.ExpectAsync<ConnectPacket>();
        await peer.SendBytesAsync(new byte[] { 0x00, 0x00 });

        Assert.Equal(ExitCode.Protocol, (await run).ExitCode);
    }

    [Fact]
    public async Task Interrupting_disconnects_and_sends_no_will()
    {
        await using var broker = new MqttTestBroker();
        var input = new Pipe();
        using var run = new ToolRun($"pub -p {broker.Port} -t a -l --will-topic w --will-payload gone", input.Reader.AsStream());
        await input.Writer.WriteAsync("line\n"u8.ToArray());
        await broker.WaitForPublishedAsync(1);

        run.Stop();

        Assert.Equal(ExitCode.Interrupted, await run.ExitCodeAsync());
        await broker.WaitForNoClientsAsync();
        Assert.Single(broker.Published);
    }

    [Fact]
    public async Task Debug_says_what_happens()
    {
        await using var broker = new MqttTestBroker();

        var (_, output, error) = await ToolRun.ToEndAsync($"pub -p {broker.Port} -i me -t a/b -m hello -q 1 -d");

        Assert.Empty(output);
        Assert.Contains("Published to a/b, 5 bytes", error, StringComparison.Ordinal);
    }

    private static async Task<int> UnusedPortAsync()
    {
        await using var broker = new MqttTestBroker();
        return broker.Port;
    }
}
