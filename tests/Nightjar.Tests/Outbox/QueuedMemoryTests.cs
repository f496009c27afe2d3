using Xunit;

namespace Nightjar.Tests.Outbox;

/// <summary>What a queued message takes. The whole process is measured, so nothing may run beside it.</summary>
[Collection("Alone")]
public sealed class QueuedMemoryTests
{
    [Fact]
    public async Task A_queued_message_of_64_bytes_with_a_receipt_that_nobody_keeps_takes_200_bytes_at_the_most()
    {
        const int Count = 100_000;
        await using var gated = new GatedBroker();
        await using var client = new MqttClient(gated.Options());
        var payload = new byte[64];
        await FillAsync(client, payload, 1000);

        var before = GC.GetTotalMemory(forceFullCollection: true);
        await FillAsync(client, payload, Count);
        var after = GC.GetTotalMemory(forceFullCollection: true);

        Assert.Equal(Count + 1000, client.Status.Queued);
        Assert.True((after - before) / (double)Count <= 200, $"{(after - before) / (double)Count} B per message");
    }

    private static async Task FillAsync(MqttClient client, byte[] payload, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await client.EnqueueAsync("sensors/room1", payload);
        }
    }
}
