using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Outbox;

/// <summary>What the outbox takes and what it says to who publishes.</summary>
public sealed class OutboxTests
{
    [Fact]
    public async Task Who_publishes_into_a_full_outbox_waits_in_order_and_can_leave()
    {
        await using var gated = new GatedBroker();
        await using var client = new MqttClient(gated.Options(outbox => outbox.MaximumMessages = 1));
        var first = client.PublishAsync("t", "1");
        var second = client.PublishAsync("t", "2");
        var third = client.EnqueueAsync("t", "3");
        using var leaving = new CancellationTokenSource();
        var fourth = client.PublishAsync("t", "4", cancellationToken: leaving.Token);
        var fifth = client.EnqueueAsync("t", "5", cancellationToken: leaving.Token);
        Assert.Equal((1, 4), (client.Status.Queued, client.Status.WaitingForRoom));

        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fourth.Soon());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fifth.Soon());
        gated.Open();

        await first.Soon();
        await second.Soon();
        await (await third.Soon()).Acknowledged.Soon();
        Assert.Equal(["1", "2", "3"], gated.Published);
        Assert.Equal(0, client.Status.WaitingForRoom);
    }

    [Fact]
    public async Task A_refused_message_is_an_exception_that_says_what_to_do()
    {
        await using var gated = new GatedBroker();
        await using var client = new MqttClient(gated.Options(outbox => (outbox.MaximumBytes, outbox.Overflow) = (1024, OutboxOverflow.Reject)));
        var payload = new byte[500];
        var first = client.PublishAsync("t", payload);
        var second = client.PublishAsync("t", payload);

        var full = await Assert.ThrowsAsync<MqttOutboxFullException>(() => client.PublishAsync("t", payload).Soon());
        Assert.True(full.IsTransient);
        Assert.Contains("OutboxOptions.MaximumMessages, MaximumBytes", full.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<MqttOutboxFullException>(() => client.EnqueueAsync("t", payload).Soon());
        Assert.False(client.TryEnqueue(new OutgoingMessage("t", payload), out _));
        var tooLarge = await Assert.ThrowsAsync<MqttOutboxFullException>(() => client.PublishAsync("t", new byte[1024]).Soon());
        Assert.False(tooLarge.IsTransient);
        Assert.Contains("1025 bytes", tooLarge.Message, StringComparison.Ordinal);
        Assert.Throws<MqttOutboxFullException>(() => client.TryEnqueue(new OutgoingMessage("t", new byte[1024]), out _));

        Assert.Equal((2, 1002L), (client.Statistics.PendingMessages, client.Statistics.PendingBytes));
        gated.Open();
        await first.Soon();
        await second.Soon();
    }

    [Fact]
    public async Task A_dropped_message_is_told_to_its_sender_to_the_events_and_to_the_counters()
    {
        await using var gated = new GatedBroker();
        await using var client = new MqttClient(gated.Options(outbox => (outbox.MaximumMessages, outbox.Overflow) = (1, OutboxOverflow.DropOldest)));
        await using var events = new EventReader(client);
        var published = client.PublishAsync("a", "1");
        var enqueued = await client.EnqueueAsync(new OutgoingMessage("b", "2") { Id = "two" }).Soon();
        await client.EnqueueAsync("c", "3").Soon();

        Assert.Equal(MessageDropReason.Overflow, (await Assert.ThrowsAsync<MqttDroppedException>(() => published.Soon())).Reason);
        await Assert.ThrowsAsync<MqttDroppedException>(() => enqueued.Acknowledged.Soon());
        Assert.Equal(DeliveryState.Dropped, enqueued.State);
        Assert.Equal(new ClientEvent.MessageDropped("a", QoS.AtLeastOnce, null, MessageDropReason.Overflow), await events.NextAsync<ClientEvent.MessageDropped>());
        Assert.Equal(new ClientEvent.MessageDropped("b", QoS.AtLeastOnce, "two", MessageDropReason.Overflow), await events.NextAsync<ClientEvent.MessageDropped>());
        Assert.Equal(2, client.Statistics.OutboxDropped);
    }

    [Fact]
    public async Task With_DropNewest_the_call_fails_and_with_LatestPerTopic_the_earlier_one()
    {
        await using var gated = new GatedBroker();
        await using var newest = new MqttClient(gated.Options(outbox => (outbox.MaximumMessages, outbox.Overflow) = (1, OutboxOverflow.DropNewest)));
        await newest.EnqueueAsync("t", "1").Soon();
        await Assert.ThrowsAsync<MqttDroppedException>(() => newest.PublishAsync("t", "2").Soon());
        await Assert.ThrowsAsync<MqttDroppedException>(() => newest.EnqueueAsync("t", "2").Soon());

        await using var latest = new MqttClient(gated.Options(outbox => outbox.Overflow = OutboxOverflow.LatestPerTopic));
        var older = latest.PublishAsync("t", "1");
        var newer = latest.PublishAsync("t", "2");

        Assert.Equal(MessageDropReason.Replaced, (await Assert.ThrowsAsync<MqttDroppedException>(() => older.Soon())).Reason);
        gated.Open();
        await newer.Soon();
    }

    [Fact]
    public async Task Without_a_connection_a_message_may_fail_at_once_or_be_dropped()
    {
        await using var gated = new GatedBroker();
        await using var client = new MqttClient(gated.Options(outbox => (outbox.WhenOffline, outbox.AtMostOnceWhenOffline) = (WhenOffline.Fail, WhenOffline.Drop)));
        await using var events = new EventReader(client);

        var offline = await Assert.ThrowsAsync<MqttOfflineException>(() => client.PublishAsync("t", "1").Soon());
        Assert.True(offline.IsTransient);
        await Assert.ThrowsAsync<MqttOfflineException>(() => client.PublishAsync(new OutgoingMessage("t", "0") { QoS = QoS.AtMostOnce, WhenOffline = WhenOffline.Fail }).Soon());
        await Assert.ThrowsAsync<MqttOfflineException>(() => client.EnqueueAsync("t", "1").Soon());
        Assert.False(client.TryEnqueue(new OutgoingMessage("t", "1"), out _));
        Assert.Equal(PublishFlags.Dropped, (await client.PublishAsync("t", "0", QoS.AtMostOnce).Soon()).Flags);
        Assert.Equal(DeliveryState.Dropped, (await client.EnqueueAsync("t", "0", QoS.AtMostOnce).Soon()).State);
        Assert.Equal(MessageDropReason.Offline, (await events.NextAsync<ClientEvent.MessageDropped>()).Reason);
        Assert.Equal(2, client.Statistics.OutboxDropped);

        var queued = client.PublishAsync(new OutgoingMessage("t", "queued") { WhenOffline = WhenOffline.Queue });
        gated.Open();
        await queued.Soon();
        await client.PublishAsync("t", "online").Soon();
        Assert.Equal(["queued", "online"], gated.Published);
    }

    [Fact]
    public async Task QoS_0_that_is_enqueued_without_a_connection_is_sent_when_there_is_one()
    {
        await using var gated = new GatedBroker();
        await using var client = new MqttClient(gated.Options());

        var receipt = await client.EnqueueAsync("t", "0", QoS.AtMostOnce).Soon();
        Assert.Equal(DeliveryState.Queued, receipt.State);
        gated.Open();

        Assert.Equal(default, await receipt.Acknowledged.Soon());
        Assert.Equal("0", Assert.Single(await gated.Broker.WaitForPublishedAsync(1)).Text);
    }

    [Fact]
    public async Task A_message_that_expires_while_the_client_is_offline_ends_at_that_moment()
    {
        var time = new ManualTimeProvider();
        await using var gated = new GatedBroker();
        await using var client = new MqttClient(gated.Options(time: time));
        await using var events = new EventReader(client);
        var published = client.PublishAsync(new OutgoingMessage("t", "1") { TimeToLive = TimeSpan.FromSeconds(30) });
        var receipt = await client.EnqueueAsync(new OutgoingMessage("t", "0") { TimeToLive = TimeSpan.FromSeconds(30), QoS = QoS.AtMostOnce }).Soon();

        time.Advance(TimeSpan.FromMilliseconds(30_001)); // a timer counts in whole milliseconds, rounded up

        await Assert.ThrowsAsync<MqttExpiredException>(() => published.Soon());
        await Assert.ThrowsAsync<MqttExpiredException>(() => receipt.Acknowledged.Soon());
        Assert.Equal(DeliveryState.Expired, receipt.State);
        Assert.Equal(MessageDropReason.Expired, (await events.NextAsync<ClientEvent.MessageDropped>()).Reason);
        Assert.Equal((2L, 2L), (client.Statistics.OutboxExpired, client.Statistics.OutboxDropped));
    }

    [Fact]
    public async Task A_publisher_that_meets_a_stalled_connection_stops_waiting_when_it_wants()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        using var leaving = new CancellationTokenSource();
        var large = new byte[1_000_000];
        var stalled = client.PublishAsync("t", large, cancellationToken: leaving.Token);
        var behind = client.PublishAsync("t", large, cancellationToken: leaving.Token);

        await leaving.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stalled.Soon());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => behind.Soon());
    }

    [Fact]
    public async Task Eight_threads_with_properties_of_their_own_do_not_mix_them_up()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));

        await Task.WhenAll(Enumerable.Range(0, 8).Select(thread => Task.Run(async () =>
        {
            for (var i = 0; i < 50; i++)
            {
                await client.PublishAsync(new OutgoingMessage($"t/{thread}", $"{thread}") { ContentType = $"type {thread}", UserProperties = [new("thread", $"{thread}")] });
            }
        }))).Soon();

        Assert.Equal(400, broker.Published.Count);
        Assert.All(broker.Published, message => Assert.Equal(($"type {message.Text}", message.Text), (message.ContentType, message.UserProperties[0].Value)));
    }

    [Fact]
    public void Impossible_budgets_are_listed_together()
    {
        var options = new MqttClientOptions { Servers = { new MqttServer("mqtt://localhost") } };
        (options.Outbox.MaximumMessages, options.Outbox.MaximumBytes, options.Outbox.MaximumAge) = (0, 0, TimeSpan.Zero);
        (options.Outbox.WhenOffline, options.Outbox.RememberedIds, options.Outbox.Overflow) = (WhenOffline.Drop, -1, (OutboxOverflow)9);

        var error = Assert.Throws<ArgumentException>(() => new MqttClient(options));

        Assert.All(
            ["MaximumMessages", "MaximumBytes", "MaximumAge", "WhenOffline", "RememberedIds", "Overflow"],
            name => Assert.Contains($"Outbox.{name}", error.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_message_that_cannot_be_is_the_callers_fault()
    {
        await using var gated = new GatedBroker();
        await using var client = new MqttClient(gated.Options());

        await Assert.ThrowsAsync<ArgumentException>("message", async () => await client.PublishAsync(new OutgoingMessage("t", "x") { Id = "" }));
        await Assert.ThrowsAsync<ArgumentException>("message", async () => await client.EnqueueAsync(new OutgoingMessage("t", "x") { Id = new string('x', 257) }));
        await Assert.ThrowsAsync<ArgumentException>("message", async () => await client.EnqueueAsync(new OutgoingMessage("t", "x") { WhenOffline = WhenOffline.Drop }));
        Assert.Throws<ArgumentException>("id", () => client.FindReceipt(""));
    }
}
