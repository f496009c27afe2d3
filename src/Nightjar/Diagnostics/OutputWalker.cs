using System.Buffers.Binary;
using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;

namespace Nightjar.Diagnostics;

/// <summary>
/// Finds the packets in what this client writes. The bytes are our own, so they are believed; only what an inspector is shown is read. A packet begins within one block
/// of output; its payload may go on
/// in the next.
/// </summary>
internal sealed class OutputWalker
{
    // The protocol level is in CONNECT, and CONNECT is first.
    private bool _isMqtt5;
    private int _toSkip;
    private Dictionary<ushort, byte[]>? _aliases;

    /// <summary>Takes the next packet off the block; false at its end.</summary>
    public bool TryTake(ref ReadOnlySpan<byte> block, out InspectedPacket packet)
    {
        var skipped = Math.Min(_toSkip, block.Length);
        _toSkip -= skipped;
        block = block[skipped..];
        packet = default;
        if (block.Length < 2)
        {
            return false;
        }

        var lengthSize = VariableByteInteger.Read(block[1..], out var remaining);
        var start = 1 + lengthSize;
        var size = start + (int)remaining;
        var body = block[start..Math.Min(size, block.Length)];
        packet = Read(block[0], body, size, (int)remaining);
        _toSkip = size - Math.Min(size, block.Length);
        block = block[Math.Min(size, block.Length)..];
        return true;
    }

    private InspectedPacket Read(byte first, ReadOnlySpan<byte> body, int size, int remaining)
    {
        var type = (PacketType)(first >> 4);
        switch (type)
        {
            case PacketType.Connect:
                // Name, level: the name has 4 or 6 letters. Nothing else of a CONNECT is shown.
                _isMqtt5 = body[2 + BinaryPrimitives.ReadUInt16BigEndian(body)] == 5;
                return Bare(type, size);
            case PacketType.Publish:
                return ReadPublish(first, body, size, remaining);
            case PacketType.PubAck or PacketType.PubRec or PacketType.PubRel or PacketType.PubComp:
                return Bare(type, size, Id(body), body.Length > 2 ? (ReasonCode)body[2] : ReasonCode.Success);
            case PacketType.Subscribe or PacketType.Unsubscribe:
                return Bare(type, size, Id(body));
            case PacketType.Disconnect or PacketType.Auth:
                return Bare(type, size, id: 0, body.Length > 0 ? (ReasonCode)body[0] : ReasonCode.Success);
            default:
                return Bare(type, size);
        }
    }

    private InspectedPacket ReadPublish(byte first, ReadOnlySpan<byte> body, int size, int remaining)
    {
        var qos = (QoS)((first >> 1) & 0b11);
        var topic = body.Slice(2, BinaryPrimitives.ReadUInt16BigEndian(body));
        var position = 2 + topic.Length;
        ushort id = 0;
        if (qos != QoS.AtMostOnce)
        {
            id = Id(body[position..]);
            position += 2;
        }

        if (_isMqtt5)
        {
            position += VariableByteInteger.Read(body[position..], out var properties);
            topic = Resolve(topic, body.Slice(position, (int)properties));
            position += (int)properties;
        }

        return new InspectedPacket
        {
            Direction = PacketDirection.Sent,
            Type = PacketType.Publish,
            Size = size,
            PacketId = id,
            QoS = qos,
            Retain = (first & 0b0001) != 0,
            Duplicate = (first & 0b1000) != 0,
            TopicUtf8 = topic,
            Payload = body[position..],
            PayloadLength = remaining - position,
        };
    }

    private ReadOnlySpan<byte> Resolve(ReadOnlySpan<byte> topic, ReadOnlySpan<byte> properties)
    {
        var reader = new PropertyReader(properties);
        while (reader.Read())
        {
            if (reader.Id == PropertyId.TopicAlias)
            {
                var alias = (ushort)reader.Number;
                if (topic.IsEmpty)
                {
                    return _aliases is not null && _aliases.TryGetValue(alias, out var known) ? known : default;
                }

                (_aliases ??= [])[alias] = topic.ToArray();
                break;
            }
        }

        return topic;
    }

    private static ushort Id(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt16BigEndian(bytes);

    private static InspectedPacket Bare(PacketType type, int size, ushort id = 0, ReasonCode? reason = null) => new()
    {
        Direction = PacketDirection.Sent,
        Type = type,
        Size = size,
        PacketId = id,
        ReasonCode = reason,
    };
}
