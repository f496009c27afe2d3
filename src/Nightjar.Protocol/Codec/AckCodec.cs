using System.Buffers.Binary;
using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Codec;

/// <summary>PUBACK, PUBREC, PUBREL and PUBCOMP (MQTT 5, 3.4 to 3.7).</summary>
internal static class AckCodec
{
    /// <summary>An acknowledgement without reason code and properties: header, length and packet identifier.</summary>
    public const int BareSize = 4;

    /// <summary>The body of such a one.</summary>
    public const int BareBody = sizeof(ushort);

    public static bool IsAck(PacketType type) => type is >= PacketType.PubAck and <= PacketType.PubComp;

    /// <summary>Reads the packet identifier alone, which is a success: what nearly all acknowledgements are.</summary>
    public static Rule? ReadBare(ReadOnlySpan<byte> body, ref DecodedPacket packet)
    {
        ushort id = BinaryPrimitives.ReadUInt16BigEndian(body);
        packet.SetAck(id);
        return id == 0 ? Rules.AckIdZero : null;
    }

    /// <summary>Reads what is longer, and so 5.0: before, the length was checked with the fixed header.</summary>
    public static void Read(ref SpanReader reader, PacketType type, ref DecodedPacket packet)
    {
        ushort id = reader.PacketId(Rules.AckIdZero);
        var code = (ReasonCode)reader.Byte();
        reader.Require(ReasonCodeTable.IsLegal(code, type, reader.Sender), CodeRuleOf(type));
        PropertySection properties = reader.AtEnd ? default : reader.Properties(type);
        reader.RequireEnd();
        if (reader.Broken is null)
        {
            packet.SetAck(
                id,
                code,
                properties.Text(PropertyId.ReasonString),
                properties.Has(PropertyId.UserProperty) ? properties.UserProperties() : null);
        }
    }

    /// <summary>Whether the packet is its packet identifier alone: success, and no properties to send.</summary>
    public static bool IsBare(in AckPacket packet, MqttVersion version) =>
        version != MqttVersion.Mqtt5 || (packet.ReasonCode == ReasonCode.Success && !HasProperties(packet));

    public static int WriteBare(in AckPacket packet, Span<byte> destination)
    {
        ThrowIfIllegal(packet);
        BinaryPrimitives.WriteUInt32BigEndian(
            destination, ((uint)FixedHeader.FirstByteOf(packet.Type) << 24) | (BareBody << 16) | packet.PacketId);
        return BareSize;
    }

    public static void Write(ref SpanWriter writer, AckPacket packet)
    {
        ThrowIfIllegal(packet);
        writer.TwoBytes(packet.PacketId);
        if (IsBare(packet, writer.Version))
        {
            return;
        }

        ReasonCodeTable.ThrowIfIllegal(packet.ReasonCode, packet.Type);
        writer.Byte((byte)packet.ReasonCode);
        if (HasProperties(packet))
        {
            writer.Properties(packet, WriteProperties);
        }
    }

    public static void ThrowIfIllegal(in AckPacket packet)
    {
        if (!IsAck(packet.Type))
        {
            throw new ArgumentException($"{packet.Type} is not an acknowledgement.", nameof(packet));
        }

        if (packet.PacketId == 0)
        {
            throw new ArgumentException("The packet identifier is 0; take one from 1 to 65,535.", nameof(packet));
        }
    }

    private static bool HasProperties(in AckPacket packet) => packet.ReasonString is not null || packet.UserProperties is { Count: > 0 };

    private static void WriteProperties(ref SpanWriter writer, AckPacket packet)
    {
        writer.Property(PropertyId.ReasonString, packet.ReasonString);
        writer.Properties(packet.UserProperties);
    }

    private static Rule CodeRuleOf(PacketType type) => type switch
    {
        PacketType.PubAck => Rules.PubAckCode,
        PacketType.PubRec => Rules.PubRecCode,
        PacketType.PubRel => Rules.PubRelCode,
        _ => Rules.PubCompCode,
    };
}
