using System.Text;
using Nightjar.Protocol.Packets;
using Nightjar.Testing;

namespace Nightjar.Tests;

/// <summary>The steps that nearly every script begins with.</summary>
internal static class Handshakes
{
    /// <summary>Takes the next connection and accepts its CONNECT.</summary>
    public static async Task<ConnectPacket> AcceptClientAsync(this ScriptedPeer peer, ConnAckPacket? answer = null)
    {
        await peer.AcceptAsync();
        var connect = await peer.ExpectAsync<ConnectPacket>();
        await peer.SendAsync(answer ?? new ConnAckPacket());
        return connect;
    }

    /// <summary>Takes a SUBSCRIBE and grants what it asks for.</summary>
    public static async Task<SubscribePacket> GrantAsync(this ScriptedPeer peer)
    {
        var subscribe = await peer.ExpectAsync<SubscribePacket>();
        await peer.SendAsync(new SubAckPacket { PacketId = subscribe.PacketId, ReasonCodes = [.. subscribe.Subscriptions.Select(s => (ReasonCode)s.QoS)] });
        return subscribe;
    }

    /// <summary>Takes SUBSCRIBEs and grants what they ask for, up to the one for this filter: one that overlaps with others makes the client ask for those again first.</summary>
    public static async Task<SubscribePacket> GrantAsync(this ScriptedPeer peer, string filter)
    {
        while (true)
        {
            var subscribe = await peer.GrantAsync();
            if (subscribe.Subscriptions.Any(s => s.Filter == filter))
            {
                return subscribe;
            }
        }
    }

    /// <summary>A connected client of this peer.</summary>
    public static async Task<MqttClient> ConnectAsync(this ScriptedPeer peer, MqttClientOptions options, ConnAckPacket? answer = null)
    {
        var client = new MqttClient(options);
        var connecting = client.ConnectAsync();
        await peer.AcceptClientAsync(answer);
        await connecting.Soon();
        return client;
    }

    /// <summary>Sends a message with an identifier of the test's choice.</summary>
    public static Task SendAsync(this ScriptedPeer peer, string topic, string text, QoS qos = QoS.AtMostOnce, ushort id = 0, bool duplicate = false) =>
        peer.SendAsync(MqttMessage.Create(topic, Encoding.UTF8.GetBytes(text).AsMemory(), qos, duplicate: duplicate, packetId: id));

    /// <summary>Takes a message and acknowledges it.</summary>
    public static async Task<MqttMessage> TakeAsync(this ScriptedPeer peer)
    {
        var message = await peer.ExpectAsync<MqttMessage>();
        if (message.QoS == QoS.AtLeastOnce)
        {
            await peer.SendAsync(new AckPacket(PacketType.PubAck, message.PacketId));
        }

        return message;
    }
}
