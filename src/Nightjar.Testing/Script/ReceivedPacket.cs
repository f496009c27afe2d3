using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;

namespace Nightjar.Testing;

/// <summary>A packet that a <see cref="ScriptedPeer"/> received. Immutable.</summary>
public sealed class ReceivedPacket
{
    internal ReceivedPacket(in DecodedPacket packet, ReadOnlySpan<byte> bytes)
    {
        Type = packet.Type;
        Bytes = bytes.ToArray();
        Packet = packet.Type switch
        {
            PacketType.Publish => ReceivedMessage.From(packet.Publish),
            PacketType.PubAck or PacketType.PubRec or PacketType.PubRel or PacketType.PubComp => packet.Ack,
            PacketType.PingReq => default(PingReqPacket),
            PacketType.PingResp => default(PingRespPacket),
            _ => packet.Other ?? throw new ArgumentException("The packet has no content.", nameof(packet)),
        };
    }

    /// <summary>Which packet.</summary>
    public PacketType Type { get; }

    /// <summary>The whole packet as it came.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>
    /// Its content: <see cref="MqttMessage"/> for PUBLISH, <see cref="AckPacket"/> for PUBACK, PUBREC, PUBREL and PUBCOMP, else the type of
    /// <see cref="Nightjar.Protocol.Packets"/> that has its name.
    /// </summary>
    public object Packet { get; }

    /// <summary>For people: the type and what tells it from others of its type; no payload and no password.</summary>
    public override string ToString() => Packet switch
    {
        MqttMessage message => $"PUBLISH {message}{Id(message.PacketId)}{(message.Duplicate ? ", DUP" : "")}{(message.Retain ? ", retained" : "")}",
        AckPacket ack => $"{Name}{Id(ack.PacketId)}{Code(ack.ReasonCode)}",
        ConnectPacket connect => connect.ToString(),
        ConnAckPacket ack => $"CONNACK {ack.ReasonCode}{(ack.SessionPresent ? ", session present" : "")}",
        SubscribePacket subscribe => $"SUBSCRIBE{Id(subscribe.PacketId)}: {string.Join(", ", subscribe.Subscriptions.Select(s => $"{s.Filter} QoS {(int)s.QoS}"))}",
        SubAckPacket ack => $"SUBACK{Id(ack.PacketId)}: {string.Join(", ", ack.ReasonCodes)}",
        UnsubscribePacket unsubscribe => $"UNSUBSCRIBE{Id(unsubscribe.PacketId)}: {string.Join(", ", unsubscribe.Filters)}",
        UnsubAckPacket ack => $"UNSUBACK{Id(ack.PacketId)}: {string.Join(", ", ack.ReasonCodes)}",
        DisconnectPacket disconnect => $"DISCONNECT {disconnect.ReasonCode} {disconnect.ReasonString}".TrimEnd(),
        _ => Packet is AuthPacket ? Packet.ToString()! : Name,
    };

    private string Name => Type.ToString().ToUpperInvariant();

    private static string Id(ushort packetId) => packetId == 0 ? "" : $" id {packetId}";

    private static string Code(ReasonCode code) => code == ReasonCode.Success ? "" : $", {code}";
}
