using Nightjar.Interop.Tests.Mosquitto;
using Xunit;

namespace Nightjar.Interop.Tests.Tool;

public sealed class WillTests
{
    private static readonly string[] Will = ["-t", "unused", "--will-topic", "will", "--will-payload", "gone", "--will-qos", "1"];

    [Theory]
    [InlineData("31")]
    [InlineData("311")]
    [InlineData("5")]
    public async Task A_will_is_published_when_the_tool_is_killed(string version)
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var watching = await CommandLineClient.Mosquitto
            .SubscribeAsync(broker, "watcher", "-t", "will", "-q", "1", "-F", "%t %p %q", "-C", "1");
        await using var dying = await CommandLineClient.Nightjar.SubscribeAsync(broker, "mortal", [.. Will, "-V", version]);

        await dying.KillAsync();
        var seen = await watching.ExitAsync();

        Assert.Equal("will gone 1\n", seen.Output);
    }

    [Theory]
    [InlineData("31")]
    [InlineData("311")]
    [InlineData("5")]
    public async Task A_will_is_not_published_after_ctrl_c(string version)
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var watching = await CommandLineClient.Mosquitto.SubscribeAsync(broker, "watcher", "-t", "will", "-t", "end", "-v", "-C", "1");
        await using var leaving = await CommandLineClient.Nightjar.SubscribeAsync(broker, "polite", [.. Will, "-V", version]);
        await CommandLineClient.Mosquitto.PublishAsync(broker, ["-t", "unused", "-m", "it is settled"]);
        await leaving.OutputLineAsync("it is settled");

        await leaving.StopAsync("INT");
        await CommandLineClient.Mosquitto.PublishAsync(broker, ["-t", "end", "-m", "of watch"]);
        var seen = await watching.ExitAsync();

        // Mosquitto publishes a will before it serves the next client, so the will would have come first.
        Assert.Equal("end of watch\n", seen.Output);
        Assert.Contains("Received UNSUBSCRIBE from polite", broker.Log, StringComparison.Ordinal);
        Assert.Contains("Received DISCONNECT from polite", broker.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_retained_will_stays()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var dying = await CommandLineClient.Nightjar.SubscribeAsync(broker, "mortal", [.. Will, "--will-retain"]);

        await dying.KillAsync();
        await using var late = await CommandLineClient.Nightjar.SubscribeAsync(broker, "late", "-t", "will", "-F", "%r %p", "-C", "1");
        var seen = await late.ExitAsync();

        Assert.EndsWith(" gone\n", seen.Output, StringComparison.Ordinal);
    }
}
