using System.Text;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Topics;

namespace Nightjar.Protocol.Codec;

/// <summary>CONNECT (MQTT 5, 3.1). It tells a broker which version the connection speaks.</summary>
internal static class ConnectCodec
{
    // 3.1 had another name, and its own number with it.
    private static ReadOnlySpan<byte> Name => "MQTT"u8;

    private static ReadOnlySpan<byte> NameOf31 => "MQIsdp"u8;

    // The connect flags (3.1.2.3).
    private const int Reserved = 1 << 0;
    private const int CleanStart = 1 << 1;
    private const int WillFlag = 1 << 2;
    private const int WillQoSShift = 3;
    private const int WillQoSMask = 0b11 << WillQoSShift;
    private const int WillRetain = 1 << 5;
    private const int PasswordFlag = 1 << 6;
    private const int UserNameFlag = 1 << 7;

    public static ConnectPacket? Read(ref SpanReader reader)
    {
        ReadVersion(ref reader);
        int flags = reader.Byte();
        ushort keepAlive = reader.TwoBytes();
        reader.Require(CheckFlags(flags, reader.Version));
        PropertySection properties = reader.Properties(PacketType.Connect);
        bool dataAlone = properties.Has(PropertyId.AuthenticationData) && !properties.Has(PropertyId.AuthenticationMethod);
        reader.Require(!dataAlone, Rules.AuthenticationDataAlone);
        string clientId = reader.Text();
        reader.Require(
            clientId.Length > 0 || reader.Version == MqttVersion.Mqtt5 || IsAnonymous(flags, reader.Version), Rules.ClientIdEmpty);
        WillPacket? will = (flags & WillFlag) != 0 ? ReadWill(ref reader, flags) : null;

        // 3.1 lets the length overrule the flags: user name and password may be missing all the same.
        bool lenient = reader.Version == MqttVersion.Mqtt31;
        string? userName = (flags & UserNameFlag) != 0 && !(lenient && reader.AtEnd) ? reader.Text() : null;
        ReadOnlySpan<byte> password = default;
        bool hasPassword = (flags & PasswordFlag) != 0 && !(lenient && reader.AtEnd);
        if (hasPassword)
        {
            password = reader.Binary();
        }

        reader.RequireEnd();
        return reader.Broken is not null ? null : new()
        {
            Version = reader.Version,
            CleanStart = (flags & CleanStart) != 0,
            KeepAlive = keepAlive,
            ClientId = clientId,
            UserName = userName,
            Password = hasPassword ? new ReadOnlyMemory<byte>?(password.ToArray()) : null,
            Will = will,
            SessionExpiryInterval = properties.Number(PropertyId.SessionExpiryInterval),
            ReceiveMaximum = properties.TwoBytes(PropertyId.ReceiveMaximum),
            MaximumPacketSize = properties.Number(PropertyId.MaximumPacketSize),
            TopicAliasMaximum = properties.TwoBytes(PropertyId.TopicAliasMaximum),
            RequestResponseInformation = properties.Flag(PropertyId.RequestResponseInformation),
            RequestProblemInformation = properties.Flag(PropertyId.RequestProblemInformation),
            AuthenticationMethod = properties.Text(PropertyId.AuthenticationMethod),
            AuthenticationData = properties.Binary(PropertyId.AuthenticationData),
            UserProperties = properties.UserProperties(),
        };
    }

    public static void Write(ref SpanWriter writer, ConnectPacket packet)
    {
        ThrowIfIllegal(packet);
        writer.Binary(packet.Version == MqttVersion.Mqtt31 ? NameOf31 : Name);
        writer.Byte((byte)packet.Version);
        writer.Byte((byte)FlagsOf(packet));
        writer.TwoBytes(packet.KeepAlive);
        writer.Properties(packet, WriteProperties);
        writer.Text(packet.ClientId);
        if (packet.Will is { } will)
        {
            writer.Properties(will, WriteWillProperties);
            TopicName.ThrowIfInvalid(will.Topic, nameof(packet));
            writer.Text(will.Topic);
            writer.Binary(will.Payload.Span);
        }

        if (packet.UserName is not null)
        {
            writer.Text(packet.UserName);
        }

        if (packet.Password is { } password)
        {
            writer.Binary(password.Span);
        }
    }

    private static void ReadVersion(ref SpanReader reader)
    {
        ReadOnlySpan<byte> name = reader.Binary();
        bool is31 = name.SequenceEqual(NameOf31);
        reader.Require(is31 || name.SequenceEqual(Name), Rules.ProtocolName);
        byte level = reader.Byte();
        if (reader.Broken is not null)
        {
            return;
        }

        bool known = level == (byte)MqttVersion.Mqtt31 ? is31 : !is31 && level is (byte)MqttVersion.Mqtt311 or (byte)MqttVersion.Mqtt5;

        // What the refusal is written in: nobody who asks for something newer is older than 5.0.
        reader.Version = known ? (MqttVersion)level : level > (byte)MqttVersion.Mqtt5 ? MqttVersion.Mqtt5 : MqttVersion.Mqtt311;
        reader.Require(known, Rules.ProtocolVersion);
    }

