using Nightjar.Protocol.Packets;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Faults;

/// <summary>A connection is cut with messages on their way.</summary>
public sealed class ReconnectFaultTests
{
    [Fact(DisplayName = "[MQTT5-4.4.0-1] In a resumed session unanswered messages are sent again, with DUP and their identifier")]
    public async Task In_a_resumed_session_messages_are_sent_again()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        var first = client.PublishAsync("t", "first").AsTask();
        var second = client.PublishAsync("t", "second", QoS.ExactlyOnce).AsTask();
        var released = client.PublishAsync("t", "released", QoS.ExactlyOnce).AsTask();
        var ids = new List<ushort>();
        for (var i = 0; i < 3; i++)
        {
            ids.Add((await peer.ExpectAsync<MqttMessage>()).PacketId);
        }

        await peer.SendAsync(new AckPacket(PacketType.PubRec, ids[2]));
        await peer.ExpectAckAsync(PacketType.PubRel, ids[2]);
        await peer.CloseAsync();
        Assert.False((await peer.AcceptClientAsync(new ConnAckPacket { SessionPresent = true })).CleanStart);

        await peer.ExpectAckAsync(PacketType.PubRel, ids[2]);
        foreach (var (id, text) in new[] { (ids[0], "first"), (ids[1], "second") })
        {
            var again = await peer.ExpectAsync<MqttMessage>();
            Assert.Equal((id, text, true), (again.PacketId, again.Text, again.Duplicate));
        }

        await peer.SendAsync(new AckPacket(PacketType.PubComp, ids[2]));
        await peer.SendAsync(new AckPacket(PacketType.PubAck, ids[0]));
        await peer.SendAsync(new AckPacket(PacketType.PubRec, ids[1]));
        await peer.ExpectAckAsync(PacketType.PubRel, ids[1]);
        await peer.SendAsync(new AckPacket(PacketType.PubComp, ids[1]));

        Assert.All(
            await Task.WhenAll(first, second, released).Soon(),
            result => Assert.Equal((ReasonCode.Success, PublishFlags.None), (result.ReasonCode, result.Flags)));
    }

    [Fact]
    public async Task When_the_session_is_lost_subscriptions_are_made_again_and_messages_sent_as_new_ones()
    {
        await using var peer = InMemory.Peer();
        await using var client = new MqttClient(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        var subscription = client.Subscribe("commands/#");
        await peer.AcceptClientAsync();
        await peer.GrantAsync();
        var publish = client.PublishAsync("t", "x").AsTask();
        await peer.ExpectAsync<MqttMessage>();

        await peer.CloseAsync();
        await peer.AcceptClientAsync(new ConnAckPacket { SessionPresent = false });

        var subscribe = await peer.GrantAsync();
        Assert.Equal("commands/#", Assert.Single(subscribe.Subscriptions).Filter);
        var again = await peer.TakeAsync();
        Assert.Equal(("x", false), (again.Text, again.Duplicate));
        Assert.Equal(PublishFlags.PossiblyDuplicated, (await publish.Soon()).Flags);

        await peer.SendAsync(MqttMessage.Create("commands/go", "now", QoS.AtMostOnce));
        await using var messages = subscription.GetAsyncEnumerator();
        Assert.True(await messages.MoveNextAsync().Soon());
        Assert.Equal("now", messages.Current.Text);
    }

    [Fact]
    public async Task Messages_that_were_published_while_there_was_no_connection_are_sent_in_order()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        await using var events = new EventReader(client);

        await peer.CloseAsync();
        await events.NextAsync<ClientEvent.Disconnected>();
        var publishes = Enumerable.Range(0, 100).Select(i => client.PublishAsync("t", $"{i}").AsTask()).ToArray();
        await peer.AcceptClientAsync(new ConnAckPacket { SessionPresent = true });

        for (var i = 0; i < publishes.Length; i++)
        {
            Assert.Equal($"{i}", (await peer.TakeAsync()).Text);
        }

        Assert.All(await Task.WhenAll(publishes).Soon(), result => Assert.Equal(PublishFlags.None, result.Flags));
    }
}
