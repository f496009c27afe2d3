using Xunit;

namespace Nightjar.Tests.Outbox;

/// <summary>What a queued message takes: at most 200 bytes is the promise. The whole process is measured, so nothing may run beside it.</summary>
[Collection("Alone")]
public sealed class QueuedMemoryTests
{
    // So many that what pools keep of the writing, a few hundred kilobytes, is next to nothing for each.
    private const int Count = 400_000;

    [Fact]
    public async Task A_queued_message_of_64_bytes_with_a_receipt_that_nobody_keeps_takes_185_bytes_at_the_most()
    {
        await using var gated = new GatedBroker();

        var taken = await MeasureAsync(gated.Options());

        Assert.True(taken <= 185, $"{taken} B per message");
    }

    [Fact]
    public async Task With_a_store_it_takes_200_bytes_at_the_most()
    {
        var directory = Directory.CreateTempSubdirectory("nightjar-");
        try
        {
            await using var gated = new GatedBroker();
            var options = gated.Options();
            options.ClientId = "memory";
            options.Session.Store = new FileSessionStore(Path.Combine(directory.FullName, "session"));

            var taken = await MeasureAsync(options);

            Assert.True(taken <= 200, $"{taken} B per message");
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static async Task<double> MeasureAsync(MqttClientOptions options)
    {
        await using var client = new MqttClient(options);
        var payload = new byte[64];
        await FillAsync(client, payload, 1000);

        var before = GC.GetTotalMemory(forceFullCollection: true);
        await FillAsync(client, payload, Count);
        var after = GC.GetTotalMemory(forceFullCollection: true);

        Assert.Equal(Count + 1000, client.Status.Queued);
        return (after - before) / (double)Count;
    }

    /// <summary>Until all of them are as safe as they get: what waits for the disk takes more.</summary>
    private static async Task FillAsync(MqttClient client, byte[] payload, int count)
    {
        DeliveryReceipt? last = null;
        for (var i = 0; i < count; i++)
        {
            last = await client.EnqueueAsync("sensors/room1", payload);
        }

        await last!.Stored.Soon();
    }
}
