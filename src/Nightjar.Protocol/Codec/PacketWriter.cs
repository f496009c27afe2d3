using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Codec;

/// <summary>
/// Writes packets. For each packet there is <c>GetSize</c> (the whole packet in bytes, or -1 if it exceeds what four length bytes can say) and
/// <c>Write</c>, which returns what it wrote and throws <see cref="ArgumentException"/> if the destination is shorter than that size, or
/// the packet is one that must not be sent (misuse by the caller, never by a peer). Properties are left out for 3.1 and 3.1.1.
/// </summary>
public static class PacketWriter
{
    /// <summary>The size of a PUBLISH.</summary>
    public static int GetSize(in PublishPacket packet, MqttVersion version) => throw new NotSupportedException("skeleton");

    /// <summary>Writes a PUBLISH; allocates nothing.</summary>
    public static int Write(in PublishPacket packet, MqttVersion version, Span<byte> destination) => throw new NotSupportedException("skeleton");

    /// <summary>The size of an acknowledgement.</summary>
    public static int GetSize(in AckPacket packet, MqttVersion version) => throw new NotSupportedException("skeleton");

    /// <summary>Writes an acknowledgement; allocates nothing.</summary>
    public static int Write(in AckPacket packet, MqttVersion version, Span<byte> destination) => throw new NotSupportedException("skeleton");

    /// <summary>The size of a CONNECT; its version is its own.</summary>
    public static int GetSize(ConnectPacket packet) => throw new NotSupportedException("skeleton");

    /// <summary>Writes a CONNECT.</summary>
    public static int Write(ConnectPacket packet, Span<byte> destination) => throw new NotSupportedException("skeleton");

    /// <summary>The size of a packet of the rare kinds (ConnectPacket, ConnAckPacket, SubscribePacket, ... , PingReqPacket boxed is fine).</summary>
    public static int GetSize(object packet, MqttVersion version) => throw new NotSupportedException("skeleton");

    /// <summary>Writes a packet of the rare kinds.</summary>
    public static int Write(object packet, MqttVersion version, Span<byte> destination) => throw new NotSupportedException("skeleton");

    /// <summary>Any packet but PUBLISH as an array of its own: for tests and tools.</summary>
    public static byte[] ToArray(object packet, MqttVersion version) => throw new NotSupportedException("skeleton");

    /// <summary>A PUBLISH as an array of its own: for tests and tools.</summary>
    public static byte[] ToArray(in PublishPacket packet, MqttVersion version) => throw new NotSupportedException("skeleton");
}
