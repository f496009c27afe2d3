using Nightjar.Interop.Tests.Mosquitto;
using Nightjar.Interop.Tests.Processes;
using Xunit;

namespace Nightjar.Interop.Tests.Tool;

/// <summary><c>--store</c> and <c>nightjar session</c>, with a broker that goes away and a tool that is killed.</summary>
public sealed class StoreTests
{
    private const int NotDeliveredInTime = 75;

    [Theory]
    [InlineData("1")]
    [InlineData("2")]
    public async Task What_was_stored_while_the_broker_was_down_is_drained_exactly(string qos)
    {
        await using var broker = await MosquittoBroker.StartAsync();
        using var directory = new TemporaryDirectory();
        await broker.StopAsync();

        var first = await PublishAsync("one\ntwo\n");
        var second = await PublishAsync("three\n");
        var drainedInVain = await RunAsync(["session", "drain", directory.Path, .. CommandLineClient.At(broker), "--timeout", "0.3"]);
        var shown = await RunAsync(["session", "show", directory.Path, "--json", "--payload"]);

        Assert.All([first, second, drainedInVain], exit => Assert.True(exit.Code == NotDeliveredInTime, exit.ToString()));
        Assert.Contains($"nightjar session drain {directory.Path}", second.Errors, StringComparison.Ordinal);
        using (var json = System.Text.Json.JsonDocument.Parse(shown.Output))
        {
            var messages = json.RootElement.GetProperty("messages").EnumerateArray().ToList();
            Assert.Equal(["one", "two", "three"], messages.Select(message => message.GetProperty("payload").GetString()));
            Assert.All(messages, message => Assert.Equal(("queued", "a"), (message.GetProperty("state").GetString(), message.GetProperty("topic").GetString())));
        }

        await broker.StartAgainAsync();
        await using var receiving = await CommandLineClient.Mosquitto.SubscribeAsync(broker, "listener", "-t", "a", "-q", qos, "-C", "4");
        var drained = await RunAsync(["session", "drain", directory.Path, .. CommandLineClient.At(broker)]);
        var end = await CommandLineClient.Mosquitto.PublishAsync(broker, ["-t", "a", "-m", "end", "-q", qos]);
        var received = await receiving.ExitAsync();
        var empty = await RunAsync(["session", "drain", directory.Path, .. CommandLineClient.At(broker)]);

        Assert.True(drained.Code == 0, drained.ToString());
        Assert.Contains("3 delivered.", drained.Errors, StringComparison.Ordinal);
        Assert.True(end.Code == 0, end.ToString());
        Assert.Equal("one\ntwo\nthree\nend\n", received.Output);
        Assert.True(empty.Code == 0, empty.ToString());
        Assert.Contains("Nothing waits", empty.Errors, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync(["session", "verify", directory.Path])).Code);

