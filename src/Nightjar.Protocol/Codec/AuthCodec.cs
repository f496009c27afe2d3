using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Codec;

/// <summary>AUTH (MQTT 5, 3.15).</summary>
internal static class AuthCodec
{
    public static AuthPacket? Read(ref SpanReader reader)
    {
        bool bare = reader.AtEnd;
        ReasonCode code = bare ? ReasonCode.Success : (ReasonCode)reader.Byte();
        reader.Require(ReasonCodeTable.IsLegal(code, PacketType.Auth, reader.Sender), Rules.AuthCode);
        PropertySection properties = bare ? default : reader.Properties(PacketType.Auth);
        reader.RequireEnd();

        // A success without properties may leave everything out, the method too; nothing else may.
        reader.Require(
            properties.Has(PropertyId.AuthenticationMethod) || (code == ReasonCode.Success && properties.IsEmpty), Rules.AuthMethodMissing);
        return reader.Broken is not null ? null : new()
        {
            ReasonCode = code,
            AuthenticationMethod = properties.Text(PropertyId.AuthenticationMethod),
            AuthenticationData = properties.Binary(PropertyId.AuthenticationData),
            ReasonString = properties.Text(PropertyId.ReasonString),
            UserProperties = properties.UserProperties(),
        };
    }

    public static void Write(ref SpanWriter writer, AuthPacket packet)
    {
        if (writer.Version != MqttVersion.Mqtt5)
        {
            throw new ArgumentException("AUTH is a packet of 5.0 only.", nameof(packet));
        }

        ReasonCodeTable.ThrowIfIllegal(packet.ReasonCode, PacketType.Auth);
        if (packet.AuthenticationMethod is null)
        {
            bool bare = packet.ReasonCode == ReasonCode.Success && packet.AuthenticationData is null && packet.ReasonString is null
                && packet.UserProperties.Count == 0;
            if (!bare)
            {
                throw new ArgumentException("AUTH needs an authentication method, unless it is a bare success.", nameof(packet));
            }

            return;
        }

        writer.Byte((byte)packet.ReasonCode);
        writer.Properties(packet, WriteProperties);
    }

    private static void WriteProperties(ref SpanWriter writer, AuthPacket packet)
    {
        writer.Property(PropertyId.AuthenticationMethod, packet.AuthenticationMethod);
        writer.Property(PropertyId.AuthenticationData, packet.AuthenticationData);
        writer.Property(PropertyId.ReasonString, packet.ReasonString);
        writer.Properties(packet.UserProperties);
    }
}