    private static Rule? CheckFlags(int flags, MqttVersion version)
    {
        if ((flags & Reserved) != 0 && version != MqttVersion.Mqtt31)
        {
            return Rules.ConnectReservedFlag;
        }

        if ((flags & WillFlag) == 0)
        {
            return (flags & WillQoSMask) != 0 ? Rules.WillQoSWithoutWill
                : (flags & WillRetain) != 0 ? Rules.WillRetainWithoutWill
                : CheckPassword(flags, version);
        }

        return (flags & WillQoSMask) == WillQoSMask ? Rules.WillQoS3 : CheckPassword(flags, version);
    }

    private static Rule? CheckPassword(int flags, MqttVersion version) =>
        version != MqttVersion.Mqtt5 && (flags & (PasswordFlag | UserNameFlag)) == PasswordFlag
            ? Rules.PasswordWithoutUserName
            : null;

    // 3.1 asks for a client identifier in any case.
    private static bool IsAnonymous(int flags, MqttVersion version) =>
        version == MqttVersion.Mqtt311 && (flags & CleanStart) != 0;

    private static WillPacket? ReadWill(ref SpanReader reader, int flags)
    {
        PropertySection properties = reader.Properties(PropertyTable.Will);
        ReadOnlySpan<byte> topic = reader.Binary();
        ReadOnlySpan<byte> payload = reader.Binary();
        if (reader.Broken is null)
        {
            reader.Require(TopicRules.CheckName(topic, Rules.TopicHasWildcard));
        }

        return reader.Broken is not null ? null : new()
        {
            Topic = Encoding.UTF8.GetString(topic),
            Payload = payload.ToArray(),
            QoS = (QoS)((flags & WillQoSMask) >> WillQoSShift),
            Retain = (flags & WillRetain) != 0,
            DelayInterval = properties.Number(PropertyId.WillDelayInterval),
            PayloadFormat = (PayloadFormat?)properties.Number(PropertyId.PayloadFormatIndicator),
            MessageExpiryInterval = properties.Number(PropertyId.MessageExpiryInterval),
            ContentType = properties.Text(PropertyId.ContentType),
            ResponseTopic = properties.Text(PropertyId.ResponseTopic),
            CorrelationData = properties.Binary(PropertyId.CorrelationData),
            UserProperties = properties.UserProperties(),
        };
    }

    private static int FlagsOf(ConnectPacket packet)
    {
        int flags = packet.CleanStart ? CleanStart : 0;
        flags |= packet.UserName is null ? 0 : UserNameFlag;
        flags |= packet.Password is null ? 0 : PasswordFlag;
        return packet.Will is { } will ? flags | WillFlag | ((int)will.QoS << WillQoSShift) | (will.Retain ? WillRetain : 0) : flags;
    }

    private static void WriteProperties(ref SpanWriter writer, ConnectPacket packet)
    {
        writer.Property(PropertyId.SessionExpiryInterval, packet.SessionExpiryInterval);
        writer.Property(PropertyId.ReceiveMaximum, packet.ReceiveMaximum);
        writer.Property(PropertyId.MaximumPacketSize, packet.MaximumPacketSize);
        writer.Property(PropertyId.TopicAliasMaximum, packet.TopicAliasMaximum);
        writer.Property(PropertyId.RequestResponseInformation, packet.RequestResponseInformation);
        writer.Property(PropertyId.RequestProblemInformation, packet.RequestProblemInformation);
        writer.Property(PropertyId.AuthenticationMethod, packet.AuthenticationMethod);
        writer.Property(PropertyId.AuthenticationData, packet.AuthenticationData);
        writer.Properties(packet.UserProperties);
    }

    private static void WriteWillProperties(ref SpanWriter writer, WillPacket will)
    {
        writer.Property(PropertyId.WillDelayInterval, will.DelayInterval);
        writer.Property(PropertyId.PayloadFormatIndicator, (uint?)will.PayloadFormat);
        writer.Property(PropertyId.MessageExpiryInterval, will.MessageExpiryInterval);
        writer.Property(PropertyId.ContentType, will.ContentType);
        writer.Property(PropertyId.ResponseTopic, will.ResponseTopic);
        writer.Property(PropertyId.CorrelationData, will.CorrelationData);
        writer.Properties(will.UserProperties);
    }

    private static void ThrowIfIllegal(ConnectPacket packet)
    {
        if (packet.Version is < MqttVersion.Mqtt31 or > MqttVersion.Mqtt5)
        {
            throw new ArgumentException($"{(byte)packet.Version} is not a version of MQTT.", nameof(packet));
        }

        if (packet.Will is { QoS: > QoS.ExactlyOnce })
        {
            throw new ArgumentException("There is no will QoS above 2.", nameof(packet));
        }

        if (packet.Version == MqttVersion.Mqtt5)
        {
            if (packet.AuthenticationData is not null && packet.AuthenticationMethod is null)
            {
                throw new ArgumentException("Authentication data need an authentication method [MQTT5-3.1.2.11.10].", nameof(packet));
            }

            return;
        }

        if (packet.Password is not null && packet.UserName is null)
        {
            throw new ArgumentException("Before 5.0 a password needs a user name [MQTT311-3.1.2-22].", nameof(packet));
        }

        if (packet.ClientId.Length == 0 && !IsAnonymous(FlagsOf(packet), packet.Version))
        {
            throw new ArgumentException(
                "An empty client identifier needs 5.0, or 3.1.1 with a clean session [MQTT311-3.1.3-7].", nameof(packet));
        }
    }
}
