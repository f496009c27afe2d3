using System.Text;
using Nightjar.Protocol.Packets;

namespace Nightjar.Testing.Simulation;

/// <content>The messages of the client.</content>
internal sealed partial class ModelConnection
{
    private void Accept(in PublishPacket packet)
    {
        var number = Payload.Number(packet.Payload);
        Require(number >= 0 && number < world.Outgoing.Count, "sent a payload that nobody published");
        var topic = Topic(packet);
        if (world.Violations.Count > 0)
        {
            return;
        }

        var record = world.Outgoing[number];
        Require(record.Topic == topic && record.QoS == packet.QoS && record.Retain == packet.Retain, $"altered {record}: {topic} {packet.QoS} {packet.Retain}");
        if (packet.QoS == QoS.AtMostOnce)
        {
            world.Broker.Accept(record, Version);
            record.IsOver = true;
            return;
        }

        AcceptReliable(packet.PacketId, packet.Duplicate, record);
    }

    private void AcceptReliable(ushort id, bool duplicate, OutgoingRecord record)
    {
        // One order for QoS 1 and 2 on each connection: what is sent again comes first, as it was sent at first [MQTT5-4.6.0-1].
        Require(record.Number != _lastReliable, $"sent {record} again on a live connection");
        Require(record.SendOrder > _lastOrder, $"sent {record} after message {_lastReliable}, which was sent after it at first");
        Require(
            record.Number > _lastReliable || world.Traits.Overflow == OutboxOverflow.LatestPerTopic,
            $"sent {record} after message {_lastReliable}, out of order or again on a live connection");
        _lastReliable = record.Number;
        _lastOrder = record.SendOrder;
        world.Broker.ReliableReceived++;

        var session = _session!;
        var again = session.LastMessage.TryGetValue(id, out var last) && last == record.Number;
        Require(duplicate || !again, $"sent {record} again without DUP [MQTT5-3.3.1-1]");
        Require(!duplicate || SessionPresent || Version == MqttVersion.Mqtt31, $"sent {record} with DUP in a new session");
        session.LastMessage[id] = record.Number;
        _unanswered.Add(id);
        Require(
            Version < MqttVersion.Mqtt5 || _unanswered.Count <= world.Traits.ServerReceiveMaximum,
            $"sent {_unanswered.Count} messages and may send {world.Traits.ServerReceiveMaximum} [MQTT5-3.3.4-9]");
        if (record.QoS == QoS.AtLeastOnce)
        {
            world.Broker.Accept(record, Version);
            record.Phase = OutboundPhase.QoS1Accepted;
            Acknowledge(new AckPacket(PacketType.PubAck, id));
            return;
        }

        if (session.Received.TryGetValue(id, out var first))
        {
            Require(first == record.Number, $"used identifier {id} for {record} while message {first} has it");
        }
        else
        {
            session.Received[id] = record.Number;
            world.Broker.Accept(record, Version);
        }

        record.Phase = OutboundPhase.QoS2Accepted;
        Acknowledge(new AckPacket(PacketType.PubRec, id));
    }

    private string Topic(in PublishPacket packet)
    {
        if (packet.TopicAlias == 0)
        {
            return Encoding.UTF8.GetString(packet.Topic);
        }

        Require(packet.TopicAlias <= world.Traits.ServerAliases, $"used alias {packet.TopicAlias}");
        if (!packet.Topic.IsEmpty)
        {
            _aliases[packet.TopicAlias] = Encoding.UTF8.GetString(packet.Topic);
        }

        Require(_aliases.ContainsKey(packet.TopicAlias), $"used alias {packet.TopicAlias} before its topic");
        return _aliases.GetValueOrDefault(packet.TopicAlias, "");
    }

    private void Release(ushort id)
    {
        var order = _answers.Released(id);
        Require(order, $"released {id} before an earlier PUBREC's message [MQTT5-4.6.0-4]");
        var known = _session!.Received.Remove(id, out var number);
        if (known)
        {
            world.Outgoing[number].Phase = OutboundPhase.QoS2Completed;
        }

        Acknowledge(new AckPacket(PacketType.PubComp, id, known ? ReasonCode.Success : ReasonCode.PacketIdentifierNotFound));
    }
}
