using System.Globalization;
using Nightjar;

namespace TestingYourHandler;

/// <summary>An application: it heats a room when it is cold there. It knows the client and nothing of tests.</summary>
public sealed class Thermostat(MqttClient client, double wanted)
{
    public Subscription Start() => client.On("home/+/temperature", HandleAsync);

    public async ValueTask HandleAsync(MqttMessage message)
    {
        var room = message.Topic.Split('/')[1];
        var temperature = double.Parse(message.Text, CultureInfo.InvariantCulture);
        await client.PublishAsync($"home/{room}/heating", temperature < wanted ? "on" : "off", retain: true);
    }
}
