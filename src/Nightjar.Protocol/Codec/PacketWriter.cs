using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Codec;

/// <summary>
/// Writes packets. For each packet there is <c>GetSize</c> (the whole packet in bytes, or -1 if it exceeds what four length bytes can
/// say) and <c>Write</c>, which returns what it wrote. Both throw <see cref="ArgumentException"/> if the packet is one that must not be
/// sent, and <c>Write</c> also if the destination is shorter than that size: misuse by the caller, never by a peer. Properties are
/// left out for 3.1 and 3.1.1, and so is what else these versions cannot say. Thread-safe.
/// </summary>
/// <remarks>Texts are checked. The spans of a PUBLISH are not: whoever made them did, once, and not for each packet.</remarks>
public static class PacketWriter
{
    /// <summary>The size of a PUBLISH.</summary>
    public static int GetSize(in PublishPacket packet, MqttVersion version) => SizeOf(PublishCodec.BodySize(packet, version, out _));

    /// <summary>Writes a PUBLISH; allocates nothing.</summary>
    public static int Write(in PublishPacket packet, MqttVersion version, Span<byte> destination)
    {
        long bodySize = PublishCodec.BodySize(packet, version, out int propertiesSize);
        ThrowIfTooShort(SizeOf(bodySize), destination.Length);
        return PublishCodec.Write(packet, version, (int)bodySize, propertiesSize, destination);
    }

    /// <summary>The size of an acknowledgement.</summary>
    public static int GetSize(in AckPacket packet, MqttVersion version)
    {
        if (!AckCodec.IsBare(packet, version))
        {
            return SizeOf(CountBody(packet, version));
        }

        AckCodec.ThrowIfIllegal(packet);
        return AckCodec.BareSize;
    }

    /// <summary>Writes an acknowledgement; allocates nothing.</summary>
    public static int Write(in AckPacket packet, MqttVersion version, Span<byte> destination)
    {
        if (!AckCodec.IsBare(packet, version))
        {
            return Write(packet.Type, CountBody(packet, version), destination, version, packet, AckCodec.Write);
        }

        ThrowIfTooShort(AckCodec.BareSize, destination.Length);
        return AckCodec.WriteBare(packet, destination);
    }

    /// <summary>The size of a CONNECT; its version is its own.</summary>
    public static int GetSize(ConnectPacket packet)
    {
        ArgumentNullException.ThrowIfNull(packet);
        return GetSize((object)packet, packet.Version);
    }

    /// <summary>Writes a CONNECT.</summary>
    public static int Write(ConnectPacket packet, Span<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(packet);
        return Write((object)packet, packet.Version, destination);
    }

    /// <summary>The size of any packet but PUBLISH: a ConnectPacket, a ConnAckPacket, a boxed AckPacket, a boxed PingReqPacket...</summary>
    public static int GetSize(object packet, MqttVersion version)
    {
        var counter = SpanWriter.Counter(VersionOf(packet, version));
        WriteBody(ref counter, packet);
        return SizeOf(counter.Position);
    }

    /// <summary>Writes any packet but PUBLISH.</summary>
    public static int Write(object packet, MqttVersion version, Span<byte> destination)
    {
        version = VersionOf(packet, version);
        var counter = SpanWriter.Counter(version);
        WriteBody(ref counter, packet);
        return Write(TypeOf(packet), counter.Position, destination, version, packet, WriteBody);
    }

    /// <summary>Any packet but PUBLISH as an array of its own: for tests and tools.</summary>
    public static byte[] ToArray(object packet, MqttVersion version)
    {
        byte[] bytes = new byte[RequireSize(GetSize(packet, version))];
        Write(packet, version, bytes);
        return bytes;
    }

    /// <summary>A PUBLISH as an array of its own: for tests and tools.</summary>
    public static byte[] ToArray(in PublishPacket packet, MqttVersion version)
    {
        byte[] bytes = new byte[RequireSize(GetSize(packet, version))];
        Write(packet, version, bytes);
        return bytes;
    }

    private static int SizeOf(long bodySize) => bodySize <= VariableByteInteger.Maximum ? FixedHeader.SizeOf((int)bodySize) : -1;

    private static long CountBody(in AckPacket packet, MqttVersion version)
    {
        var counter = SpanWriter.Counter(version);
        AckCodec.Write(ref counter, packet);
        return counter.Position;
    }

    private static int Write<T>(
        PacketType type, long bodySize, Span<byte> destination, MqttVersion version, T packet, SectionContent<T> writeBody)
    {
        int size = SizeOf(bodySize);
        ThrowIfTooShort(size, destination.Length);
        destination[0] = FixedHeader.FirstByteOf(type);
        int headerSize = 1 + VariableByteInteger.Write(destination[1..], (uint)bodySize);
        SpanWriter writer = new(version, destination[headerSize..size]);
        writeBody(ref writer, packet);
        return size;
    }

    private static void WriteBody(ref SpanWriter writer, object packet)
    {
        switch (packet)
        {
            case ConnectPacket connect:
                ConnectCodec.Write(ref writer, connect);
                break;
            case ConnAckPacket connAck:
                ConnAckCodec.Write(ref writer, connAck);
                break;
            case AckPacket ack:
                AckCodec.Write(ref writer, ack);
                break;
            case SubscribePacket subscribe:
                SubscribeCodec.Write(ref writer, subscribe);
                break;
            case SubAckPacket subAck:
                SubAckCodec.Write(ref writer, subAck);
                break;
            case UnsubscribePacket unsubscribe:
                UnsubscribeCodec.Write(ref writer, unsubscribe);
                break;
            case UnsubAckPacket unsubAck:
                UnsubAckCodec.Write(ref writer, unsubAck);
                break;
            case DisconnectPacket disconnect:
                DisconnectCodec.Write(ref writer, disconnect);
                break;
            case AuthPacket auth:
                AuthCodec.Write(ref writer, auth);
                break;
            default:
                // PINGREQ and PINGRESP have no body.
                _ = TypeOf(packet);
                break;
        }
    }

    private static PacketType TypeOf(object packet) => packet switch
    {
        ConnectPacket => PacketType.Connect,
        ConnAckPacket => PacketType.ConnAck,
        AckPacket ack => ack.Type,
        SubscribePacket => PacketType.Subscribe,
        SubAckPacket => PacketType.SubAck,
        UnsubscribePacket => PacketType.Unsubscribe,
        UnsubAckPacket => PacketType.UnsubAck,
        PingReqPacket => PacketType.PingReq,
        PingRespPacket => PacketType.PingResp,
        DisconnectPacket => PacketType.Disconnect,
        AuthPacket => PacketType.Auth,
        null => throw new ArgumentNullException(nameof(packet)),
        _ => throw new ArgumentException($"{packet.GetType().Name} is not a packet.", nameof(packet)),
    };

    private static MqttVersion VersionOf(object packet, MqttVersion version) => packet is ConnectPacket connect ? connect.Version : version;

    private static int RequireSize(int size) => size >= 0
        ? size
        : throw new ArgumentException("The packet is larger than MQTT can say: 268,435,455 bytes after the length.", nameof(size));

    private static void ThrowIfTooShort(int size, int room)
    {
        _ = RequireSize(size);
        if (room < size)
        {
            throw new ArgumentException($"The packet has {size} bytes, and there is room for {room}.", nameof(room));
        }
    }
}
