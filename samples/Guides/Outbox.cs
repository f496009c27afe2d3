using Nightjar;

namespace Guides;

/// <summary>The samples of docs/outbox.md.</summary>
internal static class Outbox
{
    public static async Task<PublishResult> FollowAsync(MqttClient client)
    {
        var receipt = await client.EnqueueAsync("plant/7/alarm", "too hot");
        await receipt.Sent;
        var result = await receipt.Acknowledged;
        return result;
    }

    public static async Task SendAllAsync(MqttClient client, IEnumerable<string> readings)
    {
        foreach (var reading in readings)
        {
            await client.EnqueueAsync("plant/7/reading", reading);
        }

        await client.DrainAsync();
    }

    public static async Task<DeliveryReceipt> OrderOnceAsync(MqttClient client, string order)
    {
        var receipt = await client.EnqueueAsync(new OutgoingMessage("orders", order) { Id = "order 4711", QoS = QoS.ExactlyOnce });
        return receipt;
    }

    public static void KeepLatest(MqttClientOptions options)
    {
        options.Outbox.Overflow = OutboxOverflow.LatestPerTopic;
        options.Outbox.MaximumMessages = 1000;
    }

    public static async Task TellPositionAsync(MqttClient client, string position)
    {
        await client.PublishAsync(new OutgoingMessage("fleet/7/position", position) { TimeToLive = TimeSpan.FromSeconds(60) });
    }

    public static async Task SendFileAsync(MqttClient client, string path)
    {
        await using var file = File.OpenRead(path);
        await client.PublishAsync("firmware/7", file, checked((int)file.Length));
    }

    public static Subscription Bridge(MqttClient source, MqttClient target)
    {
        var bridge = source.On("plant/#", message => target.EnqueueAsync(OutgoingMessage.From(message, $"site-7/{message.Topic}")));
        return bridge;
    }
}
