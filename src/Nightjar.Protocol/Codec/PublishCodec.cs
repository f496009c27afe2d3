using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Codec;

/// <summary>PUBLISH (MQTT 5, 3.3): the one packet that is worth every nanosecond, and that may come in pieces.</summary>
internal static class PublishCodec
{
    /// <summary>What <see cref="Read"/> returns when the bytes end before the variable header does.</summary>
    public static readonly Rule Incomplete = Rules.Truncated;

    /// <summary>Reads the variable header; the payload is what follows it in <paramref name="body"/>. Null if it keeps all rules.</summary>
    /// <param name="first">The first byte of the packet, already checked.</param>
    /// <param name="body">The body, or its beginning.</param>
    /// <param name="version">The version in use.</param>
    /// <param name="sender">Who sent it.</param>
    /// <param name="packet">Gets the PUBLISH.</param>
    public static Rule? Read(byte first, ReadOnlySpan<byte> body, MqttVersion version, PacketSender sender, ref DecodedPacket packet)
    {
        if (body.Length < sizeof(ushort))
        {
            return Incomplete;
        }

        int qos = (first >> 1) & 0b11;
        int topicLength = BinaryPrimitives.ReadUInt16BigEndian(body);
        int offset = sizeof(ushort) + topicLength;
        int payload = offset + (qos == 0 ? 0 : sizeof(ushort));
        if (payload > body.Length)
        {
            return Incomplete;
        }

        ReadOnlySpan<byte> topic = body.Slice(sizeof(ushort), topicLength);
        if (!TopicRules.IsPlain(topic) && TopicRules.CheckName(topic, Rules.PublishTopicHasWildcard) is { } illTopic)
        {
            return illTopic;
        }

        ushort id = 0;
        if (qos != 0)
        {
            id = BinaryPrimitives.ReadUInt16BigEndian(body[offset..]);
            if (id == 0)
            {
                return sender == PacketSender.Server ? Rules.PublishIdZeroFromServer : Rules.PublishIdZeroFromClient;
            }
        }

        ushort alias = 0;
        ReadOnlySpan<byte> properties = default;
        if (version == MqttVersion.Mqtt5)
        {
            if (payload >= body.Length)
            {
                return Incomplete;
            }

            if (body[payload] == 0)
            {
                payload++;
            }
            else if (ReadProperties(body, ref payload, sender, out properties, out alias) is { } illProperties)
            {
                return illProperties;
            }
        }

        if (topicLength == 0 && alias == 0)
        {
            return Rules.TopicEmpty;
        }

        packet.SetPublish(first, id, alias, topic, properties, body[payload..]);
        return null;
    }

    /// <summary>The body's size; above what four length bytes can say if it cannot be sent.</summary>
    /// <exception cref="ArgumentException">The packet must not be sent.</exception>
    public static long BodySize(in PublishPacket packet, MqttVersion version, out int propertiesSize)
    {
        ThrowIfIllegal(packet, version);
        int idSize = packet.QoS == QoS.AtMostOnce ? 0 : sizeof(ushort);
        long size = sizeof(ushort) + packet.Topic.Length + idSize + (long)packet.Payload.Length;
        propertiesSize = 0;
        if (version != MqttVersion.Mqtt5)
        {
            return size;
        }

        propertiesSize = packet.Properties.Length + (packet.TopicAlias != 0 && !HasAlias(packet.Properties) ? AliasSize : 0);
        return size + VariableByteInteger.SizeOf((uint)propertiesSize) + propertiesSize;
    }

