using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;

namespace Nightjar.Diagnostics;

/// <summary>
/// The packets of one connection for the application's inspector: received ones as the receive loop has parsed them, sent ones by walking the bytes that the flusher is about
/// to write. Without an inspector there is no such object, and both loops pay one look for it.
/// </summary>
internal sealed class PacketTrace(PacketInspection inspection)
{
    private readonly OutputWalker _output = new();

    /// <summary>Everything that a chunk held, before it takes effect.</summary>
    public void Received(InboundBatch batch, ReadOnlySpan<byte> chunk)
    {
        for (var i = 0; i < batch.Count; i++)
        {
            ref var packet = ref batch[i];
            if (packet.Type == PacketType.None || packet.Part > PublishPart.Begin)
            {
                continue;
            }

            inspection.Show(new InspectedPacket
            {
                Direction = PacketDirection.Received,
                Type = packet.Type,
                Size = packet.Size,
                PacketId = packet.Other switch
                {
                    SubAckPacket answer => answer.PacketId,
                    UnsubAckPacket answer => answer.PacketId,
                    _ => packet.PacketId,
                },
                ReasonCode = packet.Type switch
                {
                    PacketType.PubAck or PacketType.PubRec or PacketType.PubRel or PacketType.PubComp => packet.ReasonCode,
                    _ => ReasonOf(packet.Other),
                },
                QoS = packet.QoS,
                Retain = packet.Retain,
                Duplicate = packet.Duplicate,
                TopicUtf8 = packet.AliasedTopic ?? chunk.Slice(packet.TopicOffset, packet.TopicLength),
                Payload = chunk.Slice(packet.PayloadOffset, Math.Min(packet.PayloadLength, chunk.Length - packet.PayloadOffset)),
                PayloadLength = packet.PayloadLength,
            });
        }
    }

    /// <summary>Everything that the next write carries.</summary>
    public void Sent(OutputBatch batch)
    {
        for (var i = 0; i < batch.Count; i++)
        {
            var rest = batch[i].Span;
            while (_output.TryTake(ref rest, out var packet))
            {
                inspection.Show(packet);
            }
        }
    }

    private static ReasonCode? ReasonOf(object? packet) => packet switch
    {
        ConnAckPacket answer => answer.ReasonCode,
        DisconnectPacket last => last.ReasonCode,
        AuthPacket auth => auth.ReasonCode,
        _ => null,
    };
}
