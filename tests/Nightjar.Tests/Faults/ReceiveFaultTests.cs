using System.Threading.Channels;
using Nightjar.Protocol.Packets;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Faults;

/// <summary>What other clients were measured to do wrong when they receive.</summary>
public sealed class ReceiveFaultTests
{
    [Fact(DisplayName = "[MQTT5-4.3.3-10] A QoS 2 message that is sent again before its PUBREL reaches the handler once")]
    public async Task A_repeated_qos_2_message_reaches_the_handler_once()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        var received = Channel.CreateUnbounded<MqttMessage>();
        client.On("#", received.Writer.WriteAsync, new SubscribeOptions { QoS = QoS.ExactlyOnce });
        await peer.GrantAsync();

        await peer.SendAsync(MqttMessage.Create("t", "once"u8.ToArray(), QoS.ExactlyOnce, packetId: 7));
        await peer.ExpectAckAsync(PacketType.PubRec, 7);
        await peer.SendAsync(MqttMessage.Create("t", "once"u8.ToArray(), QoS.ExactlyOnce, duplicate: true, packetId: 7));
        await peer.ExpectAckAsync(PacketType.PubRec, 7);
        await peer.SendAsync(new AckPacket(PacketType.PubRel, 7));
        await peer.ExpectAckAsync(PacketType.PubComp, 7);
        await peer.SendAsync(MqttMessage.Create("t", "last", QoS.AtMostOnce));

        Assert.Equal("once", (await received.Reader.ReadAsync().Soon()).Text);
        Assert.Equal("last", (await received.Reader.ReadAsync().Soon()).Text);
    }

    [Fact(DisplayName = "[MQTT5-3.3.2-11] A topic alias of the server is resolved")]
    public async Task An_inbound_alias_is_resolved()
    {
        await using var peer = InMemory.Peer();
        await using var client = new MqttClient(InMemory.Options(peer));
        await using var messages = client.Subscribe("#").GetAsyncEnumerator();
        var connect = await peer.AcceptClientAsync();
        await peer.GrantAsync();

        Assert.InRange((int)connect.TopicAliasMaximum!, 1, ushort.MaxValue);
        await SendAsync(peer, "some/topic", "first");
        await SendAsync(peer, "", "second");

        Assert.True(await messages.MoveNextAsync().Soon());
        Assert.Equal(("some/topic", "first"), (messages.Current.Topic, messages.Current.Text));
        Assert.True(await messages.MoveNextAsync().Soon());
        Assert.Equal(("some/topic", "second"), (messages.Current.Topic, messages.Current.Text));
        client.Abort();

        static Task SendAsync(ScriptedPeer peer, string topic, string text) => peer.SendAsync(new PublishPacket
        {
            Topic = System.Text.Encoding.UTF8.GetBytes(topic),
            TopicAlias = 1,
            Payload = System.Text.Encoding.UTF8.GetBytes(text),
        });
    }

    [Fact(DisplayName = "[MQTT5-4.12.0-6] AUTH without an authentication method ends the connection, and the client comes back")]
    public async Task Auth_that_nobody_asked_for_ends_the_connection()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        await using var events = new EventReader(client);

        await peer.SendAsync(new AuthPacket { ReasonCode = ReasonCode.ContinueAuthentication, AuthenticationMethod = "X" });

        Assert.Equal(ReasonCode.ProtocolError, (await peer.ExpectAsync<DisconnectPacket>()).ReasonCode);
        await peer.CloseAsync();
        var error = Assert.IsType<MqttProtocolException>((await events.NextAsync<ClientEvent.Disconnected>()).Error);
        Assert.Equal("MQTT5-4.12.0-6", error.Clause);
        await peer.AcceptClientAsync();
        await events.NextAsync<ClientEvent.Connected>();
    }
}
