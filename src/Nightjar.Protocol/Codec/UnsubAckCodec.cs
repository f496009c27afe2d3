using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Codec;

/// <summary>UNSUBACK (MQTT 5, 3.11).</summary>
internal static class UnsubAckCodec
{
    public static UnsubAckPacket? Read(ref SpanReader reader)
    {
        ushort id = reader.PacketId(Rules.AnswerIdZero);
        PropertySection properties = reader.Properties(PacketType.UnsubAck);
        ReadOnlySpan<byte> codes = reader.Rest();

        // Before 5.0 the length was checked with the fixed header: there are no codes.
        reader.Require(!codes.IsEmpty || reader.Version != MqttVersion.Mqtt5, Rules.UnsubAckEmpty);
        foreach (byte code in codes)
        {
            reader.Require(ReasonCodeTable.IsLegal((ReasonCode)code, PacketType.UnsubAck, PacketSender.Server), Rules.UnsubAckCode);
        }

        return reader.Broken is not null ? null : new()
        {
            PacketId = id,
            ReasonCodes = ReasonCodeList.Read(codes),
            ReasonString = properties.Text(PropertyId.ReasonString),
            UserProperties = properties.UserProperties(),
        };
    }

    public static void Write(ref SpanWriter writer, UnsubAckPacket packet)
    {
        writer.PacketId(packet.PacketId);
        if (writer.Version != MqttVersion.Mqtt5)
        {
            return;
        }

        if (packet.ReasonCodes.Count == 0)
        {
            throw new ArgumentException("A 5.0 UNSUBACK needs one reason code per topic filter [MQTT5-3.11.3-1].", nameof(packet));
        }

        writer.Properties(packet, WriteProperties);
        for (int i = 0; i < packet.ReasonCodes.Count; i++)
        {
            ReasonCodeTable.ThrowIfIllegal(packet.ReasonCodes[i], PacketType.UnsubAck);
            writer.Byte((byte)packet.ReasonCodes[i]);
        }
    }

    private static void WriteProperties(ref SpanWriter writer, UnsubAckPacket packet)
    {
        writer.Property(PropertyId.ReasonString, packet.ReasonString);
        writer.Properties(packet.UserProperties);
    }
}
