using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Codec;

/// <summary>CONNACK (MQTT 5, 3.2).</summary>
internal static class ConnAckCodec
{
    private const byte SessionPresent = 0b0000_0001;

    // The whole packet in 3.1 and 3.1.1. One of 5.0 is longer: it has at least a property length.
    private const int OlderBody = 2;

    public static ConnAckPacket? Read(ref SpanReader reader) =>
        reader.Version == MqttVersion.Mqtt5 && reader.Left != OlderBody ? Read5(ref reader) : ReadOlder(ref reader);

    public static void Write(ref SpanWriter writer, ConnAckPacket packet)
    {
        if (packet.SessionPresent && packet.ReasonCode != ReasonCode.Success)
        {
            throw new ArgumentException("A refused connection has no session present [MQTT5-3.2.2-6].", nameof(packet));
        }

        writer.Byte(packet.SessionPresent && writer.Version != MqttVersion.Mqtt31 ? SessionPresent : (byte)0);
        if (writer.Version != MqttVersion.Mqtt5)
        {
            writer.Byte(ConnAckReturnCode.From(packet.ReasonCode));
            return;
        }

        ReasonCodeTable.ThrowIfIllegal(packet.ReasonCode, PacketType.ConnAck);
        writer.Byte((byte)packet.ReasonCode);
        writer.Properties(packet, WriteProperties);
    }

    private static ConnAckPacket? Read5(ref SpanReader reader)
    {
        byte flags = reader.Byte();
        var code = (ReasonCode)reader.Byte();
        reader.Require((flags & ~SessionPresent) == 0, Rules.ConnAckFlags);
        reader.Require(ReasonCodeTable.IsLegal(code, PacketType.ConnAck, PacketSender.Server), Rules.ConnAckCode);
        reader.Require(flags == 0 || code == ReasonCode.Success, Rules.SessionPresentOnRefusal);
        PropertySection properties = reader.Properties(PacketType.ConnAck);
        reader.RequireEnd();
        return reader.Broken is not null ? null : new()
        {
            SessionPresent = flags != 0,
            ReasonCode = code,
            SessionExpiryInterval = properties.Number(PropertyId.SessionExpiryInterval),
            ReceiveMaximum = properties.TwoBytes(PropertyId.ReceiveMaximum),
            MaximumQoS = (QoS?)properties.Number(PropertyId.MaximumQoS),
            RetainAvailable = properties.Flag(PropertyId.RetainAvailable),
            MaximumPacketSize = properties.Number(PropertyId.MaximumPacketSize),
            AssignedClientIdentifier = properties.Text(PropertyId.AssignedClientIdentifier),
            TopicAliasMaximum = properties.TwoBytes(PropertyId.TopicAliasMaximum),
            ReasonString = properties.Text(PropertyId.ReasonString),
            WildcardSubscriptionAvailable = properties.Flag(PropertyId.WildcardSubscriptionAvailable),
            SubscriptionIdentifiersAvailable = properties.Flag(PropertyId.SubscriptionIdentifierAvailable),
            SharedSubscriptionAvailable = properties.Flag(PropertyId.SharedSubscriptionAvailable),
            ServerKeepAlive = properties.TwoBytes(PropertyId.ServerKeepAlive),
            ResponseInformation = properties.Text(PropertyId.ResponseInformation),
            ServerReference = properties.Text(PropertyId.ServerReference),
            AuthenticationMethod = properties.Text(PropertyId.AuthenticationMethod),
            AuthenticationData = properties.Binary(PropertyId.AuthenticationData),
            UserProperties = properties.UserProperties(),
        };
    }

    private static ConnAckPacket? ReadOlder(ref SpanReader reader)
    {
        byte flags = reader.Byte();
        byte returnCode = reader.Byte();
        if (reader.Version == MqttVersion.Mqtt31)
        {
            // The byte is there and has no meaning yet.
            flags = 0;
        }

        reader.Require((flags & ~SessionPresent) == 0, Rules.ConnAckFlags);
        reader.Require(TryReadCode(returnCode, reader.Version, out ReasonCode code), Rules.ConnAckCode);
        reader.Require(flags == 0 || code == ReasonCode.Success, Rules.SessionPresentOnRefusal);

        // A server that does not know 5.0 refuses in its own words; none accepts in them.
        reader.Require(reader.Version != MqttVersion.Mqtt5 || code != ReasonCode.Success, Rules.ConnAckAcceptsAsOlder);
        reader.RequireEnd();
        return reader.Broken is not null ? null : new() { SessionPresent = flags != 0, ReasonCode = code };
    }

    private static bool TryReadCode(byte returnCode, MqttVersion version, out ReasonCode code)
    {
        if (version == MqttVersion.Mqtt5 && returnCode == (byte)ReasonCode.UnsupportedProtocolVersion)
        {
            code = ReasonCode.UnsupportedProtocolVersion;
            return true;
        }

        return ConnAckReturnCode.TryRead(returnCode, out code);
    }

    private static void WriteProperties(ref SpanWriter writer, ConnAckPacket packet)
    {
        writer.Property(PropertyId.SessionExpiryInterval, packet.SessionExpiryInterval);
        writer.Property(PropertyId.ReceiveMaximum, packet.ReceiveMaximum);
        writer.Property(PropertyId.MaximumQoS, (uint?)packet.MaximumQoS);
        writer.Property(PropertyId.RetainAvailable, packet.RetainAvailable);
        writer.Property(PropertyId.MaximumPacketSize, packet.MaximumPacketSize);
        writer.Property(PropertyId.AssignedClientIdentifier, packet.AssignedClientIdentifier);
        writer.Property(PropertyId.TopicAliasMaximum, packet.TopicAliasMaximum);
        writer.Property(PropertyId.ReasonString, packet.ReasonString);
        writer.Property(PropertyId.WildcardSubscriptionAvailable, packet.WildcardSubscriptionAvailable);
        writer.Property(PropertyId.SubscriptionIdentifierAvailable, packet.SubscriptionIdentifiersAvailable);
        writer.Property(PropertyId.SharedSubscriptionAvailable, packet.SharedSubscriptionAvailable);
        writer.Property(PropertyId.ServerKeepAlive, packet.ServerKeepAlive);
        writer.Property(PropertyId.ResponseInformation, packet.ResponseInformation);
        writer.Property(PropertyId.ServerReference, packet.ServerReference);
        writer.Property(PropertyId.AuthenticationMethod, packet.AuthenticationMethod);
        writer.Property(PropertyId.AuthenticationData, packet.AuthenticationData);
        writer.Properties(packet.UserProperties);
    }
}
