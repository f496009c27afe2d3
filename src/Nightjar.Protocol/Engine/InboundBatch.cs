using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Engine;

/// <summary>How much of a PUBLISH an entry of the batch stands for.</summary>
internal enum PublishPart : byte
{
    Whole,

    /// <summary>Everything but the payload of one that comes in pieces; the payload's length is that of the whole.</summary>
    Begin,

    /// <summary>A piece of its payload, and nothing else.</summary>
    Piece,

    /// <summary>The last piece.</summary>
    End,
}

/// <summary>One received packet: values, and for PUBLISH positions in the chunk that it came in.</summary>
internal struct InboundPacket
{
    public PacketType Type;
    public QoS QoS;
    public bool Retain;
    public bool Duplicate;
    public ReasonCode ReasonCode;
    public PublishPart Part;
    public ushort PacketId;

    /// <summary>Whether the PUBLISH is to be handed to <see cref="Route"/>; decided when the batch is applied.</summary>
    public bool Deliver;
    public int TopicOffset;
    public int TopicLength;

    /// <summary>The properties end where the payload begins.</summary>
    public int PropertiesLength;
    public int PayloadOffset;
    public int PayloadLength;

    /// <summary>The whole packet's size.</summary>
    public int Size;

    /// <summary>The topic that an alias stands for, when the packet itself has none.</summary>
    public byte[]? AliasedTopic;
    public TopicRoute? Route;
    public AckToken Token;

    /// <summary>The record of its arrival; 0 if there is none.</summary>
    public long DeliveryId;

    /// <summary>Subscriptions that store messages have it already: it is for the others only.</summary>
    public bool WasStored;

    /// <summary>The packets of the rare kinds.</summary>
    public object? Other;
}

/// <summary>
/// All packets of one received chunk, parsed without a lock by the receive loop and then applied together. It is reused from chunk to chunk.
/// </summary>
internal sealed class InboundBatch
{
    private InboundPacket[] _packets = new InboundPacket[16];

    public int Count { get; private set; }

    /// <summary>What ended the parsing early; the packets before it still count.</summary>
    public ProtocolViolation? Violation { get; set; }

    public ref InboundPacket this[int index] => ref _packets[index];

    public void Clear()
    {
        // Only the references matter, and only the places that were used.
        Array.Clear(_packets, 0, Count);
        Count = 0;
        Violation = null;
    }

    /// <summary>Takes a decoded packet over; positions are relative to <paramref name="chunk"/>, in which it ends at <paramref name="end"/>.</summary>
    public ref InboundPacket Add(in DecodedPacket decoded, ReadOnlySpan<byte> chunk, int end)
    {
        if (Count == _packets.Length)
        {
            Array.Resize(ref _packets, Count * 2);
        }

        ref var packet = ref _packets[Count++];
        packet.Type = decoded.Type;
        packet.Size = decoded.Size;
        switch (decoded.Type)
        {
            case PacketType.Publish:
                var publish = decoded.Publish;
                packet.QoS = publish.QoS;
                packet.Retain = publish.Retain;
                packet.Duplicate = publish.Duplicate;
                packet.PacketId = publish.PacketId;
                packet.TopicOffset = OffsetOf(publish.Topic, chunk);
                packet.TopicLength = publish.Topic.Length;
                packet.PropertiesLength = publish.Properties.Length;
                packet.PayloadLength = decoded.PayloadLength + publish.Payload.Length;
                packet.PayloadOffset = end - publish.Payload.Length;
                break;
            case PacketType.PubAck or PacketType.PubRec or PacketType.PubRel or PacketType.PubComp:
                packet.PacketId = decoded.Ack.PacketId;
                packet.ReasonCode = decoded.Ack.ReasonCode;
                break;
            default:
                packet.Other = decoded.Other;
                break;
        }

        return ref packet;
    }

    /// <summary>Takes over a piece of a payload, which ends at <paramref name="end"/>.</summary>
    public void AddPiece(in DecodedPacket decoded, int end, bool isLast)
    {
        ref var packet = ref Add(decoded, default, end);
        packet.Part = isLast ? PublishPart.End : PublishPart.Piece;
        packet.PayloadLength = decoded.Publish.Payload.Length;
    }

    private static int OffsetOf(ReadOnlySpan<byte> part, ReadOnlySpan<byte> whole) => part.IsEmpty
        ? 0
        : (int)Unsafe.ByteOffset(ref MemoryMarshal.GetReference(whole), ref MemoryMarshal.GetReference(part));
}
