using System.Buffers;
using System.Text;
using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;

namespace Nightjar.Testing.Simulation;

/// <summary>What the broker writes to one connection, gathered until it is flushed.</summary>
internal sealed class BrokerOutput(World world, SimulatedLink link, MqttVersion version, int aliasMaximum)
{
    private readonly ArrayBufferWriter<byte> _bytes = new(256);
    private readonly Dictionary<string, ushort> _aliases = [];

    public void Write(object packet)
    {
        var size = PacketWriter.GetSize(packet, version);
        PacketWriter.Write(packet, version, _bytes.GetSpan(size));
        Written(size);
    }

    public void Write(in AckPacket packet)
    {
        var size = PacketWriter.GetSize(packet, version);
        PacketWriter.Write(packet, version, _bytes.GetSpan(size));
        Written(size);
    }

    public void Publish(IncomingRecord record, ushort packetId, bool duplicate)
    {
        var alias = Alias(record.Topic, out var known);
        var packet = new PublishPacket
        {
            Topic = known ? default : Encoding.UTF8.GetBytes(record.Topic),
            TopicAlias = alias,
            Payload = Payload.Of(record.Number),
            QoS = record.QoS,
            Retain = record.Retain,
            PacketId = packetId,
            Duplicate = duplicate,
        };
        var size = PacketWriter.GetSize(packet, version);
        PacketWriter.Write(packet, version, _bytes.GetSpan(size));
        Written(size);
    }

    public void Flush()
    {
        if (_bytes.WrittenCount > 0)
        {
            link.ToClient.Send(_bytes.WrittenSpan.ToArray());
            _bytes.ResetWrittenCount();
        }
    }

    /// <summary>The first topics get one each, and keep it.</summary>
    private ushort Alias(string topic, out bool known)
    {
        known = _aliases.TryGetValue(topic, out var alias);
        if (known || _aliases.Count >= aliasMaximum)
        {
            return alias;
        }

        alias = (ushort)(_aliases.Count + 1);
        _aliases[topic] = alias;
        return alias;
    }

    private void Written(int size)
    {
        if (world.History is { } history)
        {
            new PacketDecoder(PacketSender.Server, version).Decode(_bytes.GetSpan(size)[..size], bufferFull: false, out var packet, out _);
            history.Add(world.Time.Now, "<-", packet);
        }

        _bytes.Advance(size);
    }
}
