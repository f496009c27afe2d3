using Nightjar.Interop.Tests.Mosquitto;
using Xunit;

namespace Nightjar.Interop.Tests.Tool;

public sealed class RetainedTests
{
    [Theory]
    [InlineData("nightjar", "mosquitto", "mqttv31")]
    [InlineData("nightjar", "mosquitto", "mqttv311")]
    [InlineData("nightjar", "mosquitto", "mqttv5")]
    [InlineData("mosquitto", "nightjar", "mqttv31")]
    [InlineData("mosquitto", "nightjar", "mqttv311")]
    [InlineData("mosquitto", "nightjar", "mqttv5")]
    public async Task A_retained_message_is_there_for_who_comes_later(string publisher, string subscriber, string version)
    {
        await using var broker = await MosquittoBroker.StartAsync();

        var sent = await CommandLineClient.Named(publisher).PublishAsync(broker, ["-t", "lamp", "-m", "on", "-r", "-q", "1", "-V", version]);
        await using var receiving = await CommandLineClient.Named(subscriber)
            .SubscribeAsync(broker, "late", "-t", "lamp", "-F", "%r %t %p", "-C", "1", "-V", version);
        var received = await receiving.ExitAsync();

        Assert.True(sent.Code == 0, sent.ToString());
        Assert.True(received.Code == 0, received.ToString());
        Assert.Equal("1 lamp on\n", received.Output);
    }

    [Fact]
    public async Task An_empty_retained_message_removes_the_one_before()
    {
        await using var broker = await MosquittoBroker.StartAsync();

        await CommandLineClient.Nightjar.PublishAsync(broker, ["-t", "lamp", "-m", "on", "-r", "-q", "1"]);
        await CommandLineClient.Nightjar.PublishAsync(broker, ["-t", "lamp", "-n", "-r", "-q", "1"]);
        await using var receiving = await CommandLineClient.Nightjar.SubscribeAsync(broker, "late", "-t", "lamp", "-F", "%r %p", "-C", "1");
        await CommandLineClient.Nightjar.PublishAsync(broker, ["-t", "lamp", "-m", "off", "-q", "1"]);
        var received = await receiving.ExitAsync();

        Assert.Equal("0 off\n", received.Output);
    }

    [Fact]
    public async Task Retained_messages_can_be_left_out_or_be_all_that_is_wanted()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await CommandLineClient.Mosquitto.PublishAsync(broker, ["-t", "lamp", "-m", "old", "-r", "-q", "1"]);

        await using var withoutRetained = await CommandLineClient.Nightjar.SubscribeAsync(broker, "without", "-t", "lamp", "-R", "-C", "1");
        await using var onlyRetained = await CommandLineClient.Nightjar.SubscribeAsync(broker, "only", "-t", "lamp", "--retained-only", "-C", "1");
        await CommandLineClient.Mosquitto.PublishAsync(broker, ["-t", "lamp", "-m", "new", "-q", "1"]);

        Assert.Equal("new\n", (await withoutRetained.ExitAsync()).Output);
        Assert.Equal("old\n", (await onlyRetained.ExitAsync()).Output);
    }
}
