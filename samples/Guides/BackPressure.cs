using Nightjar;

namespace Guides;

/// <summary>The samples of docs/back-pressure.md.</summary>
internal static class BackPressure
{
    public static async Task PublishAllAsync(MqttClient client, IEnumerable<(string Sensor, string Value)> readings)
    {
        await Parallel.ForEachAsync(readings, new ParallelOptions { MaxDegreeOfParallelism = 100 }, async (reading, cancellation) =>
        {
            await client.PublishAsync($"plant/{reading.Sensor}", reading.Value, cancellationToken: cancellation);
        });
    }

    public static void LimitRate(MqttClientOptions options)
    {
        options.Outbox.Pace = new PaceOptions { MessagesPerSecond = 100, Burst = 20, SlowDown = TimeSpan.FromSeconds(1) };
    }

    public static Subscription SlowDownOnRequest(MqttClient client)
    {
        var subscription = client.On("fleet/slow-down", _ => client.Throttle(TimeSpan.FromSeconds(1)));
        return subscription;
    }

    public static Subscription NewestOnly(MqttClient client, Func<MqttMessage, ValueTask> show)
    {
        var subscription = client.On("camera/+/frame", show, new SubscribeOptions { QoS = QoS.AtMostOnce, QueueLimit = 1 });
        return subscription;
    }

    public static void AllowLarge(MqttClientOptions options)
    {
        options.Receive.MaximumStreamedPacketSize = 256 * 1024 * 1024;
    }

    public static Subscription SaveLarge(MqttClient client, string path)
    {
        var subscription = client.OnStream("firmware/+", async (message, cancellation) =>
        {
            await using var file = File.Create(path);
            await message.Payload.CopyToAsync(file, cancellation);
        });
        return subscription;
    }

    public static void SkipLarge(MqttClientOptions options)
    {
        options.Receive.OversizedPackets = OversizedPackets.Skip;
    }

    public static void PassOverStuckHandlers(MqttClientOptions options)
    {
        options.Receive.HandlerWarning = TimeSpan.FromSeconds(10);
        options.Receive.HandlerTimeout = TimeSpan.FromMinutes(5);
    }

    public static IEnumerable<string> Explain(MqttClient client)
    {
        var status = client.Status;
        if (status.IsReceivingPaused)
        {
            yield return $"nothing is read from the network, for the {status.ReceivePauses}. time";
        }

        foreach (var held in status.Held)
        {
            yield return $"the handler of {held.Filter} has held {held.Topic} for {held.For}";
        }

        if (status.Dropped > 0)
        {
            yield return $"{status.Dropped} messages of QoS 0 were dropped";
        }
    }
}
