using Nightjar.Connection;
using Nightjar.Protocol.Engine;

namespace Nightjar.Subscriptions;

/// <summary>A message on its way to a handler: where it lies in its chunk, where it came from, and what acknowledges it.</summary>
internal struct ReceivedMessage
{
    public ReceiveChunk Chunk;
    public TopicRoute Route;
    public AckToken Token;
    public int PropertiesOffset;
    public int PropertiesLength;
    public int PayloadOffset;
    public int PayloadLength;
    public ushort PacketId;
    public QoS QoS;
    public bool Retain;
    public bool Duplicate;

    public ReceivedMessage(in InboundPacket packet, ReceiveChunk chunk, int start)
    {
        Chunk = chunk;
        Route = packet.Route!;
        Token = packet.Token;
        PropertiesOffset = start + packet.PropertiesOffset;
        PropertiesLength = packet.PropertiesLength;
        PayloadOffset = start + packet.PayloadOffset;
        PayloadLength = packet.PayloadLength;
        PacketId = packet.PacketId;
        QoS = packet.QoS;
        Retain = packet.Retain;
        Duplicate = packet.Duplicate;
    }

    public readonly ReadOnlyMemory<byte> Payload => Chunk.Bytes.AsMemory(PayloadOffset, PayloadLength);

    public readonly ReadOnlySpan<byte> Properties => Chunk.Bytes.AsSpan(PropertiesOffset, PropertiesLength);

    /// <summary>A copy that needs the chunk no more.</summary>
    public readonly MqttMessage ToMessage() => new(Route.Name, PayloadLength == 0 ? default : Payload.ToArray())
    {
        QoS = QoS,
        Retain = Retain,
        Duplicate = Duplicate,
        PacketId = PacketId,
        Properties = PropertiesLength == 0 ? null : MessageProperties.Read(Properties),
    };
}
