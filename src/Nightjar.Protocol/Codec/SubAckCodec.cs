using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Codec;

/// <summary>SUBACK (MQTT 5, 3.9).</summary>
internal static class SubAckCodec
{
    public static SubAckPacket? Read(ref SpanReader reader)
    {
        ushort id = reader.PacketId(Rules.AnswerIdZero);
        PropertySection properties = reader.Properties(PacketType.SubAck);
        ReadOnlySpan<byte> codes = reader.Rest();
        reader.Require(!codes.IsEmpty, Rules.SubAckEmpty);
        foreach (byte code in codes)
        {
            reader.Require(IsLegal((ReasonCode)code, reader.Version), Rules.SubAckCode);
        }

        return reader.Broken is not null ? null : new()
        {
            PacketId = id,
            ReasonCodes = ReasonCodeList.Read(codes),
            ReasonString = properties.Text(PropertyId.ReasonString),
            UserProperties = properties.UserProperties(),
        };
    }

    public static void Write(ref SpanWriter writer, SubAckPacket packet)
    {
        if (packet.ReasonCodes.Count == 0)
        {
            throw new ArgumentException("A SUBACK needs one code per topic filter [MQTT5-3.8.4-6].", nameof(packet));
        }

        writer.PacketId(packet.PacketId);
        writer.Properties(packet, WriteProperties);
        for (int i = 0; i < packet.ReasonCodes.Count; i++)
        {
            ReasonCode code = packet.ReasonCodes[i];
            ReasonCodeTable.ThrowIfIllegal(code, PacketType.SubAck);

            // Before 5.0 there is one failure, and it has the number of the unspecified error.
            bool older = writer.Version != MqttVersion.Mqtt5;
            writer.Byte((byte)(older && code.IsFailure() ? ReasonCode.UnspecifiedError : code));
        }
    }

    private static bool IsLegal(ReasonCode code, MqttVersion version) => version == MqttVersion.Mqtt5
        ? ReasonCodeTable.IsLegal(code, PacketType.SubAck, PacketSender.Server)
        : code is <= ReasonCode.GrantedQoS2 or ReasonCode.UnspecifiedError;

    private static void WriteProperties(ref SpanWriter writer, SubAckPacket packet)
    {
        writer.Property(PropertyId.ReasonString, packet.ReasonString);
        writer.Properties(packet.UserProperties);
    }
}
