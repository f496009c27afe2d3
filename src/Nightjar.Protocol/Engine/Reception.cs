using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Journal;
using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Engine;

/// <summary>
/// What received packets do, once the connection is accepted: messages are routed and admitted, acknowledgements end exchanges, answers reach those who asked. It closes
/// nothing; what breaks a rule is returned.
/// </summary>
internal sealed class Reception(
    EngineSettings settings,
    Outbound outbound,
    AcknowledgementLedger ledger,
    WantedSubscriptions subscriptions,
    TopicRoutes routes,
    SubscriptionIdentifiers identifiers,
    EngineCounters counters,
    Queue<EngineOutput> outputs)
{
    private readonly LargeMessages _large = new(settings, ledger, outputs);

    /// <summary>Messages that were not stored because they were too large.</summary>
    public long Skipped => _large.Skipped;

    private SessionJournal? Journal => outbound.Session.Journal;

    /// <summary>Takes one packet; a PUBLISH gets its route and its token. Null if it keeps all rules.</summary>
    public ProtocolViolation? Handle(ref InboundPacket packet, ReadOnlySpan<byte> chunk, Accepted accepted)
    {
        switch (packet.Type)
        {
            case PacketType.Publish:
                return HandlePublish(ref packet, chunk, accepted);
            case PacketType.PubAck or PacketType.PubRec or PacketType.PubComp:
                outbound.HandleAck(packet.Type, packet.PacketId, packet.ReasonCode);
                return null;
            case PacketType.PubRel:
                return HandlePubRel(packet.PacketId);
            case PacketType.SubAck:
                return HandleSubAck((SubAckPacket)packet.Other!);
            case PacketType.UnsubAck:
                return subscriptions.HandleUnsubAck(outbound.Session, (UnsubAckPacket)packet.Other!, accepted.Version);
            case PacketType.Auth:
                return new ProtocolViolation(ReasonCode.ProtocolError, "MQTT5-4.12.0-6", "The server sent AUTH and no authentication method was agreed.");
            default:
                return null;
        }
    }

    /// <summary>The connection is over.</summary>
    public void Close() => _large.Close();

    /// <summary>Acknowledgements that are ready go out, in the order of arrival, each behind the record that it depends on.</summary>
    public void WriteReadyAcks()
    {
        while (ledger.TryTakeReady(out var ack))
        {
            outbound.WriteAck(ack, Journal is null ? 0 : Record(ack));
        }
    }

    /// <summary>Subscriptions that were denied, by the server or for its limits, get no messages.</summary>
    public void DropDenied()
    {
        foreach (var answer in subscriptions.Answers)
        {
            if (answer.ReasonCode.IsFailure())
            {
                foreach (var subscription in answer.Subscriptions)
                {
                    routes.Remove(subscription, answer.Filter);
                }
            }
        }
    }

    private ProtocolViolation? HandlePublish(ref InboundPacket packet, ReadOnlySpan<byte> chunk, Accepted accepted)
    {
        if (packet.Part > PublishPart.Begin)
        {
            _large.Continue(ref packet);
            return null;
        }

        counters.MessagesReceived[(int)packet.QoS]++;
        var topic = packet.AliasedTopic ?? chunk.Slice(packet.TopicOffset, packet.TopicLength);
        var route = identifiers.InUse && packet.PropertiesLength > 0 ? FindMarked(topic, packet, chunk) : routes.Find(topic);
        packet.Route = route;
        packet.Deliver = route.Subscriptions.Length > 0;
        if (!packet.Deliver)
        {
            counters.Unrouted++;
            outputs.Enqueue(new EngineOutput.Unrouted(route.Name));
        }

        var storing = 0;
        if (packet.QoS > QoS.AtMostOnce && packet.Part == PublishPart.Whole && Journal is not null)
        {
            storing = LocalSubscription.CountStoring(route.Subscriptions);
        }

        var handlers = packet.Part == PublishPart.Begin
            ? _large.Begin(ref packet, accepted.Version)
            : LocalSubscription.CountAcknowledging(route.Subscriptions, storing > 0);
        if (packet.QoS == QoS.AtMostOnce)
        {
            return null;
        }

        // Perhaps the server did not keep the session. Then it begins to number anew, and DUP tells a new message from a repeated one.
        var isNew = !accepted.SessionIsCertain && !packet.Duplicate;
        switch (ledger.Admit(packet.QoS, packet.PacketId, handlers, isNew, out packet.Token, route, isRepeated: accepted.SessionPresent && packet.Duplicate))
        {
            case Admission.Duplicate:
                packet.Deliver = false;
                _large.Forget(packet.Part);
                return null;
            case Admission.ReceiveMaximumExceeded:
                packet.Deliver = false;
                return new ProtocolViolation(
                    ReasonCode.ReceiveMaximumExceeded,
                    ViolationLoop.ReceiveMaximumClause,
                    $"The server sent more than Receive Maximum ({settings.ReceiveMaximum}) messages without waiting for an acknowledgement.");
            default:
                _large.Admitted(packet);
                if (Journal is not null)
                {
                    Record(ref packet, topic, chunk, storing, handlers);
                }

                return null;
        }
    }

    /// <summary>What an answer depends on.</summary>
    private long Record(in AckPacket ack) =>
        ack.Type == PacketType.PubRec && !ack.ReasonCode.IsFailure() ? Journal!.Received(ack.PacketId) : Journal!.Acknowledged(ack.PacketId);

    /// <summary>A message gets its delivery id, and lies in the log for subscriptions that want that.</summary>
    private void Record(ref InboundPacket packet, ReadOnlySpan<byte> topic, ReadOnlySpan<byte> chunk, int storing, int handlers)
    {
        var message = new OutgoingPublish
        {
            Topic = topic,
            Properties = storing > 0 ? chunk.Slice(packet.PayloadOffset - packet.PropertiesLength, packet.PropertiesLength) : default,
            Payload = storing > 0 ? chunk.Slice(packet.PayloadOffset, packet.PayloadLength) : default,
            QoS = packet.QoS,
            Retain = packet.Retain,
        };
        packet.DeliveryId = Journal!.Arrived(packet.PacketId, message, storing, handlers == 0, packet.Duplicate, out packet.WasStored);
    }

    private ProtocolViolation? HandlePubRel(ushort id)
    {
        if (!ledger.Release(id, out var reason))
        {
            return new ProtocolViolation(ReasonCode.ProtocolError, "MQTT5-4.3.3-4", "The server sent PUBREL for a message that PUBREC has not answered.");
        }

        var lsn = Journal?.ReceivedReleased(id) ?? 0;
        outbound.WriteAck(new AckPacket(PacketType.PubComp, id, reason), lsn);
        return null;
    }

    private TopicRoute FindMarked(ReadOnlySpan<byte> topic, in InboundPacket packet, ReadOnlySpan<byte> chunk)
    {
        Span<uint> buffer = stackalloc uint[SubscriptionIdentifiers.MostInMessage];
        var marks = SubscriptionIdentifiers.Read(chunk.Slice(packet.PayloadOffset - packet.PropertiesLength, packet.PropertiesLength), buffer);
        return routes.Find(topic, marks, packet.Retain && marks.Length > 0);
    }

    private ProtocolViolation? HandleSubAck(SubAckPacket packet)
    {
        var violation = subscriptions.HandleSubAck(outbound.Session, packet);
        DropDenied();
        return violation;
    }
}
