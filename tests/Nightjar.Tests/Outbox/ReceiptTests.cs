using Nightjar.Protocol.Packets;
using Xunit;

namespace Nightjar.Tests.Outbox;

/// <summary>What a receipt says, to whom, and how it ends.</summary>
public sealed class ReceiptTests
{
    [Fact]
    public async Task A_receipt_follows_its_message_from_the_queue_to_the_answer()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);

        var receipt = await client.EnqueueAsync("t", "x").Soon();
        Assert.True(receipt.Stored.IsCompletedSuccessfully);
        await receipt.Sent.Soon();
        var publish = await peer.ExpectAsync<MqttMessage>().Soon();
        Assert.Equal((DeliveryState.Sent, publish.PacketId), (receipt.State, receipt.PacketId));
        var observers = Enumerable.Range(0, 3).Select(_ => receipt.Acknowledged).ToList();
        Assert.All(observers, task => Assert.False(task.IsCompleted));
        await peer.SendAsync(new AckPacket(PacketType.PubAck, publish.PacketId, ReasonCode.NoMatchingSubscribers));

        foreach (var observer in observers)
        {
            Assert.Equal(new PublishResult(ReasonCode.NoMatchingSubscribers, publish.PacketId, PublishFlags.None), await observer.Soon());
        }

        Assert.Equal((DeliveryState.Delivered, publish.PacketId), (receipt.State, receipt.PacketId));
        Assert.False(receipt.Withdraw());
    }

    [Fact]
    public async Task A_refusal_of_the_server_ends_the_receipt()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        var receipt = await client.EnqueueAsync("t", "x").Soon();
        var publish = await peer.ExpectAsync<MqttMessage>().Soon();

        await peer.SendAsync(new AckPacket(PacketType.PubAck, publish.PacketId, ReasonCode.NotAuthorized));

        Assert.Equal(ReasonCode.NotAuthorized, (await Assert.ThrowsAsync<MqttRefusedException>(() => receipt.Acknowledged.Soon())).ReasonCode);
        Assert.Equal(DeliveryState.Refused, receipt.State);
    }

    [Fact]
    public async Task Whoever_stops_waiting_changes_nothing_for_the_message_and_who_withdraws_takes_it_back()
    {
        await using var gated = new GatedBroker();
        await using var client = new MqttClient(gated.Options());
        var kept = await client.EnqueueAsync("t", "kept").Soon();
        var taken = await client.EnqueueAsync("t", "taken").Soon();
        using var leaving = new CancellationTokenSource();
        var waiting = kept.Acknowledged.WaitAsync(leaving.Token);
        var followed = taken.Acknowledged;

        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.Soon());
        Assert.True(taken.Withdraw());
        Assert.False(taken.Withdraw());
        Assert.Equal(DeliveryState.Withdrawn, taken.State);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => followed.Soon());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => taken.Sent.Soon());
        gated.Open();

        await kept.Acknowledged.Soon();
        await client.DrainAsync().Soon();
        Assert.Equal(["kept"], gated.Published);
    }

    [Fact]
    public async Task The_same_identifier_is_sent_once_pending_or_delivered()
    {
        await using var gated = new GatedBroker();
        await using var client = new MqttClient(gated.Options());
        var message = new OutgoingMessage("t", "x") { Id = "order 17", QoS = QoS.ExactlyOnce };

        var first = await client.EnqueueAsync(message).Soon();
        Assert.Same(first, await client.EnqueueAsync(message).Soon());
        Assert.Same(first, client.FindReceipt("order 17"));
        Assert.True(client.TryEnqueue(message, out var third));
        Assert.Same(first, third);
        Assert.Null(client.FindReceipt("order 18"));
        var published = client.PublishAsync(message);
        gated.Open();

        var result = await published.Soon();
        Assert.Equal(await first.Acknowledged.Soon(), result);
        var after = await client.EnqueueAsync(message).Soon();
        Assert.Equal((DeliveryState.Delivered, "order 17", result), (after.State, after.Id, await after.Acknowledged.Soon()));
        Assert.True(after.Sent.IsCompletedSuccessfully && after.Stored.IsCompletedSuccessfully);
        Assert.Equal(DeliveryState.Delivered, client.FindReceipt("order 17")!.State);
        Assert.Single(gated.Published);
    }

    [Fact]
    public async Task Of_two_with_one_identifier_that_wait_for_room_only_one_is_sent()
    {
        await using var gated = new GatedBroker();
        await using var client = new MqttClient(gated.Options(outbox => outbox.MaximumMessages = 1));
        var first = client.PublishAsync("t", "first");
        var message = new OutgoingMessage("t", "x") { Id = "1" };
        var one = client.EnqueueAsync(message);
        var other = client.EnqueueAsync(message);
        gated.Open();

        await first.Soon();
        await (await one.Soon()).Acknowledged.Soon();
        await (await other.Soon()).Acknowledged.Soon();
        await client.DrainAsync().Soon();
        Assert.Equal(["first", "x"], gated.Published);
    }

    [Fact]
    public async Task A_publish_with_an_identifier_that_is_cancelled_takes_back_what_it_brought_and_nothing_else()
    {
        await using var gated = new GatedBroker();
        await using var client = new MqttClient(gated.Options());
        await client.EnqueueAsync(new OutgoingMessage("t", "others") { Id = "1" }).Soon();
        using var leaving = new CancellationTokenSource();
        var waits = client.PublishAsync(new OutgoingMessage("t", "others") { Id = "1" }, leaving.Token);
        var brings = client.PublishAsync(new OutgoingMessage("t", "own") { Id = "2" }, leaving.Token);

        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waits.Soon());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => brings.Soon());
        gated.Open();

        await client.DrainAsync().Soon();
        Assert.Equal(["others"], gated.Published);
    }

    [Fact]
    public async Task Every_receipt_ends_when_the_client_is_closed()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer), new ConnAckPacket { ReceiveMaximum = 1 });
        var sent = await client.EnqueueAsync("t", "sent").Soon();
        var queued = await client.EnqueueAsync("t", "queued").Soon();
        var tasks = new[] { sent.Acknowledged, queued.Acknowledged };
        await sent.Sent.Soon();

        client.Abort();

        foreach (var task in tasks)
        {
            await Assert.ThrowsAsync<MqttDisconnectedException>(() => task.Soon());
        }

        Assert.Equal((DeliveryState.Unknown, DeliveryState.NotSent), (sent.State, queued.State));
        await Assert.ThrowsAsync<MqttDisconnectedException>(() => queued.Sent.Soon());
        Assert.True(sent.Sent.IsCompletedSuccessfully);
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await client.EnqueueAsync("t", "late"));
    }

    [Fact]
    public async Task Receipts_survive_a_lost_connection()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));
        await client.ConnectAsync().Soon();

        var receipts = new List<DeliveryReceipt>();
        for (var i = 0; i < 300; i++)
        {
            receipts.Add(await client.EnqueueAsync("t", $"{i}", (QoS)(1 + (i % 2))).Soon());
            if (i % 100 == 50)
            {
                broker.DropConnections();
            }
        }

        await Task.WhenAll(receipts.Select(receipt => receipt.Acknowledged)).Soon();
        Assert.All(receipts, receipt => Assert.Equal(DeliveryState.Delivered, receipt.State));
        await client.DrainAsync().Soon();
    }

    [Fact]
    public async Task Draining_can_be_given_up_and_ends_with_the_client()
    {
        await using var gated = new GatedBroker();
        await using var client = new MqttClient(gated.Options());
        await client.DrainAsync().Soon();
        await client.EnqueueAsync("t", "x").Soon();
        using var leaving = new CancellationTokenSource();
        var given = client.DrainAsync(leaving.Token);
        var waiting = client.DrainAsync();

        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given.Soon());
        client.Abort();

        await Assert.ThrowsAsync<MqttDisconnectedException>(() => waiting.Soon());
    }
}
