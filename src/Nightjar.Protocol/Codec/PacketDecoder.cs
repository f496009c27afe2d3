using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Codec;

/// <summary>Which end a decoder listens to: it decides which packets are legal.</summary>
public enum PacketSender : byte
{
    /// <summary>The bytes come from a server; the decoder serves a client.</summary>
    Server,

    /// <summary>The bytes come from a client; the decoder serves a broker.</summary>
    Client,
}

/// <summary>What <see cref="PacketDecoder.Decode"/> found.</summary>
public enum DecodeStatus : byte
{
    /// <summary>The packet is not complete; see <see cref="PacketDecoder.BytesNeeded"/>.</summary>
    NeedMore,

    /// <summary>A whole packet.</summary>
    Packet,

    /// <summary>The start of a PUBLISH that does not fit the buffer: everything but its payload.</summary>
    PublishBegin,

    /// <summary>A piece of that payload.</summary>
    Payload,

    /// <summary>The last piece of that payload (perhaps empty).</summary>
    PublishEnd,

    /// <summary>The peer broke a rule; the connection must end. See <see cref="PacketDecoder.Violation"/>.</summary>
    Violation,
}

/// <summary>One decoded packet; a view of the buffer that it was decoded from.</summary>
public ref struct DecodedPacket
{
    /// <summary>Which packet.</summary>
    public PacketType Type { get; internal set; }

    /// <summary>The whole packet's size in bytes, fixed header included.</summary>
    public int Size { get; internal set; }

    /// <summary>For PUBLISH. With <see cref="DecodeStatus.PublishBegin"/> its payload is empty; with Payload and PublishEnd only the payload's piece is set.</summary>
    public PublishPacket Publish { get; internal set; }

    /// <summary>With PublishBegin, Payload and PublishEnd: the payload's whole length.</summary>
    public int PayloadLength { get; internal set; }

    /// <summary>With Payload and PublishEnd: where the piece starts in the payload.</summary>
    public int PayloadOffset { get; internal set; }

    /// <summary>For PUBACK, PUBREC, PUBREL and PUBCOMP.</summary>
    public AckPacket Ack { get; internal set; }

    /// <summary>For the other packets with content: ConnectPacket, ConnAckPacket, SubscribePacket, SubAckPacket, UnsubscribePacket, UnsubAckPacket, DisconnectPacket or AuthPacket.</summary>
    public object? Other { get; internal set; }
}

/// <summary>
/// Turns bytes into packets, incrementally, without allocating for PUBLISH and acknowledgements, and without ever throwing on what a peer
/// sends. The caller owns the buffer: it passes what it has not consumed yet, again and again. Not thread-safe.
/// </summary>
public sealed class PacketDecoder
{
    /// <summary>A decoder for one connection.</summary>
    /// <param name="sender">Which end the bytes come from.</param>
    /// <param name="version">A broker's decoder takes it from CONNECT and ignores this.</param>
    /// <param name="maximumPacketSize">Larger packets are a violation (0x95) as soon as their length is known.</param>
    public PacketDecoder(PacketSender sender, MqttVersion version, int maximumPacketSize = int.MaxValue) => throw new NotSupportedException("skeleton");

    /// <summary>The version in use; may be set between packets (a client that falls back).</summary>
    public MqttVersion Version { get; set; }

    /// <summary>After <see cref="DecodeStatus.NeedMore"/>: the size of the whole packet that is at the start of the input, or 0 while that is not known.</summary>
    public int BytesNeeded { get; }

    /// <summary>After <see cref="DecodeStatus.Violation"/>: what was wrong. The decoder then consumes nothing any more.</summary>
    public ProtocolViolation Violation { get; }

    /// <summary>Decodes what is at the start of <paramref name="input"/>.</summary>
    /// <param name="input">All bytes received and not yet consumed.</param>
    /// <param name="bufferFull">
    /// The caller cannot take more bytes without consuming some: a PUBLISH that is not complete then comes in pieces, any other packet is
    /// too large. Pass false when the buffer can grow.
    /// </param>
    /// <param name="packet">The packet or piece; a view of <paramref name="input"/>.</param>
    /// <param name="consumed">How many bytes of <paramref name="input"/> are done with.</param>
    public DecodeStatus Decode(ReadOnlySpan<byte> input, bool bufferFull, out DecodedPacket packet, out int consumed) => throw new NotSupportedException("skeleton");

    /// <summary>Forgets everything; for a new connection.</summary>
    public void Reset(MqttVersion version) => throw new NotSupportedException("skeleton");
}
