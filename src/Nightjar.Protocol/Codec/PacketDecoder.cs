using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Codec;

/// <summary>
/// Turns bytes into packets, incrementally, without allocating for PUBLISH and acknowledgements, and without ever throwing on what a peer
/// sends. The caller owns the buffer: it passes what it has not consumed yet, again and again. Not thread-safe.
/// </summary>
/// <remarks>
/// It checks each packet by itself; what depends on other packets (their order, aliases, identifiers in use) is the session's business.
/// </remarks>
public sealed class PacketDecoder
{
    private readonly PacketSender _sender;
    private readonly int _maximumPacketSize;
    private readonly int _piecesAbove = int.MaxValue;

    // What a packet may have to be taken whole: the smaller of the two above.
    private int _wholeLimit;
    private State _state;

    // A PUBLISH in pieces: its size, its payload, and how much of that is still to come.
    private int _streamSize;
    private int _streamLength;
    private int _streamLeft;

    private enum State : byte
    {
        BetweenPackets,
        InPayload,
        Broken,
    }

    /// <summary>A decoder for one connection.</summary>
    /// <param name="sender">Which end the bytes come from.</param>
    /// <param name="version">What the peer speaks; a broker's decoder takes it from CONNECT when that comes.</param>
    /// <param name="maximumPacketSize">
    /// Bytes, fixed header included; larger packets are a violation (0x95) as soon as their length is known.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maximumPacketSize"/> is not positive.</exception>
    public PacketDecoder(PacketSender sender, MqttVersion version, int maximumPacketSize = int.MaxValue)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maximumPacketSize);
        _sender = sender;
        _maximumPacketSize = _wholeLimit = maximumPacketSize;
        Version = version;
    }

    /// <summary>
    /// The version in use; may be set between packets (a client that falls back). A CONNECT sets it; one that asks for an unknown version
    /// sets the version in which to refuse it.
    /// </summary>
    public MqttVersion Version { get; set; }

    /// <summary>
    /// Bytes, fixed header included: a larger PUBLISH comes in pieces even where the buffer could grow, as soon as its topic and properties are there, however large it says
    /// it is; any other packet that is larger is a violation (0x95). Default: none comes in pieces unless the buffer is full.
    /// </summary>
    /// <remarks>Topic and properties must fit into this many bytes, or into <see cref="LargestHeader"/> if that is more.</remarks>
    public int PiecesAbove
    {
        get => _piecesAbove;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            _piecesAbove = value;
            _wholeLimit = Math.Min(value, _maximumPacketSize);
        }
    }

    /// <summary>
    /// What topic and properties of a PUBLISH that comes in pieces may take together, at least: the longest topic (64 KiB) and as much again.
    /// </summary>
    public const int LargestHeader = 128 * 1024;

    /// <summary>
    /// After <see cref="DecodeStatus.NeedMore"/>: the size of the whole packet at the start of the input, or 0 while that is not known.
    /// </summary>
    public int BytesNeeded { get; private set; }

    /// <summary>After <see cref="DecodeStatus.Violation"/>: what was wrong. The decoder then consumes nothing any more.</summary>
    public ProtocolViolation Violation { get; private set; }

    /// <summary>Decodes what is at the start of <paramref name="input"/>.</summary>
    /// <param name="input">All bytes received and not yet consumed.</param>
    /// <param name="bufferFull">
    /// The caller cannot take more bytes without consuming some: a PUBLISH that is not complete then comes in pieces, any other packet is
    /// too large. Pass false when the buffer can grow.
    /// </param>
    /// <param name="packet">The packet or piece; a view of <paramref name="input"/>.</param>
    /// <param name="consumed">How many bytes of <paramref name="input"/> are done with.</param>
    public DecodeStatus Decode(ReadOnlySpan<byte> input, bool bufferFull, out DecodedPacket packet, out int consumed)
    {
        packet = default;
        consumed = 0;
        BytesNeeded = 0;
        if (_state != State.BetweenPackets)
        {
            return _state == State.Broken ? DecodeStatus.Violation : DecodePiece(input, ref packet, out consumed);
        }

        if (input.IsEmpty)
        {
            return DecodeStatus.NeedMore;
        }

        byte first = input[0];
        if (FixedHeader.Check(first, Version, _sender) is { } illHeader)
        {
            return Break(illHeader);
        }

        int lengthSize = VariableByteInteger.Read(input[1..], out uint remainingLength);
        if (lengthSize <= 0)
        {
            return lengthSize < 0 ? Break(Rules.LengthTooLong) : bufferFull ? Break(TooLarge) : DecodeStatus.NeedMore;
        }

        int headerSize = 1 + lengthSize;
        int size = headerSize + (int)remainingLength;
        PacketType type = FixedHeader.TypeOf(first);
        bool padded = lengthSize != VariableByteInteger.SizeOf(remainingLength);
        if (size > _wholeLimit && (size > _maximumPacketSize || type != PacketType.Publish))
        {
            return BreakTooLarge(size);
        }

        // Only 5.0 asks for the shortest length; of a CONNECT the version is not known yet.
        if (padded && Version == MqttVersion.Mqtt5 && type != PacketType.Connect)
        {
            return Break(Rules.LengthNotMinimal);
        }

        if (FixedHeader.CheckLength(type, (int)remainingLength, Version) is { } illLength)
        {
            return Break(illLength);
        }

        packet.Type = type;
        packet.Size = size;
        if (size > _wholeLimit)
        {
            return BeginStream(input[..Math.Min(input.Length, size)], headerSize, bufferFull, ref packet, out consumed);
        }

        if (input.Length < size)
        {
            if (!bufferFull)
            {
                BytesNeeded = size;
                packet = default;
                return DecodeStatus.NeedMore;
            }

            return type == PacketType.Publish ? BeginStream(input, headerSize, bufferFull, ref packet, out consumed) : Break(TooLarge);
        }

        ReadOnlySpan<byte> body = input[headerSize..size];
        Rule? broken = type == PacketType.Publish
            ? PublishCodec.Read(first, body, Version, _sender, ref packet)
            : AckCodec.IsAck(type) && body.Length == AckCodec.BareBody ? AckCodec.ReadBare(body, ref packet)
            : DecodeBody(type, body, padded, ref packet);
        if (broken is not null)
        {
            packet = default;
            return Break(broken);
        }

        consumed = size;
        return DecodeStatus.Packet;
    }

    /// <summary>Forgets everything; for a new connection.</summary>
    public void Reset(MqttVersion version)
    {
        Version = version;
        BytesNeeded = 0;
        Violation = default;
        _state = State.BetweenPackets;
    }

    private Rule TooLarge => _sender == PacketSender.Server ? Rules.TooLargeFromServer : Rules.TooLargeFromClient;

    private Rule? DecodeBody(PacketType type, ReadOnlySpan<byte> body, bool padded, ref DecodedPacket packet)
    {
        SpanReader reader = new(body, Version, _sender);
        switch (type)
        {
            case PacketType.PubAck or PacketType.PubRec or PacketType.PubRel or PacketType.PubComp:
                AckCodec.Read(ref reader, type, ref packet);
                break;
            case PacketType.Connect:
                packet.Other = ConnectCodec.Read(ref reader);
                Version = reader.Version;
                reader.Require(!padded || Version != MqttVersion.Mqtt5, Rules.LengthNotMinimal);
                break;
            case PacketType.ConnAck:
                packet.Other = ConnAckCodec.Read(ref reader);
                break;
            case PacketType.Subscribe:
                packet.Other = SubscribeCodec.Read(ref reader);
                break;
            case PacketType.SubAck:
                packet.Other = SubAckCodec.Read(ref reader);
                break;
            case PacketType.Unsubscribe:
                packet.Other = UnsubscribeCodec.Read(ref reader);
                break;
            case PacketType.UnsubAck:
                packet.Other = UnsubAckCodec.Read(ref reader);
                break;
            case PacketType.Disconnect:
                packet.Other = DisconnectCodec.Read(ref reader);
                break;
            case PacketType.Auth:
                packet.Other = AuthCodec.Read(ref reader);
                break;
            default:
                // PINGREQ and PINGRESP: their length was checked with the fixed header.
                break;
        }

        return reader.Broken;
    }

    private DecodeStatus BeginStream(ReadOnlySpan<byte> input, int headerSize, bool bufferFull, ref DecodedPacket packet, out int consumed)
    {
        consumed = 0;
        int size = packet.Size;
        Rule? broken = PublishCodec.Read(input[0], input[headerSize..], Version, _sender, ref packet);
        if (broken == PublishCodec.Incomplete && input.Length < size)
        {
            packet = default;
            if (bufferFull || input.Length >= Math.Max(_piecesAbove, LargestHeader))
            {
                return Break(TooLarge);
            }

            BytesNeeded = size;
            return DecodeStatus.NeedMore;
        }

        if (broken is not null)
        {
            packet = default;
            return Break(broken);
        }

        consumed = input.Length - packet.Publish.Payload.Length;
        _streamSize = size;
        _streamLength = _streamLeft = size - consumed;
        _state = State.InPayload;
        packet.PayloadLength = _streamLength;
        packet.SetPayload(default);
        return DecodeStatus.PublishBegin;
    }

    private DecodeStatus DecodePiece(ReadOnlySpan<byte> input, ref DecodedPacket packet, out int consumed)
    {
        consumed = Math.Min(input.Length, _streamLeft);
        if (consumed < _streamLeft && consumed == 0)
        {
            return DecodeStatus.NeedMore;
        }

        packet.Type = PacketType.Publish;
        packet.Size = _streamSize;
        packet.PayloadLength = _streamLength;
        packet.PayloadOffset = _streamLength - _streamLeft;
        packet.SetPayload(input[..consumed]);
        _streamLeft -= consumed;
        if (_streamLeft > 0)
        {
            return DecodeStatus.Payload;
        }

        _state = State.BetweenPackets;
        return DecodeStatus.PublishEnd;
    }

    private DecodeStatus Break(Rule rule)
    {
        _state = State.Broken;
        Violation = rule.BrokenIn(Version);
        return DecodeStatus.Violation;
    }

    private DecodeStatus BreakTooLarge(int size)
    {
        Break(TooLarge);
        Violation = Violation with { Message = $"{Violation.Message} It has {size} bytes, and {(size > _maximumPacketSize ? _maximumPacketSize : _wholeLimit)} are allowed." };
        return DecodeStatus.Violation;
    }
}
