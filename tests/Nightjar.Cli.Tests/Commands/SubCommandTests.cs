using Nightjar.Testing;
using Xunit;

namespace Nightjar.Cli.Tests.Commands;

public sealed class SubCommandTests
{
    [Theory]
    [InlineData("31", 2)]
    [InlineData("311", 1)]
    [InlineData("5", 0)]
    [InlineData("5", 1)]
    [InlineData("5", 2)]
    public async Task Messages_are_printed_until_there_are_enough(string version, int qos)
    {
        await using var broker = new MqttTestBroker();
        using var run = new ToolRun($"sub -p {broker.Port} -t a/# -v -C 3 -q {qos} -V {version}");
        await broker.WaitForSubscriptionAsync("a/#");

        for (var n = 1; n <= 5; n++)
        {
            await broker.PublishAsync($"a/{n}", $"message {n}", QoS.ExactlyOnce);
        }

        Assert.Equal(0, await run.ExitCodeAsync());
        Assert.Equal("a/1 message 1\na/2 message 2\na/3 message 3\n", run.Output);
        Assert.Empty(run.Error);
        await broker.WaitForNoClientsAsync();
    }

    [Fact]
    public async Task A_message_is_seen_before_the_next_comes()
    {
        await using var broker = new MqttTestBroker();
        using var run = new ToolRun($"sub -p {broker.Port} -t a");
        await broker.WaitForSubscriptionAsync("a");

        await broker.PublishAsync("a", "first", QoS.AtMostOnce);
        await run.WaitForOutputAsync("first\n");
        await broker.PublishAsync("a", "second", QoS.AtMostOnce);
        await run.WaitForOutputAsync("second\n");
        run.Stop();

        Assert.Equal(ExitCode.Interrupted, await run.ExitCodeAsync());
    }

    [Fact]
    public async Task Bytes_are_printed_untouched_and_escaped_on_a_terminal()
    {
        await using var broker = new MqttTestBroker();
        using var redirected = new ToolRun($"sub -p {broker.Port} -t a -C 1");
        using var seen = new ToolRun($"sub -p {broker.Port} -t + -C 1", terminal: true);
        await broker.WaitForSubscriptionAsync("a");
        await broker.WaitForSubscriptionAsync("+");

        await broker.PublishAsync(new OutgoingMessage("a", new byte[] { 0x1B, 0xFF, 0x00, 0x41 }) { QoS = QoS.AtMostOnce });

        await Task.WhenAll(redirected.ExitCodeAsync(), seen.ExitCodeAsync());
        Assert.Equal("\u001b\u00ff\0A\n", redirected.Output);
        Assert.Equal("\\x1b\\xff\\x00A\n", seen.Output);
    }

    [Fact]
    public async Task A_format_prints_the_properties()
    {
        await using var broker = new MqttTestBroker();
        using var run = new ToolRun(["sub", "-p", $"{broker.Port}", "-F", "%t|%p|%C|%P|%R|%D|%E|%F|%S|%q", "-t", "a", "-C", "1", "-q", "1", "-D", "subscribe", "subscription-identifier", "7"]);
        await broker.WaitForSubscriptionAsync("a");

        await broker.PublishAsync(new OutgoingMessage("a", "x")
        {
            ContentType = "text/plain",
            UserProperties = [new("k", "v"), new("k", "w")],
            ResponseTopic = "r",
            CorrelationData = "id"u8.ToArray(),
            TimeToLive = TimeSpan.FromSeconds(1000),
            PayloadFormat = PayloadFormat.Utf8,
        });

        Assert.Equal(0, await run.ExitCodeAsync());
        Assert.Matches(@"^a\|x\|text/plain\|k:v k:w\|r\|id\|(1000|999)\|1\|7\|1\n$", run.Output);
    }

