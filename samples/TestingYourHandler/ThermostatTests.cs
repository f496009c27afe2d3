using Nightjar;
using Nightjar.Testing;
using Xunit;

namespace TestingYourHandler;

public sealed class ThermostatTests
{
    [Theory]
    [InlineData("17.5", "on")]
    [InlineData("21", "off")]
    public async Task A_cold_room_is_heated(string temperature, string heating)
    {
        await using var broker = new MqttTestBroker(new MqttTestBrokerOptions { Listen = false });
        await using var client = new MqttClient(InMemory(broker));
        await new Thermostat(client, wanted: 20).Start().Granted;

        await broker.PublishAsync("home/kitchen/temperature", temperature);

        var answer = await broker.WaitForPublishedAsync(message => message.Topic == "home/kitchen/heating");
        Assert.Equal(heating, answer.Text);
        Assert.True(answer.Retain);
    }

    [Fact]
    public async Task It_goes_on_after_the_connection_was_lost()
    {
        await using var broker = new MqttTestBroker(new MqttTestBrokerOptions { Listen = false });
        var options = InMemory(broker);
        options.Reconnect.MinimumDelay = TimeSpan.FromMilliseconds(1);
        await using var client = new MqttClient(options);
        await new Thermostat(client, wanted: 20).Start().Granted;

        broker.DropConnections();
        await broker.PublishAsync("home/kitchen/temperature", "17.5");

        var answer = await broker.WaitForPublishedAsync(message => message.Topic == "home/kitchen/heating");
        Assert.Equal("on", answer.Text);
    }

    [Fact]
    public async Task The_handler_can_also_be_called_by_itself()
    {
        await using var broker = new MqttTestBroker(new MqttTestBrokerOptions { Listen = false });
        await using var client = new MqttClient(InMemory(broker));

        await new Thermostat(client, wanted: 20).HandleAsync(MqttMessage.Create("home/attic/temperature", "12"));

        Assert.Equal("home/attic/heating", broker.Published[0].Topic);
        Assert.Equal("on", broker.Published[0].Text);
    }

    // No port is opened: the client is handed a stream that ends in the broker.
    private static MqttClientOptions InMemory(MqttTestBroker broker) => new()
    {
        Servers = { MqttServer.FromStream("test", _ => ValueTask.FromResult(broker.ConnectInMemory())) },
    };
}
