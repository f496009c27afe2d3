using Nightjar;
using Nightjar.Testing;

namespace Guides;

/// <summary>A broker inside the test, and clients of it, without a port.</summary>
internal static class InMemory
{
    public static MqttTestBroker Broker() => new(new MqttTestBrokerOptions { Listen = false });

    public static MqttClientOptions OptionsFor(MqttTestBroker broker) => new()
    {
        Servers = { MqttServer.FromStream("test", _ => ValueTask.FromResult(broker.ConnectInMemory())) },
        Reconnect = { MinimumDelay = TimeSpan.FromMilliseconds(1) },
    };

    public static MqttClient ClientOf(MqttTestBroker broker) => new(OptionsFor(broker));
}