    [Fact]
    public async Task A_message_that_two_filters_match_is_printed_once()
    {
        await using var broker = new MqttTestBroker();
        using var run = new ToolRun($"sub -p {broker.Port} -t a/+ -t a/b -t a/+ -t c -v -q 1 -C 3");
        await broker.WaitForSubscriptionAsync("c");

        await broker.PublishAsync("a/b", "1");
        await run.WaitForOutputAsync("a/b 1\n");
        await broker.PublishAsync("c", "2");
        await run.WaitForOutputAsync("c 2\n");
        await broker.PublishAsync("a/x", "3");

        Assert.Equal(0, await run.ExitCodeAsync());
        Assert.Equal("a/b 1\nc 2\na/x 3\n", run.Output);
    }

    [Fact]
    public async Task What_was_not_printed_stays_with_the_broker()
    {
        await using var broker = new MqttTestBroker();
        Assert.Equal(0, (await ToolRun.ToEndAsync($"sub -p {broker.Port} -t a -q 1 -c -i me -E")).ExitCode);
        Assert.Equal(["me"], broker.Sessions);
        await broker.PublishAsync("a", "first");
        await broker.PublishAsync("a", "second");
        await broker.PublishAsync("a", "third");

        var first = await ToolRun.ToEndAsync($"sub -p {broker.Port} -t a -q 1 -c -i me -C 1");
        var rest = await ToolRun.ToEndAsync($"sub -p {broker.Port} -t a -q 1 -c -i me -C 2");

        Assert.Equal("first\n", first.Output);
        Assert.Equal("second\nthird\n", rest.Output);
    }

    [Fact]
    public async Task Without_a_persistent_session_nothing_is_left_behind()
    {
        await using var broker = new MqttTestBroker();

        Assert.Equal(0, (await ToolRun.ToEndAsync($"sub -p {broker.Port} -t a -q 1 -i me -E")).ExitCode);
        await broker.WaitForNoClientsAsync();

        Assert.Empty(broker.Sessions);
    }

    [Fact]
    public async Task Time_can_run_out()
    {
        var clock = new ManualTimeProvider();
        await using var broker = new MqttTestBroker();
        using var run = new ToolRun($"sub -p {broker.Port} -t a -W 20", clock: clock);
        await broker.WaitForSubscriptionAsync("a");
        await broker.PublishAsync("a", "x");
        await run.WaitForOutputAsync("x\n");

        clock.Advance(TimeSpan.FromSeconds(20));

        Assert.Equal(ExitCode.TimedOut, await run.ExitCodeAsync());
        Assert.Equal("Error: Timed out\n", run.Error.ReplaceLineEndings("\n"));
    }

    [Fact]
    public async Task A_count_that_was_reached_wins_over_the_time()
    {
        await using var broker = new MqttTestBroker();
        await broker.PublishAsync("a", "x", retain: true);

        Assert.Equal((0, "x\n", ""), await ToolRun.ToEndAsync($"sub -p {broker.Port} -t a -C 1 -W 60"));
    }