        Task<Exit> PublishAsync(string input) =>
            CommandLineClient.Nightjar.PublishAsync(broker, ["-t", "a", "-l", "-q", qos, "--store", directory.Path, "--timeout", "0.3"], input);
    }

    [Fact]
    public async Task The_next_run_delivers_what_an_earlier_one_left_and_that_first()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        using var directory = new TemporaryDirectory();
        await broker.StopAsync();

        var kept = await CommandLineClient.Nightjar.PublishAsync(broker, ["-t", "a", "-m", "early", "--store", directory.Path, "--timeout", "0.3"]);
        await broker.StartAgainAsync();
        await using var receiving = await CommandLineClient.Mosquitto.SubscribeAsync(broker, "listener", "-t", "a", "-q", "1", "-C", "2");
        var delivered = await CommandLineClient.Nightjar.PublishAsync(broker, ["-t", "a", "-m", "late", "--store", directory.Path]);
        var received = await receiving.ExitAsync();

        Assert.True(kept.Code == NotDeliveredInTime, kept.ToString());
        Assert.True(delivered.Code == 0, delivered.ToString());
        Assert.Equal("", delivered.Errors);
        Assert.Equal("early\nlate\n", received.Output);
    }

    [Theory]
    [InlineData("1")]
    [InlineData("2")]
    public async Task A_subscriber_that_is_killed_prints_the_rest_in_its_next_run(string qos)
    {
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { Persistence = true });
        using var directory = new TemporaryDirectory();
        var flags = new[] { "-t", "a", "-q", qos, "--store", directory.Path };

        string printed;
        await using (var killed = await CommandLineClient.Nightjar.SubscribeAsync(broker, "listener", flags))
        {
            await PublishAsync("one\ntwo\n");
            await killed.OutputLineAsync("two");
            await killed.KillAsync();
            printed = killed.Output;
        }

        await PublishAsync("three\nfour\n");
        await using var next = CommandLineClient.Nightjar.StartSubscriber([.. CommandLineClient.At(broker), "-i", "listener", .. flags]);
        await next.OutputLineAsync("four");
        var ended = await next.StopAsync("INT");

        // What was printed when the process died may not have been noted down: it comes again, and nothing else does.
        Assert.Equal("one\ntwo\n", printed);
        Assert.Contains(ended.Output, (string[])["three\nfour\n", "two\nthree\nfour\n", "one\ntwo\nthree\nfour\n"]);

        async Task PublishAsync(string lines)
        {
            var exit = await CommandLineClient.Mosquitto.PublishAsync(broker, ["-t", "a", "-l", "-q", qos], lines);
            Assert.True(exit.Code == 0, exit.ToString());
        }
    }

    [Fact]
    public async Task What_the_reader_of_a_pipe_did_not_want_the_next_run_prints()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "It needs a shell.");
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { Persistence = true });
        using var directory = new TemporaryDirectory();
        string[] subscribe = [CommandLineClient.NightjarFile, "sub", .. CommandLineClient.At(broker), "-i", "listener", "-t", "a", "-q", "1", "--store", directory.Path];

        await using var piped = ChildProcess.Start("sh", ["-c", "\"$@\" | head -1", "sh", .. subscribe]);
        await broker.SubscribedAsync("listener");
        await CommandLineClient.Mosquitto.PublishAsync(broker, ["-t", "a", "-m", "one", "-q", "1"]);
        await piped.OutputLineAsync("one");
        await CommandLineClient.Mosquitto.PublishAsync(broker, ["-t", "a", "-l", "-q", "1"], "two\nthree\n");
        var first = await piped.ExitAsync();
        var second = await ChildProcess.RunAsync(subscribe[0], [.. subscribe[1..], "-C", "2"]);

        Assert.Equal("one\n", first.Output);
        Assert.True(second.Code == 0, second.ToString());
        Assert.Equal("two\nthree\n", second.Output);
    }

    [Theory]
    [InlineData("session", "drain")]
    [InlineData("pub", "-t", "out", "-m", "second", "--store")]
    public async Task Whoever_delivers_takes_nothing_that_the_session_receives(params string[] delivering)
    {
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { Persistence = true });
        using var directory = new TemporaryDirectory();
        string[] session = [.. CommandLineClient.At(broker), "-i", "both", "--store", directory.Path];
        string[] subscribe = ["sub", .. session, "-t", "in"];
        Assert.Equal(0, (await RunAsync([.. subscribe, "-E"])).Code);
        await CommandLineClient.Mosquitto.PublishAsync(broker, ["-t", "in", "-m", "for the subscriber", "-q", "1"]);
        await broker.StopAsync();
        Assert.Equal(NotDeliveredInTime, (await RunAsync(["pub", .. session, "-t", "out", "-m", "first", "--timeout", "0.3"])).Code);
        await broker.StartAgainAsync();

        var delivered = await RunAsync([.. delivering, directory.Path, .. CommandLineClient.At(broker), "-i", "both"]);
        var received = await RunAsync([.. subscribe, "-C", "1"]);

        Assert.True(delivered.Code == 0, delivered.ToString());
        Assert.True(received.Code == 0, received.ToString());
        Assert.Equal("for the subscriber\n", received.Output);
    }

    [Fact]
    public async Task Without_an_identifier_the_store_remembers_the_one_that_was_generated()
    {
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { Persistence = true });
        using var directory = new TemporaryDirectory();
        string[] flags = ["sub", .. CommandLineClient.At(broker), "-t", "a", "-q", "1", "--store", directory.Path];

        Assert.Equal(0, (await RunAsync([.. flags, "-E"])).Code);
        await CommandLineClient.Mosquitto.PublishAsync(broker, ["-t", "a", "-m", "meanwhile", "-q", "1"]);
        var next = await RunAsync([.. flags, "-C", "1"]);

        Assert.Equal((0, "meanwhile\n"), (next.Code, next.Output));
    }

    private static Task<Exit> RunAsync(string[] arguments) => ChildProcess.RunAsync(CommandLineClient.NightjarFile, arguments);
}
