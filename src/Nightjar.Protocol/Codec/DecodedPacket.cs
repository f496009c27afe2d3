using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Codec;

/// <summary>One decoded packet; a view of the buffer that it was decoded from.</summary>
public ref struct DecodedPacket
{
    // The parts of a PUBLISH, filled in place and joined where they are asked for: copying the whole costs a sixth of decoding it.
    private ReadOnlySpan<byte> _topic;
    private ReadOnlySpan<byte> _properties;
    private ReadOnlySpan<byte> _payload;
    private ushort _packetId;
    private ushort _topicAlias;
    private byte _flags;

    // The rest of an acknowledgement.
    private ReasonCode _reasonCode;
    private string? _reasonString;
    private UserProperty[]? _userProperties;

    /// <summary>Which packet.</summary>
    public PacketType Type { get; internal set; }

    /// <summary>The whole packet's size in bytes, fixed header included.</summary>
    public int Size { get; internal set; }

    /// <summary>
    /// For PUBLISH. With <see cref="DecodeStatus.PublishBegin"/> its payload is empty; with Payload and PublishEnd only the payload's
    /// piece is set.
    /// </summary>
    public readonly PublishPacket Publish => new()
    {
        QoS = (QoS)((_flags >> 1) & 0b11),
        Retain = (_flags & 0b0001) != 0,
        Duplicate = (_flags & 0b1000) != 0,
        PacketId = _packetId,
        Topic = _topic,
        TopicAlias = _topicAlias,
        Properties = _properties,
        Payload = _payload,
    };

    /// <summary>With PublishBegin, Payload and PublishEnd: the payload's whole length.</summary>
    public int PayloadLength { get; internal set; }

    /// <summary>With Payload and PublishEnd: where the piece starts in the payload.</summary>
    public int PayloadOffset { get; internal set; }

    /// <summary>For PUBACK, PUBREC, PUBREL and PUBCOMP.</summary>
    public readonly AckPacket Ack => AckCodec.IsAck(Type)
        ? new(Type, _packetId, _reasonCode) { ReasonString = _reasonString, UserProperties = _userProperties }
        : default;

    /// <summary>
    /// For the other packets with content: ConnectPacket, ConnAckPacket, SubscribePacket, SubAckPacket, UnsubscribePacket, UnsubAckPacket,
    /// DisconnectPacket or AuthPacket.
    /// </summary>
    public object? Other { get; internal set; }

    internal void SetPublish(
        byte first, ushort packetId, ushort topicAlias, ReadOnlySpan<byte> topic, ReadOnlySpan<byte> properties, ReadOnlySpan<byte> payload)
    {
        _flags = first;
        _packetId = packetId;
        _topicAlias = topicAlias;
        _topic = topic;
        _properties = properties;
        _payload = payload;
    }

    internal void SetPayload(ReadOnlySpan<byte> payload) => _payload = payload;

    internal void SetAck(ushort packetId) => _packetId = packetId;

    internal void SetAck(ushort packetId, ReasonCode reasonCode, string? reasonString, UserProperty[]? userProperties)
    {
        _packetId = packetId;
        _reasonCode = reasonCode;
        _reasonString = reasonString;
        _userProperties = userProperties;
    }
}
