using Nightjar.Tests.Sessions;
using Xunit;

namespace Nightjar.Tests.Outbox;

/// <summary>Receipts of a client with a store: they outlive it.</summary>
public sealed class StoredReceiptTests
{
    [Fact]
    public async Task A_message_lives_on_in_the_store_and_its_receipt_is_found_by_its_identifier()
    {
        await using var gated = new GatedBroker();
        var store = new MemorySessionStore();
        DeliveryReceipt first;
        await using (var client = new MqttClient(Options(gated, store)))
        {
            first = await client.EnqueueAsync(new OutgoingMessage("t", "x") { Id = "order 17" }).Soon();
            Assert.True(first.Stored.IsCompletedSuccessfully);
            client.Abort();
        }

        Assert.Equal(DeliveryState.Kept, first.State);
        Assert.True((await Assert.ThrowsAsync<MqttKeptException>(() => first.Acknowledged.Soon())).IsTransient);

        await using (var client = new MqttClient(Options(gated, store)))
        {
            await client.OpenAsync().Soon();
            var found = client.FindReceipt("order 17")!;
            Assert.Equal(DeliveryState.Queued, found.State);
            Assert.Same(found, await client.EnqueueAsync(new OutgoingMessage("t", "x") { Id = "order 17" }).Soon());
            gated.Open();

            await client.ConnectAsync().Soon();
            await found.Acknowledged.Soon();
        }

        await using (var client = new MqttClient(Options(gated, store)))
        {
            var again = await client.EnqueueAsync(new OutgoingMessage("t", "x") { Id = "order 17" }).Soon();
            Assert.Equal(DeliveryState.Delivered, again.State);
        }

        Assert.Equal(["x"], gated.Published);
    }

    [Fact]
    public async Task What_is_not_to_wait_is_not_taken_before_the_store_is_open()
    {
        await using var gated = new GatedBroker();
        await using var client = new MqttClient(Options(gated, new MemorySessionStore()));

        Assert.False(client.TryEnqueue(new OutgoingMessage("t", "x"), out _));
        await client.OpenAsync().Soon();

        Assert.True(client.TryEnqueue(new OutgoingMessage("t", "x"), out var receipt));
        await receipt.Stored.Soon();
        Assert.True(receipt.Withdraw());
        await client.DrainAsync().Soon();
    }

    [Fact]
    public async Task Messages_go_on_while_the_store_can_be_written_and_not_be_tidied_up()
    {
        var store = new TestStore();
        await using var gated = new GatedBroker();
        gated.Open();
        await using var client = new MqttClient(Options(gated, store));
        await client.ConnectAsync().Soon();

        store.FailToDelete();
        Assert.NotNull(client.Status.Storage!.Error);
        await (await client.EnqueueAsync("t", "1").Soon()).Acknowledged.Soon();

        store.Fail();
        var waits = client.EnqueueAsync("t", "2").AsTask();
        store.FailToDelete();
        await (await waits.Soon()).Acknowledged.Soon();
        store.FailToDelete();
        store.Fail();
        store.GoOn();
        await (await client.EnqueueAsync("t", "3").Soon()).Acknowledged.Soon();

        Assert.Equal(["1", "2", "3"], gated.Published);
    }

    private static MqttClientOptions Options(GatedBroker gated, ISessionStore store)
    {
        var options = gated.Options();
        options.ClientId = "outbox";
        options.Session.Store = store;
        return options;
    }
}
