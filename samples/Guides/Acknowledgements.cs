using System.Threading.Channels;
using Nightjar;
using Nightjar.Protocol.Packets;

namespace Guides;

/// <summary>Sees how the client acknowledges messages of QoS 1; by then their handlers have ended.</summary>
internal sealed class Acknowledgements : IMqttPacketInspector
{
    private readonly Channel<ReasonCode> _seen = Channel.CreateUnbounded<ReasonCode>();

    public ValueTask<ReasonCode> NextAsync(CancellationToken cancellation) => _seen.Reader.ReadAsync(cancellation);

    public void Inspect(in InspectedPacket packet)
    {
        if (packet is { Direction: PacketDirection.Sent, Type: PacketType.PubAck, ReasonCode: { } reason })
        {
            _seen.Writer.TryWrite(reason);
        }
    }
}
