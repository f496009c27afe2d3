using Nightjar.Connection;
using Nightjar.Protocol.Engine;

namespace Nightjar.Subscriptions;

/// <summary>
/// A message on its way to a handler: where it lies in its chunk, where it came from, and what acknowledges it. Queues hold thousands, so it is kept small: what can be
/// derived is not stored.
/// </summary>
internal readonly struct ReceivedMessage
{
    /// <summary>What one message takes in a queue, in bytes.</summary>
    public const int Size = 48;

    private const byte QoSMask = 0b0011;
    private const byte RetainMark = 0b0100;
    private const byte DuplicateMark = 0b1000;

    public readonly ReceiveChunk Chunk;
    public readonly TopicRoute Route;

    /// <summary>Its place in the session's log; it is not to be seen before that is committed. 0: nothing was recorded of it.</summary>
    public readonly long DeliveryId;
    private readonly uint _epoch;
    private readonly uint _sequence;
    private readonly int _payloadOffset;
    private readonly int _payloadLength;
    private readonly int _propertiesLength;
    private readonly ushort _packetId;
    private readonly byte _marks;

    /// <param name="packet">A PUBLISH that was routed.</param>
    /// <param name="chunk">Where its bytes lie.</param>
    /// <param name="start">What its positions count from.</param>
    public ReceivedMessage(in InboundPacket packet, ReceiveChunk chunk, int start)
    {
        Chunk = chunk;
        Route = packet.Route!;
        DeliveryId = packet.DeliveryId;
        _epoch = packet.Token.Epoch;
        _sequence = packet.Token.Sequence;
        _payloadOffset = start + packet.PayloadOffset;
        _payloadLength = packet.PayloadLength;
        _propertiesLength = packet.PropertiesLength;
        _packetId = packet.PacketId;
        _marks = (byte)((byte)packet.QoS | (packet.Retain ? RetainMark : 0) | (packet.Duplicate ? DuplicateMark : 0));
    }

    private ReceivedMessage(in StoredReplay replay, ReceiveChunk block)
    {
        Chunk = block;
        Route = replay.Route;
        DeliveryId = replay.DeliveryId;
        _payloadOffset = _propertiesLength = replay.Properties.Length;
        _payloadLength = replay.Payload.Length;
        _marks = (byte)((byte)replay.QoS | (replay.Retain ? RetainMark : 0));
    }

    /// <summary>What acknowledges it; none at QoS 0, and for one that an earlier process acknowledged.</summary>
    public AckToken Token => _epoch == 0 ? default : new AckToken(_epoch, _sequence, _packetId, QoS);

    public QoS QoS => (QoS)(_marks & QoSMask);

    public bool Retain => (_marks & RetainMark) != 0;

    public bool Duplicate => (_marks & DuplicateMark) != 0;

    public ushort PacketId => _packetId;

    /// <summary>Also of one that has not come whole yet.</summary>
    public int PayloadLength => _payloadLength;

    public ReadOnlyMemory<byte> Payload => Chunk.Bytes.AsMemory(_payloadOffset, _payloadLength);

    /// <summary>They lie right before the payload (MQTT 5, 3.3.2).</summary>
    public ReadOnlySpan<byte> Properties => Chunk.Bytes.AsSpan(_payloadOffset - _propertiesLength, _propertiesLength);

    /// <summary>A message that an earlier process stored, in a block of its own.</summary>
    public static ReceivedMessage From(in StoredReplay replay, ReceiveBudget budget)
    {
        var block = new ReceiveChunk(budget, replay.Properties.Length + replay.Payload.Length, isBlock: true);
        replay.Properties.CopyTo(block.Bytes);
        replay.Payload.CopyTo(block.Bytes.AsSpan(replay.Properties.Length));
        block.Share(1);
        block.LetGo();
        return new ReceivedMessage(replay, block);
    }

    /// <summary>A copy that needs the chunk no more.</summary>
    public MqttMessage ToMessage(MessageAcknowledgement? acknowledgement = null) => ToMessage(_payloadLength == 0 ? default : Payload.ToArray(), acknowledgement);

    /// <summary>The message with its payload as a stream: the rest is on its way, or all of it lies in the chunk.</summary>
    public StreamedMessage ToStreamedMessage(MessageAcknowledgement? acknowledgement, out StreamedPayload payload)
    {
        if (Chunk.Payload is { } arriving)
        {
            payload = arriving;
        }
        else
        {
            payload = new StreamedPayload(_payloadLength, QoS);
            payload.Append(Chunk, _payloadOffset, _payloadLength, takesShare: false);
        }

        return new StreamedMessage(ToMessage(payload: default, acknowledgement), payload);
    }

    private MqttMessage ToMessage(ReadOnlyMemory<byte> payload, MessageAcknowledgement? acknowledgement) => new(Route.Name, payload)
    {
        QoS = QoS,
        Retain = Retain,
        Duplicate = Duplicate,
        PacketId = PacketId,
        DeliveryId = DeliveryId,
        Acknowledgement = acknowledgement,

        // Mostly there is nothing but the identifiers, which the route shares among all messages.
        Properties = _propertiesLength == Route.IdentifiersLength ? null : MessageProperties.Read(Properties),
        RouteIdentifiers = Route.Identifiers,
    };
}
