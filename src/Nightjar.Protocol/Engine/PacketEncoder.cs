using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Engine;

/// <summary>Encodes everything but PUBLISH into a lane, and counts it. Guarded with the outbound half.</summary>
internal sealed class PacketEncoder(EngineCounters counters)
{
    /// <summary>An acknowledgement, behind the record that it depends on.</summary>
    public void Write(OutputLane lane, in AckPacket packet, MqttVersion version, long lsn, long committed)
    {
        var size = PacketWriter.GetSize(packet, version);
        PacketWriter.Write(packet, version, lane.Reserve(size));
        lane.Commit(size, lsn, committed);
        counters.PacketsSent[(int)packet.Type]++;
    }

    /// <summary>Any other packet.</summary>
    public void Write(OutputLane lane, object packet, MqttVersion version, long lsn, long committed)
    {
        var size = PacketWriter.GetSize(packet, version);
        PacketWriter.Write(packet, version, lane.Reserve(size));
        lane.Commit(size, lsn, committed);
        counters.PacketsSent[(int)TypeOf(packet)]++;
    }

    private static PacketType TypeOf(object packet) => packet switch
    {
        PingReqPacket => PacketType.PingReq,
        SubscribePacket => PacketType.Subscribe,
        UnsubscribePacket => PacketType.Unsubscribe,
        DisconnectPacket => PacketType.Disconnect,
        ConnectPacket => PacketType.Connect,
        AuthPacket => PacketType.Auth,
        _ => PacketType.None,
    };
}
