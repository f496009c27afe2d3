using Nightjar.Interop.Tests.Mosquitto;
using Xunit;

namespace Nightjar.Interop.Tests.Library;

public sealed class SessionTests
{
    [Theory]
    [InlineData(MqttVersion.Mqtt31)]
    [InlineData(MqttVersion.Mqtt311)]
    [InlineData(MqttVersion.Mqtt5)]
    public async Task What_came_while_a_client_was_away_waits_for_it(MqttVersion version)
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using (var before = new MqttClient(Named("sleeper")))
        {
            await before.Subscribe("mail").Granted;
        }

        await CommandLineClient.Mosquitto.PublishAsync(broker, ["-t", "mail", "-m", "a letter", "-q", "1"]);
        await using var after = new MqttClient(Named("sleeper"));
        var received = await after.Subscribe("mail").FirstAsync();

        Assert.Equal("a letter", received.Text);

        MqttClientOptions Named(string clientId) =>
            new(broker.Uri) { Version = version, ClientId = clientId, Session = new SessionOptions { CleanStart = false } };
    }

    [Fact]
    public async Task A_will_is_published_after_abort()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var watcher = await CommandLineClient.Mosquitto.SubscribeAsync(broker, "watcher", "-t", "will", "-v", "-C", "1");
        await using var client = new MqttClient(WithWill(broker));
        await client.ConnectAsync();

        client.Abort();

        Assert.Equal("will gone\n", (await watcher.ExitAsync()).Output);
    }

    [Fact]
    public async Task A_will_is_not_published_after_dispose()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var watcher = await CommandLineClient.Mosquitto.SubscribeAsync(broker, "watcher", "-t", "will", "-t", "end", "-v", "-C", "1");
        var client = new MqttClient(WithWill(broker));
        await client.ConnectAsync();

        await client.DisposeAsync();
        await CommandLineClient.Mosquitto.PublishAsync(broker, ["-t", "end", "-m", "of watch"]);

        Assert.Equal("end of watch\n", (await watcher.ExitAsync()).Output);
    }

    [Fact]
    public async Task A_will_is_published_on_request()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var watcher = await CommandLineClient.Mosquitto.SubscribeAsync(broker, "watcher", "-t", "will", "-v", "-C", "1");
        await using var client = new MqttClient(WithWill(broker));
        await client.ConnectAsync();

        await client.DisconnectAsync(new DisconnectOptions { ReasonCode = ReasonCode.DisconnectWithWillMessage });

        Assert.Equal("will gone\n", (await watcher.ExitAsync()).Output);
    }

    private static MqttClientOptions WithWill(MosquittoBroker broker) =>
        new(broker.Uri) { Will = new WillMessage { Topic = "will", Payload = "gone"u8.ToArray() } };
}