    [Theory]
    [InlineData("311")]
    [InlineData("5")]
    public async Task When_every_subscription_is_refused_it_ends(string version)
    {
        await using var broker = new MqttTestBroker(new MqttTestBrokerOptions { MaySubscribe = (_, _) => false });

        var (exitCode, _, error) = await ToolRun.ToEndAsync($"sub -p {broker.Port} -t a -t b -V {version}");

        Assert.Equal(ExitCode.Refused, exitCode);
        Assert.Contains("The subscription to a was refused", error, StringComparison.Ordinal);
        Assert.Contains("Error: All subscription requests were denied.", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task When_one_subscription_is_refused_the_others_go_on()
    {
        await using var broker = new MqttTestBroker(new MqttTestBrokerOptions { MaySubscribe = (_, filter) => filter != "#" });
        using var run = new ToolRun($"sub -p {broker.Port} -t # -t a -C 1");
        await broker.WaitForSubscriptionAsync("a");

        await broker.PublishAsync("a", "x");

        Assert.Equal(0, await run.ExitCodeAsync());
        Assert.Equal("x\n", run.Output);
        Assert.Contains("Warning: The subscription to # was refused", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_retained_messages_until_the_first_that_is_not()
    {
        await using var broker = new MqttTestBroker();
        await broker.PublishAsync("a/1", "old", retain: true);
        using var run = new ToolRun($"sub -p {broker.Port} -t a/# --retained-only -v");
        await run.WaitForOutputAsync("a/1 old\n");

        await broker.PublishAsync("a/2", "new");

        Assert.Equal(0, await run.ExitCodeAsync());
        Assert.Equal("a/1 old\n", run.Output);
    }

    [Theory]
    [InlineData("311")]
    [InlineData("5")]
    public async Task Retained_messages_can_be_left_out(string version)
    {
        await using var broker = new MqttTestBroker();
        await broker.PublishAsync("a", "old", retain: true);
        using var run = new ToolRun($"sub -p {broker.Port} -t a -R -C 1 -V {version}");
        await broker.WaitForSubscriptionAsync("a");

        await broker.PublishAsync("a", "new");

        Assert.Equal(0, await run.ExitCodeAsync());
        Assert.Equal("new\n", run.Output);
    }

    [Fact]
    public async Task Topics_can_be_left_out_and_do_not_count()
    {
        await using var broker = new MqttTestBroker();
        using var run = new ToolRun($"sub -p {broker.Port} -t a/# -T a/secret/+ -C 2");
        await broker.WaitForSubscriptionAsync("a/#");

        await broker.PublishAsync("a/1", "one");
        await broker.PublishAsync("a/secret/2", "two");
        await broker.PublishAsync("a/3", "three");

        Assert.Equal(0, await run.ExitCodeAsync());
        Assert.Equal("one\nthree\n", run.Output);
    }

    [Fact]
    public async Task Retained_messages_are_cleared_but_for_those_left_out()
    {
        await using var broker = new MqttTestBroker();
        foreach (var topic in new[] { "a/1", "a/keep", "a/2" })
        {
            await broker.PublishAsync(topic, "old", retain: true);
        }

        var (exitCode, output, _) = await ToolRun.ToEndAsync($"sub -p {broker.Port} -t a/# -T a/keep --remove-retained -v -C 2");

        Assert.Equal((0, "a/1 old\na/2 old\n"), (exitCode, output));
        Assert.Equal(["a/keep"], broker.Retained.Select(message => message.Topic));
    }

    [Fact]
    public async Task Unsubscribing_ends_a_subscription_of_an_earlier_run()
    {
        await using var broker = new MqttTestBroker();
        await ToolRun.ToEndAsync($"sub -p {broker.Port} -t old -q 1 -c -i me -E");

        Assert.Equal(0, (await ToolRun.ToEndAsync($"sub -p {broker.Port} -t new -U old -q 1 -c -i me -E")).ExitCode);

        Assert.Equal(["new"], broker.Subscriptions);
    }

    [Fact]
    public async Task Interrupting_unsubscribes_and_disconnects()
    {
        await using var broker = new MqttTestBroker();
        using var run = new ToolRun($"sub -p {broker.Port} -t a -t b -i me -x 1000 --will-topic w --will-payload gone");
        await broker.WaitForSubscriptionAsync("b");

        run.Stop();

        Assert.Equal(ExitCode.Interrupted, await run.ExitCodeAsync());
        await broker.WaitForNoClientsAsync();
        Assert.Empty(broker.Subscriptions);
        Assert.Empty(broker.Published);
        Assert.Empty(run.Error);
    }

    [Fact]
    public async Task Interrupting_leaves_a_persistent_session_its_subscriptions()
    {
        await using var broker = new MqttTestBroker();
        using var run = new ToolRun($"sub -p {broker.Port} -t a -i me -c");
        await broker.WaitForSubscriptionAsync("a");

        run.Stop();

        Assert.Equal(ExitCode.Interrupted, await run.ExitCodeAsync());
        await broker.WaitForNoClientsAsync();
        Assert.Equal(["a"], broker.Subscriptions);
    }

    [Fact]
    public async Task A_lost_connection_is_made_again()
    {
        await using var broker = new MqttTestBroker();
        using var run = new ToolRun($"sub -p {broker.Port} -t a -q 1", clock: new FastClock());
        await broker.WaitForSubscriptionAsync("a");

        broker.DropConnections();
        await broker.WaitForNoClientsAsync();
        await broker.WaitForSubscriptionAsync("a");
        await broker.PublishAsync("a", "again");
        await run.WaitForOutputAsync("again\n");
        run.Stop();

        Assert.Equal(ExitCode.Interrupted, await run.ExitCodeAsync());
        Assert.Contains("Warning: The connection to", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Subscriptions_that_are_refused_after_a_reconnect_end_it()
    {
        var options = new MqttTestBrokerOptions();
        await using var broker = new MqttTestBroker(options);
        using var run = new ToolRun($"sub -p {broker.Port} -t a -d", clock: new FastClock());
        await run.WaitForErrorAsync("Subscription to a: QoS 0");

        options.MaySubscribe = (_, _) => false;
        broker.DropConnections();

        Assert.Equal(ExitCode.Refused, await run.ExitCodeAsync());
        Assert.Contains("Error: The broker refused all subscriptions", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Taking_the_subscription_away_leaves_it_waiting()
    {
        var clock = new ManualTimeProvider();
        await using var broker = new MqttTestBroker();
        using var run = new ToolRun($"sub -p {broker.Port} -t a -t b -U a -U b -W 20 -d", clock: clock);
        await run.WaitForErrorAsync("Unsubscribed from b");

        clock.Advance(TimeSpan.FromSeconds(20));

        Assert.Equal(ExitCode.TimedOut, await run.ExitCodeAsync());
    }

    [Fact]
    public async Task The_first_connection_must_succeed()
    {
        await using var broker = new MqttTestBroker();
        broker.RefuseNext(ReasonCode.ServerBusy);

        Assert.Equal(137, (await ToolRun.ToEndAsync($"sub -p {broker.Port} -t a")).ExitCode);
    }

    [Fact]
    public async Task A_reader_that_has_gone_ends_it_quietly()
    {
        await using var broker = new MqttTestBroker();
        using var run = new ToolRun($"sub -p {broker.Port} -t a", output: new FailingStream(hresult: 32));
        await broker.WaitForSubscriptionAsync("a");

        await broker.PublishAsync("a", "x");

        Assert.Equal((0, ""), (await run.ExitCodeAsync(), run.Error));
    }

    [Fact]
    public async Task A_message_that_could_not_be_written_is_not_acknowledged()
    {
        await using var broker = new MqttTestBroker();
        await ToolRun.ToEndAsync($"sub -p {broker.Port} -t a -q 1 -c -i me -E");
        await broker.PublishAsync("a", "precious");
        using var run = new ToolRun($"sub -p {broker.Port} -t a -q 1 -c -i me", output: new FailingStream(hresult: 28));

        Assert.Equal(ExitCode.Output, await run.ExitCodeAsync());
        Assert.Equal("precious\n", (await ToolRun.ToEndAsync($"sub -p {broker.Port} -t a -q 1 -c -i me -C 1")).Output);
    }

    [Fact]
    public async Task A_payload_that_is_no_JSON_is_said_on_standard_error()
    {
        await using var broker = new MqttTestBroker();
        await broker.PublishAsync("a", "{", retain: true);

        Assert.Equal(
            (0, "\n", "Error: Message payload is not valid JSON on topic a.\n"),
            await ToolRun.ToEndAsync($"sub -p {broker.Port} -t a -F %J -C 1") is var (code, output, error) ? (code, output, error.ReplaceLineEndings("\n")) : default);
    }

    private sealed class FailingStream(int hresult) : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer) => throw new IOException("It failed.", hresult);
    }
}