    /// <summary>Writes the packet, whose body has the size that <see cref="BodySize"/> said.</summary>
    public static int Write(in PublishPacket packet, MqttVersion version, int bodySize, int propertiesSize, Span<byte> destination)
    {
        int flags = (packet.Duplicate ? 0b1000 : 0) | ((int)packet.QoS << 1) | (packet.Retain ? 0b0001 : 0);
        destination[0] = (byte)(((int)PacketType.Publish << 4) | flags);
        int offset = 1 + VariableByteInteger.Write(destination[1..], (uint)bodySize);
        BinaryPrimitives.WriteUInt16BigEndian(destination[offset..], (ushort)packet.Topic.Length);
        offset += sizeof(ushort);
        packet.Topic.CopyTo(destination[offset..]);
        offset += packet.Topic.Length;
        if (packet.QoS != QoS.AtMostOnce)
        {
            BinaryPrimitives.WriteUInt16BigEndian(destination[offset..], packet.PacketId);
            offset += sizeof(ushort);
        }

        if (version == MqttVersion.Mqtt5)
        {
            if (propertiesSize == 0)
            {
                destination[offset++] = 0;
            }
            else
            {
                offset += WriteProperties(packet, propertiesSize, destination[offset..]);
            }
        }

        packet.Payload.CopyTo(destination[offset..]);
        return offset + packet.Payload.Length;
    }

    // Identifier and two bytes.
    private const int AliasSize = 1 + sizeof(ushort);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Rule? ReadProperties(
        ReadOnlySpan<byte> body, scoped ref int offset, PacketSender sender, out ReadOnlySpan<byte> section, out ushort alias)
    {
        section = default;
        alias = 0;
        int size = VariableByteInteger.Read(body[offset..], out uint length);
        if (size <= 0)
        {
            return size == 0 ? Incomplete : Rules.LengthTooLong;
        }

        if (size != VariableByteInteger.SizeOf(length))
        {
            return Rules.LengthNotMinimal;
        }

        offset += size;
        if (length > (uint)(body.Length - offset))
        {
            return Incomplete;
        }

        section = body.Slice(offset, (int)length);
        offset += (int)length;
        Rule? broken = PropertySection.Validate(section, PacketType.Publish, sender, out PropertySection properties);
        alias = properties.TwoBytes(PropertyId.TopicAlias) ?? 0;
        return broken;
    }

    private static int WriteProperties(in PublishPacket packet, int size, Span<byte> destination)
    {
        int offset = VariableByteInteger.Write(destination, (uint)size);
        if (size > packet.Properties.Length)
        {
            destination[offset] = (byte)PropertyId.TopicAlias;
            BinaryPrimitives.WriteUInt16BigEndian(destination[(offset + 1)..], packet.TopicAlias);
            offset += AliasSize;
        }

        packet.Properties.CopyTo(destination[offset..]);
        return offset + packet.Properties.Length;
    }

    private static bool HasAlias(ReadOnlySpan<byte> properties)
    {
        PropertyReader reader = new(properties);
        while (reader.Read())
        {
            if (reader.Id == PropertyId.TopicAlias)
            {
                return true;
            }
        }

        return false;
    }

    private static void ThrowIfIllegal(in PublishPacket packet, MqttVersion version)
    {
        if (packet.Topic.Length is 0 or > ushort.MaxValue)
        {
            ThrowIfTopicIllegal(packet, version);
        }

        if (packet.QoS == QoS.AtMostOnce ? packet.PacketId != 0 || packet.Duplicate : packet.PacketId == 0 || packet.QoS > QoS.ExactlyOnce)
        {
            ThrowIllegal(packet.QoS);
        }
    }

    private static void ThrowIfTopicIllegal(in PublishPacket packet, MqttVersion version)
    {
        if (packet.Topic.Length > ushort.MaxValue)
        {
            throw new ArgumentException("The topic is longer than 65,535 bytes; shorten it.", nameof(packet));
        }

        if (packet.TopicAlias == 0 || version != MqttVersion.Mqtt5)
        {
            throw new ArgumentException("The topic is empty and no topic alias stands for it.", nameof(packet));
        }
    }

    private static void ThrowIllegal(QoS qos) => throw new ArgumentException(qos switch
    {
        QoS.AtMostOnce => "At QoS 0 a PUBLISH has neither packet identifier nor DUP.",
        QoS.AtLeastOnce or QoS.ExactlyOnce => "The packet identifier is 0; take one from 1 to 65,535.",
        _ => "There is no QoS above 2.",
    }, nameof(qos));
}
