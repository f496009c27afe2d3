using Nightjar.Protocol.Packets;
using Xunit;

namespace Nightjar.Testing.Tests.Broker;

/// <summary>A client made of bare packets: it decides nothing, so that a test says every packet that it sends.</summary>
internal sealed class RawClient : IAsyncDisposable
{
    private ushort _lastId;

    private RawClient(ScriptedPeer peer, ConnAckPacket connAck)
    {
        Peer = peer;
        ConnAck = connAck;
    }

    public ScriptedPeer Peer { get; }

    public ConnAckPacket ConnAck { get; }

    public static Task<RawClient> ConnectAsync(MqttTestBroker broker, string clientId = "client", MqttVersion version = MqttVersion.Mqtt5) =>
        ConnectAsync(broker, new ConnectPacket { Version = version, ClientId = clientId, CleanStart = true });

    public static async Task<RawClient> ConnectAsync(MqttTestBroker broker, ConnectPacket connect)
    {
        var peer = ScriptedPeer.Over(broker.ConnectInMemory());
        await peer.SendAsync(connect);
        var connAck = await peer.ExpectAsync<ConnAckPacket>();
        Assert.Equal(ReasonCode.Success, connAck.ReasonCode);
        return new RawClient(peer, connAck);
    }

    /// <summary>Sends a CONNECT that is to be refused, and returns the refusal behind which the connection has ended.</summary>
    public static async Task<ConnAckPacket> ConnectRefusedAsync(MqttTestBroker broker, ConnectPacket connect)
    {
        await using var peer = ScriptedPeer.Over(broker.ConnectInMemory());
        await peer.SendAsync(connect);
        var connAck = await peer.ExpectAsync<ConnAckPacket>();
        await peer.ExpectClosedAsync();
        return connAck;
    }

    public Task<ReasonCode> SubscribeAsync(string filter, QoS qos = QoS.ExactlyOnce, uint? identifier = null) =>
        SubscribeAsync(new RequestedSubscription(filter, qos), identifier);

    public async Task<ReasonCode> SubscribeAsync(RequestedSubscription subscription, uint? identifier = null)
    {
        var id = ++_lastId;
        await Peer.SendAsync(new SubscribePacket { PacketId = id, Subscriptions = [subscription], SubscriptionIdentifier = identifier });
        var subAck = await Peer.ExpectAsync<SubAckPacket>();
        Assert.Equal(id, subAck.PacketId);
        return Assert.Single(subAck.ReasonCodes);
    }

    /// <summary>Publishes and takes the answers that the QoS asks for; returns the code of the first.</summary>
    public async Task<ReasonCode> PublishAsync(string topic, string text, QoS qos = QoS.AtLeastOnce, bool retain = false)
    {
        var id = (ushort)(qos == QoS.AtMostOnce ? 0 : ++_lastId);
        await Peer.SendAsync(MqttMessage.Create(topic, System.Text.Encoding.UTF8.GetBytes(text).AsMemory(), qos, retain, packetId: id));
        return await AcknowledgedAsync(id, qos);
    }

    public async Task<ReasonCode> AcknowledgedAsync(ushort id, QoS qos)
    {
        switch (qos)
        {
            case QoS.AtLeastOnce:
                return (await Peer.ExpectAckAsync(PacketType.PubAck, id)).ReasonCode;
            case QoS.ExactlyOnce:
                var received = await Peer.ExpectAckAsync(PacketType.PubRec, id);
                if (!received.ReasonCode.IsFailure())
                {
                    await Peer.SendAsync(new AckPacket(PacketType.PubRel, id));
                    await Peer.ExpectAckAsync(PacketType.PubComp, id);
                }

                return received.ReasonCode;
            default:
                // The answer to a ping comes behind the broker's handling of the PUBLISH.
                await FenceAsync();
                return ReasonCode.Success;
        }
    }

    /// <summary>The next message, acknowledged as its QoS asks for.</summary>
    public async Task<MqttMessage> ReceiveAsync()
    {
        var message = await Peer.ExpectAsync<MqttMessage>();
        if (message.QoS == QoS.AtLeastOnce)
        {
            await Peer.SendAsync(new AckPacket(PacketType.PubAck, message.PacketId));
        }
        else if (message.QoS == QoS.ExactlyOnce)
        {
            await Peer.SendAsync(new AckPacket(PacketType.PubRec, message.PacketId));
            await Peer.ExpectAckAsync(PacketType.PubRel, message.PacketId);
            await Peer.SendAsync(new AckPacket(PacketType.PubComp, message.PacketId));
        }

        return message;
    }

    /// <summary>Whatever the broker has for this client so far must have been expected: the next thing that comes is the answer to a ping.</summary>
    public async Task FenceAsync()
    {
        await Peer.SendAsync(default(PingReqPacket));
        await Peer.ExpectAsync<PingRespPacket>();
    }

    /// <summary>A normal end.</summary>
    public async Task DisconnectAsync(ReasonCode reason = ReasonCode.Success, uint? sessionExpiry = null)
    {
        await Peer.SendAsync(new DisconnectPacket { ReasonCode = reason, SessionExpiryInterval = sessionExpiry });
        await Peer.ExpectClosedAsync();
        await DisposeAsync();
    }

    public ValueTask DisposeAsync() => Peer.DisposeAsync();
}
