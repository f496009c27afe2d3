using Nightjar.Protocol.Packets;
using Nightjar.Tests.Subscriptions;
using Xunit;

namespace Nightjar.Tests.Outbox;

/// <summary>Messages that are passed on: the source is acknowledged when the other side has them.</summary>
public sealed class BridgeTests
{
    [Fact]
    public async Task A_message_is_acknowledged_when_it_was_delivered_and_the_next_ones_are_on_their_way_meanwhile()
    {
        await using var scene = await PeerScene.StartAsync();
        await using var target = InMemory.Peer();
        await using var client = await target.ConnectAsync(InMemory.Options(target));
        using var end = new AbortAtEnd(client);
        scene.Client.On("t/#", message => client.EnqueueAsync(OutgoingMessage.From(message, "to/" + message.Topic)));
        await scene.Peer.GrantAsync();

        await scene.SendAsync("t/1", "1", 1);
        await scene.SendAsync("t/2", "2", 2);
        await scene.SendAsync("t/3", "3", 3);

        var passed = new List<MqttMessage>();
        for (var i = 0; i < 3; i++)
        {
            passed.Add(await target.ExpectAsync<MqttMessage>().Soon());
        }

        Assert.Equal([("to/t/1", "1"), ("to/t/2", "2"), ("to/t/3", "3")], passed.Select(message => (message.Topic, message.Text)));
        Assert.Equal(3, scene.Client.Status.Unacknowledged);

        // The answers come in another order; the acknowledgements leave in that of arrival.
        await target.SendAsync(new AckPacket(PacketType.PubAck, passed[2].PacketId));
        await target.SendAsync(new AckPacket(PacketType.PubAck, passed[1].PacketId));
        await target.SendAsync(new AckPacket(PacketType.PubAck, passed[0].PacketId));
        await scene.AckAsync(1, 2, 3);
    }

    [Fact]
    public async Task A_message_that_the_other_side_refuses_follows_the_rule_for_poison()
    {
        var poisoned = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var scene = await PeerScene.StartAsync(options => options.Receive.OnPoison = (_, error) =>
        {
            poisoned.TrySetResult(error);
            return MessageOutcome.Refuse(ReasonCode.NotAuthorized);
        });
        await using var events = new EventReader(scene.Client);
        await using var target = InMemory.Peer();
        await using var client = await target.ConnectAsync(InMemory.Options(target));
        using var end = new AbortAtEnd(client);
        scene.Client.On("t", (message, cancellationToken) => client.EnqueueAsync(OutgoingMessage.From(message), cancellationToken));
        await scene.Peer.GrantAsync();

        await scene.SendAsync("t", "1", 1);
        var passed = await target.ExpectAsync<MqttMessage>().Soon();
        await target.SendAsync(new AckPacket(PacketType.PubAck, passed.PacketId, ReasonCode.QuotaExceeded));

        Assert.IsType<MqttRefusedException>(await poisoned.Task.Soon());
        Assert.Equal(ReasonCode.NotAuthorized, (await scene.Peer.ExpectAckAsync(PacketType.PubAck, 1)).ReasonCode);
        Assert.IsType<MqttRefusedException>((await events.NextAsync<ClientEvent.HandlerFailed>()).Error);
        Assert.Equal(1, scene.Client.Statistics.HandlerFailures);
    }

    [Fact]
    public async Task A_message_stays_unacknowledged_when_the_other_client_is_closed_with_it()
    {
        await using var scene = await PeerScene.StartAsync();
        await using var gated = new GatedBroker();
        await using var client = new MqttClient(gated.Options());
        scene.Client.On("t", async message =>
        {
            await Task.Yield();
            return await client.EnqueueAsync(OutgoingMessage.From(message));
        });
        await scene.Peer.GrantAsync();
        await scene.SendAsync("t", "1", 1);
        await Eventually.True(() => client.Status.Queued == 1);

        client.Abort();

        // It is left to the next connection, and those behind it go on.
        scene.Client.On("other", _ => { });
        await scene.Peer.GrantAsync();
        await scene.SendAsync("other", "2", 2);
        await scene.AckAsync(2);
    }

    [Fact]
    public async Task Messages_that_are_passed_on_under_one_identifier_are_all_acknowledged_with_its_receipt()
    {
        await using var scene = await PeerScene.StartAsync();
        await using var target = InMemory.Peer();
        await using var client = await target.ConnectAsync(InMemory.Options(target));
        using var end = new AbortAtEnd(client);
        scene.Client.On("t", message => client.EnqueueAsync(new OutgoingMessage("t", message.Payload) { Id = "one" }));
        await scene.Peer.GrantAsync();

        await scene.SendAsync("t", "1", 1);
        await scene.SendAsync("t", "1", 2);
        await scene.SendAsync("t", "1", 3);
        var passed = await target.ExpectAsync<MqttMessage>().Soon();
        await Eventually.True(() => scene.Client.Status.Unacknowledged == 3);
        await target.SendAsync(new AckPacket(PacketType.PubAck, passed.PacketId));

        await scene.AckAsync(1, 2, 3);
    }

    [Fact]
    public async Task A_bridge_that_throws_is_tried_again_and_one_without_a_receipt_is_a_mistake()
    {
        await using var scene = await PeerScene.StartAsync(options => options.Receive.HandlerRetries = 0);
        await using var events = new EventReader(scene.Client);
        scene.Client.On("t", _ => new ValueTask<DeliveryReceipt>((DeliveryReceipt)null!));
        await scene.Peer.GrantAsync();

        await scene.SendAsync("t", "1", 1);

        await scene.AckAsync(1);
        Assert.Contains("no receipt", (await events.NextAsync<ClientEvent.HandlerFailed>()).Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_forwarded_message_keeps_what_is_its_own()
    {
        await using var from = InMemory.Broker();
        await using var to = InMemory.Broker();
        await using var source = new MqttClient(InMemory.Options(from));
        await using var target = new MqttClient(InMemory.Options(to));
        await source.On("t", message => target.EnqueueAsync(OutgoingMessage.From(message))).Granted.Soon();

        await from.PublishAsync(new OutgoingMessage("t", "x")
        {
            QoS = QoS.AtLeastOnce,
            TimeToLive = TimeSpan.FromHours(1),
            ContentType = "text/plain",
            ResponseTopic = "answers",
            CorrelationData = "42"u8.ToArray(),
            PayloadFormat = PayloadFormat.Utf8,
            UserProperties = [new("a", "1")],
        });

        var passed = Assert.Single(await to.WaitForPublishedAsync(1).Soon());
        Assert.Equal(("t", "x", QoS.AtLeastOnce, "text/plain", "answers"), (passed.Topic, passed.Text, passed.QoS, passed.ContentType, passed.ResponseTopic));
        Assert.Equal((PayloadFormat.Utf8, "1", TimeSpan.FromHours(1)), (passed.PayloadFormat, passed.UserProperties[0].Value, passed.TimeToLive));
        Assert.Equal("42"u8.ToArray(), passed.CorrelationData!.Value.ToArray());
    }
}
