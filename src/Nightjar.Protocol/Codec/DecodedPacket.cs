using System.Diagnostics.CodeAnalysis;

using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Codec;

/// <summary>One decoded packet; a view of the buffer that it was decoded from.</summary>
public ref struct DecodedPacket
{
    private PublishPacket _publish;
    private AckPacket _ack;

    /// <summary>Which packet.</summary>
    public PacketType Type { get; internal set; }

    /// <summary>The whole packet's size in bytes, fixed header included.</summary>
    public int Size { get; internal set; }

    /// <summary>For PUBLISH. With <see cref="DecodeStatus.PublishBegin"/> its payload is empty; with Payload and PublishEnd only the payload's piece is set.</summary>
    [UnscopedRef]
    public readonly ref readonly PublishPacket Publish => ref _publish;

    /// <summary>With PublishBegin, Payload and PublishEnd: the payload's whole length.</summary>
    public int PayloadLength { get; internal set; }

    /// <summary>With Payload and PublishEnd: where the piece starts in the payload.</summary>
    public int PayloadOffset { get; internal set; }

    /// <summary>For PUBACK, PUBREC, PUBREL and PUBCOMP.</summary>
    [UnscopedRef]
    public readonly ref readonly AckPacket Ack => ref _ack;

    /// <summary>For the other packets with content: ConnectPacket, ConnAckPacket, SubscribePacket, SubAckPacket, UnsubscribePacket, UnsubAckPacket, DisconnectPacket or AuthPacket.</summary>
    public object? Other { get; internal set; }

    internal void Set(in PublishPacket publish) => _publish = publish;

    internal void Set(in AckPacket ack) => _ack = ack;
}
