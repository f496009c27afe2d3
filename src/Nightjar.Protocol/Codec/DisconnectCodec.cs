using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Codec;

/// <summary>DISCONNECT (MQTT 5, 3.14).</summary>
internal static class DisconnectCodec
{
    public static DisconnectPacket? Read(ref SpanReader reader)
    {
        // What is left out is 0: the reason code, and then the property length.
        ReasonCode code = reader.AtEnd ? ReasonCode.Success : (ReasonCode)reader.Byte();
        reader.Require(ReasonCodeTable.IsLegal(code, PacketType.Disconnect, reader.Sender), Rules.DisconnectCode);
        PropertySection properties = reader.AtEnd ? default : reader.Properties(PacketType.Disconnect);
        bool fromServer = reader.Sender == PacketSender.Server;
        reader.Require(!fromServer || !properties.Has(PropertyId.SessionExpiryInterval), Rules.SessionExpiryFromServer);
        reader.Require(fromServer || !properties.Has(PropertyId.ServerReference), Rules.ServerReferenceFromClient);
        reader.RequireEnd();
        return reader.Broken is not null ? null : new()
        {
            ReasonCode = code,
            SessionExpiryInterval = properties.Number(PropertyId.SessionExpiryInterval),
            ReasonString = properties.Text(PropertyId.ReasonString),
            ServerReference = properties.Text(PropertyId.ServerReference),
            UserProperties = properties.UserProperties(),
        };
    }

    public static void Write(ref SpanWriter writer, DisconnectPacket packet)
    {
        if (writer.Version != MqttVersion.Mqtt5)
        {
            return;
        }

        ReasonCodeTable.ThrowIfIllegal(packet.ReasonCode, PacketType.Disconnect);
        bool hasProperties = packet.SessionExpiryInterval is not null || packet.ReasonString is not null
            || packet.ServerReference is not null || packet.UserProperties.Count > 0;
        if (packet.ReasonCode == ReasonCode.Success && !hasProperties)
        {
            return;
        }

        writer.Byte((byte)packet.ReasonCode);
        if (hasProperties)
        {
            writer.Properties(packet, WriteProperties);
        }
    }

    private static void WriteProperties(ref SpanWriter writer, DisconnectPacket packet)
    {
        writer.Property(PropertyId.SessionExpiryInterval, packet.SessionExpiryInterval);
        writer.Property(PropertyId.ReasonString, packet.ReasonString);
        writer.Property(PropertyId.ServerReference, packet.ServerReference);
        writer.Properties(packet.UserProperties);
    }
}
