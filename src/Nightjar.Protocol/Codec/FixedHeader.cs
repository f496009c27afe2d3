using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Codec;

/// <summary>The first byte and the remaining length of every packet (MQTT 5, 2.1).</summary>
internal static class FixedHeader
{
    /// <summary>The first byte and four length bytes.</summary>
    public const int MaximumSize = 1 + VariableByteInteger.MaximumSize;

    private const uint Both = 1 << (int)PacketType.Publish | 1 << (int)PacketType.PubAck | 1 << (int)PacketType.PubRec
        | 1 << (int)PacketType.PubRel | 1 << (int)PacketType.PubComp | 1 << (int)PacketType.Disconnect | 1 << (int)PacketType.Auth;

    // One bit per packet type (2.1.2, "direction of flow").
    private const uint FromServer = Both | 1 << (int)PacketType.ConnAck | 1 << (int)PacketType.SubAck | 1 << (int)PacketType.UnsubAck
        | 1 << (int)PacketType.PingResp;

    private const uint FromClient = Both | 1 << (int)PacketType.Connect | 1 << (int)PacketType.Subscribe | 1 << (int)PacketType.Unsubscribe
        | 1 << (int)PacketType.PingReq;

    /// <summary>The upper half of the first byte.</summary>
    public static PacketType TypeOf(byte first) => (PacketType)(first >> 4);

    /// <summary>The first byte of all packets but PUBLISH.</summary>
    public static byte FirstByteOf(PacketType type) => (byte)((byte)type << 4 | (HasFlags(type) ? 0b0010 : 0));

    /// <summary>The packet's size without the fixed header and with it.</summary>
    public static int SizeOf(int remainingLength) => 1 + VariableByteInteger.SizeOf((uint)remainingLength) + remainingLength;

    /// <summary>Checks the first byte: the type, who may send it, and its flags.</summary>
    public static Rule? Check(byte first, MqttVersion version, PacketSender sender)
    {
        PacketType type = TypeOf(first);
        if (type == PacketType.Publish)
        {
            return CheckPublish(first);
        }

        if (type == PacketType.None || (type == PacketType.Auth && version != MqttVersion.Mqtt5))
        {
            return Rules.PacketTypeReserved;
        }

        uint legal = sender == PacketSender.Server ? FromServer : FromClient;
        if ((legal & (1 << (int)type)) == 0
            || (type == PacketType.Disconnect && sender == PacketSender.Server && version != MqttVersion.Mqtt5))
        {
            return Rules.WrongSender;
        }

        // 3.1 has DUP in the packets that it sends at "QoS 1".
        bool repeated = version == MqttVersion.Mqtt31 && HasFlags(type) && first == (FirstByteOf(type) | 0b1000);
        return first == FirstByteOf(type) || repeated ? null : FlagsRuleOf(type);
    }

    private static Rule? CheckPublish(byte first) =>
        (first & 0b0110) == 0b0110 ? Rules.QoS3
        : (first & 0b1110) == 0b1000 ? Rules.DuplicateAtQoS0
        : null;

    /// <summary>Checks the remaining length of the packets that have but one, so that a wrong one is not waited for.</summary>
    public static Rule? CheckLength(PacketType type, int remainingLength, MqttVersion version)
    {
        int expected = type switch
        {
            PacketType.PingReq or PacketType.PingResp => 0,
            PacketType.Disconnect when version != MqttVersion.Mqtt5 => 0,
            PacketType.ConnAck or PacketType.PubAck or PacketType.PubRec or PacketType.PubRel or PacketType.PubComp or PacketType.UnsubAck
                when version != MqttVersion.Mqtt5 => 2,
            _ => remainingLength,
        };
        return remainingLength < expected ? Rules.Truncated : remainingLength > expected ? Rules.TrailingBytes : null;
    }

    private static bool HasFlags(PacketType type) => type is PacketType.PubRel or PacketType.Subscribe or PacketType.Unsubscribe;

    private static Rule FlagsRuleOf(PacketType type) => type switch
    {
        PacketType.PubRel => Rules.PubRelFlags,
        PacketType.Subscribe => Rules.SubscribeFlags,
        PacketType.Unsubscribe => Rules.UnsubscribeFlags,
        PacketType.Disconnect => Rules.DisconnectFlags,
        PacketType.Auth => Rules.AuthFlags,
        _ => Rules.Flags,
    };
}
