using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;

namespace Nightjar.Testing.Simulation;

/// <summary>What the client writes, seen as it leaves: how far each message has come, and whether an acknowledgement comes too early.</summary>
internal sealed class ClientOutput(World world, ClientEngine engine)
{
    private readonly OutputBatch _batch = new();
    private readonly PacketDecoder _decoder = new(PacketSender.Client, MqttVersion.Mqtt5);

    /// <summary>The bytes of the next write; whole packets.</summary>
    public byte[] Take(SimulatedLink link)
    {
        engine.TakeOutput(_batch);
        var bytes = new byte[_batch.Length];
        var position = 0;
        for (var i = 0; i < _batch.Count; i++)
        {
            _batch[i].Span.CopyTo(bytes.AsSpan(position));
            position += _batch[i].Length;
        }

        _batch.Release();
        for (ReadOnlySpan<byte> rest = bytes; !rest.IsEmpty;)
        {
            if (_decoder.Decode(rest, bufferFull: false, out var packet, out var consumed) != DecodeStatus.Packet)
            {
                world.Violate($"the client writes what is no packet: {_decoder.Violation}");
                break;
            }

            rest = rest[consumed..];
            world.History?.Add(world.Time.Now, "->", packet);
            See(packet, link);
        }

        return bytes;
    }

    /// <summary>The connection is gone: what was on its way in either direction must go again.</summary>
    public void Lost()
    {
        _decoder.Reset(MqttVersion.Mqtt5);
        world.Log?.Book.Lost();
        foreach (var record in world.Outgoing)
        {
            if (record.IsOver || record.Phase is OutboundPhase.Queued or OutboundPhase.AwaitsRoom or OutboundPhase.AwaitsCommit)
            {
                continue;
            }

            if (record.QoS == QoS.AtMostOnce)
            {
                record.IsOver = true;
            }
            else
            {
                record.Phase = OutboundPhase.AwaitsResend;
            }
        }

        foreach (var record in world.Incoming)
        {
            if (record.IsOver || record.Running > 0 || record.Phase == InboundPhase.Stored)
            {
                continue;
            }

            record.IsOver = record.QoS == QoS.AtMostOnce || record.Forgotten;
            record.Phase = InboundPhase.Waiting;
        }
    }

    private void See(in DecodedPacket packet, SimulatedLink link)
    {
        switch (packet.Type)
        {
            case PacketType.Publish:
                Published(packet.Publish, link.Number);
                break;
            case PacketType.PubRel:
                Released(packet.Ack);
                break;
            case PacketType.Connect:
                world.Log?.Book.CheckConnect();
                break;
            case PacketType.PubAck or PacketType.PubRec or PacketType.PubComp when link.Connection.Answers.Record(packet.Ack.PacketId) is { } record:
                Answered(packet.Ack, record);
                break;
        }
    }

    private void Published(in PublishPacket packet, int connection)
    {
        var number = Payload.Number(packet.Payload);
        if (number < 0 || number >= world.Outgoing.Count)
        {
            return; // the broker reports it
        }

        var record = world.Outgoing[number];
        record.Written += record.WrittenOn == connection ? 0 : 1;
        record.WrittenOn = connection;
        if (record.OrderedIn != world.Broker.SessionNumber)
        {
            record.OrderedIn = world.Broker.SessionNumber;
            record.SendOrder = ++world.Application.FirstWrites;
        }

        if (packet.QoS != QoS.AtMostOnce)
        {
            world.Log?.Book.CheckPublish(packet.PacketId, record);
        }

        switch (packet.QoS)
        {
            case QoS.AtMostOnce:
                record.Phase = OutboundPhase.QoS0Underway;
                break;
            default:
                record.Phase = packet.QoS == QoS.AtLeastOnce ? OutboundPhase.QoS1Sent : OutboundPhase.QoS2Sent;
                world.Application.Sent[packet.PacketId] = record;
                break;
        }
    }

    private void Released(in AckPacket ack)
    {
        if (ack.ReasonCode.IsFailure())
        {
            return;
        }

        world.Log?.Book.CheckRelease(ack.PacketId);
        if (world.Application.Sent.TryGetValue(ack.PacketId, out var record))
        {
            record.Phase = OutboundPhase.QoS2Released;
        }
    }

    private void Answered(in AckPacket ack, IncomingRecord record)
    {
        if (world.Log is { Book: var book })
        {
            switch (ack.Type)
            {
                case PacketType.PubComp:
                    book.CheckComplete(ack.PacketId);
                    break;
                case PacketType.PubRec when !ack.ReasonCode.IsFailure():
                    book.CheckReceived(ack.PacketId);
                    break;
                default:
                    book.CheckAcknowledge(ack.PacketId);
                    break;
            }
        }

        if (ack.Type == PacketType.PubComp)
        {
            record.Phase = InboundPhase.QoS2Completed;
            return;
        }

        world.Require(
            ack.ReasonCode.IsFailure() ? record.Refused > 0 : record.Handled > 0 || record.IsKept || record.Unwanted || (record.QoS == QoS.ExactlyOnce && world.SessionIsAmbiguous),
            $"the client acknowledges {record} with {ack.Type} before its handler has ended");
        record.Phase = ack.Type == PacketType.PubAck ? InboundPhase.QoS1Acknowledged : InboundPhase.QoS2Acknowledged;
    }
}
