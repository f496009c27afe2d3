using System.Diagnostics;
using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Topics;

namespace Nightjar.Testing.Broker;

/// <summary>
/// What the broker does with the packets of one client, one after another, called by the connection's read loop. Questions to the user's code are
/// asked before the broker's lock is taken.
/// </summary>
internal sealed class Conversation(BrokerState state, BrokerConnection connection)
{
    private readonly Dictionary<ushort, byte[]> _aliases = [];
    private readonly ConnectPolicy _policy = new(state, connection);
    private ConnectPacket? _connect;
    private string _clientId = "";
    private ushort _aliasMaximum;
    private int _receiveMaximum;

    public void Handle(in DecodedPacket packet)
    {
        if (_connect is null)
        {
            HandleFirst(packet);
            return;
        }

        switch (packet.Type)
        {
            case PacketType.Publish:
                HandlePublish(packet.Publish);
                break;
            case PacketType.PubAck or PacketType.PubRec or PacketType.PubComp:
                HandleAck(packet.Ack);
                break;
            case PacketType.PubRel:
                HandleRelease(packet.Ack);
                break;
            case PacketType.Subscribe:
                HandleSubscribe((SubscribePacket)packet.Other!);
                break;
            case PacketType.Unsubscribe:
                HandleUnsubscribe((UnsubscribePacket)packet.Other!);
                break;
            case PacketType.PingReq:
                connection.Send(default(PingRespPacket));
                break;
            case PacketType.Disconnect:
                HandleDisconnect((DisconnectPacket)packet.Other!);
                break;
            default:
                // A second CONNECT [MQTT5-3.1.0-2], or AUTH without an authentication method [MQTT5-4.12.0-6].
                Reject(ReasonCode.ProtocolError, $"The client sent {packet.Type.ToString().ToUpperInvariant()}, which is not legal here.");
                break;
        }
    }

    /// <summary>Ends the conversation: the client broke a rule, or a callback of the test's failed.</summary>
    public void Reject(ReasonCode code, string text)
    {
        if (_connect is null)
        {
            _policy.Reject(code, text);
            return;
        }

        lock (state.Gate)
        {
            state.Sessions.Detach(connection);
            connection.Close(code, text);
        }
    }

    private void HandleFirst(in DecodedPacket packet)
    {
        if (packet.Other is not ConnectPacket connect)
        {
            // The first packet must be CONNECT [MQTT5-3.1.0-1]; without one there is nobody to explain it to.
            lock (state.Gate)
            {
                connection.Close();
            }

            return;
        }

        _aliasMaximum = state.Options.TopicAliasMaximum;
        _receiveMaximum = connect.Version == MqttVersion.Mqtt5 ? state.Options.ReceiveMaximum : ushort.MaxValue;
        if (_policy.TryAccept(connect, out _clientId))
        {
            _connect = connect;
        }
    }

    private void HandlePublish(in PublishPacket packet)
    {
        if (packet.QoS > state.Options.MaximumQoS)
        {
            Reject(ReasonCode.QoSNotSupported, $"The broker's Maximum QoS is {(int)state.Options.MaximumQoS} [MQTT5-3.2.2-11].");
            return;
        }

        if (packet.Retain && !state.Options.RetainAvailable)
        {
            Reject(ReasonCode.RetainNotSupported, "The broker does not retain [MQTT5-3.2.2-14].");
            return;
        }

        if (!TryResolveTopic(packet, out var topic))
        {
            return;
        }

        var message = BrokerMessage.From(packet, topic, _clientId, state.Now);
        var allowed = state.Options.MayPublish?.Invoke(_clientId, message.TopicText) ?? true;
        lock (state.Gate)
        {
            if (connection.Session is not { } session)
            {
                return;
            }

            if (packet.QoS == QoS.ExactlyOnce && session.Received.Contains(packet.PacketId))
            {
                // The same message again: its PUBREC was lost [MQTT5-4.3.3-10].
                connection.Send(new AckPacket(PacketType.PubRec, packet.PacketId));
                return;
            }

            if (packet.QoS == QoS.ExactlyOnce && session.Received.Count >= _receiveMaximum)
            {
                state.Sessions.Detach(connection);
                connection.Close(ReasonCode.ReceiveMaximumExceeded, $"The broker's Receive Maximum is {_receiveMaximum} [MQTT5-3.3.4-7].");
                return;
            }

            var delivered = allowed ? state.Publish(message, packet.Duplicate, packet.PacketId) : 0;
            Answer(session, packet.QoS, packet.PacketId, allowed, delivered);
        }
    }

    private void Answer(BrokerSession session, QoS qos, ushort packetId, bool allowed, int delivered)
    {
        // Before 5.0 a refusal has no code: the message is acknowledged and gone [MQTT311-3.3.5-2].
        var code = !allowed ? ReasonCode.NotAuthorized : delivered == 0 ? ReasonCode.NoMatchingSubscribers : ReasonCode.Success;
        code = connection.Version == MqttVersion.Mqtt5 ? code : ReasonCode.Success;
        if (qos == QoS.AtLeastOnce)
        {
            connection.Send(new AckPacket(PacketType.PubAck, packetId, code));
        }
        else if (qos == QoS.ExactlyOnce)
        {
            // A PUBREC that refuses ends the exchange, so the identifier is free again (4.3.3).
            if (!code.IsFailure())
            {
                session.Received.Add(packetId);
            }

            connection.Send(new AckPacket(PacketType.PubRec, packetId, code));
        }
    }

    private bool TryResolveTopic(in PublishPacket packet, out byte[] topic)
    {
        topic = [];
        if (packet.TopicAlias > _aliasMaximum)
        {
            Reject(ReasonCode.TopicAliasInvalid, $"The broker's Topic Alias Maximum is {_aliasMaximum} [MQTT5-3.3.2-9].");
            return false;
        }

        if (packet.Topic.IsEmpty)
        {
            if (_aliases.TryGetValue(packet.TopicAlias, out var known))
            {
                topic = known;
                return true;
            }

            Reject(ReasonCode.ProtocolError, $"The topic alias {packet.TopicAlias} was not set on this connection [MQTT5-3.3.2-7].");
            return false;
        }

        topic = packet.Topic.ToArray();
        if (packet.TopicAlias > 0)
        {
            _aliases[packet.TopicAlias] = topic;
        }

        return true;
    }

    private void HandleAck(in AckPacket ack)
    {
        lock (state.Gate)
        {
            connection.Session?.Outbox.Acknowledge(ack);
        }
    }

    private void HandleRelease(in AckPacket release)
    {
        lock (state.Gate)
        {
            if (connection.Session is not { } session)
            {
                return;
            }

            var known = session.Received.Remove(release.PacketId);
            var code = known || connection.Version != MqttVersion.Mqtt5 ? ReasonCode.Success : ReasonCode.PacketIdentifierNotFound;
            connection.Send(new AckPacket(PacketType.PubComp, release.PacketId, code));
        }
    }

    private void HandleSubscribe(SubscribePacket packet)
    {
        var accepted = new List<(TopicFilter Filter, RequestedSubscription Requested)>();
        var codes = new List<ReasonCode>();
        foreach (var requested in packet.Subscriptions)
        {
            var code = Judge(requested, packet.SubscriptionIdentifier, out var filter);
            if (code == ReasonCode.ProtocolError)
            {
                Reject(code, "A shared subscription cannot be No Local [MQTT5-3.8.3-4].");
                return;
            }

            if (!code.IsFailure())
            {
                accepted.Add((filter, requested));
            }

            // 3.1.1 knows one failure; 3.1 knows none, and clients that read its SUBACK see this one as no QoS.
            codes.Add(code.IsFailure() && connection.Version != MqttVersion.Mqtt5 ? ReasonCode.UnspecifiedError : code);
        }

        lock (state.Gate)
        {
            if (connection.Session is not { } session)
            {
                return;
            }

            connection.Send(new SubAckPacket { PacketId = packet.PacketId, ReasonCodes = codes });
            foreach (var (filter, requested) in accepted)
            {
                var subscription = new BrokerSubscription(session, filter, requested, Granted(requested.QoS), packet.SubscriptionIdentifier);
                state.Subscribe(subscription, requested.RetainHandling);
            }
        }
    }

    private ReasonCode Judge(in RequestedSubscription requested, uint? identifier, out TopicFilter filter)
    {
        var options = state.Options;
        if (!TopicFilter.TryParse(requested.Filter, out filter, out _))
        {
            return ReasonCode.TopicFilterInvalid;
        }

        if (filter.IsShared && requested.NoLocal)
        {
            return ReasonCode.ProtocolError;
        }

        if (filter.IsShared && !options.SharedSubscriptionAvailable)
        {
            return ReasonCode.SharedSubscriptionsNotSupported;
        }

        if (filter.HasWildcards && !options.WildcardSubscriptionAvailable)
        {
            return ReasonCode.WildcardSubscriptionsNotSupported;
        }

        if (identifier is not null && !options.SubscriptionIdentifiersAvailable)
        {
            return ReasonCode.SubscriptionIdentifiersNotSupported;
        }

        var allowed = options.MaySubscribe?.Invoke(_clientId, requested.Filter) ?? true;
        return allowed ? (ReasonCode)Granted(requested.QoS) : ReasonCode.NotAuthorized;
    }

    private QoS Granted(QoS requested) => requested < state.Options.MaximumQoS ? requested : state.Options.MaximumQoS;

    private void HandleUnsubscribe(UnsubscribePacket packet)
    {
        lock (state.Gate)
        {
            if (connection.Session is not { } session)
            {
                return;
            }

            var codes = new List<ReasonCode>();
            foreach (var filter in packet.Filters)
            {
                codes.Add(state.Unsubscribe(session, filter) ? ReasonCode.Success : ReasonCode.NoSubscriptionExisted);
            }

            connection.Send(new UnsubAckPacket { PacketId = packet.PacketId, ReasonCodes = connection.Version == MqttVersion.Mqtt5 ? codes : [] });
        }
    }

    private void HandleDisconnect(DisconnectPacket packet)
    {
        Debug.Assert(_connect is not null);
        lock (state.Gate)
        {
            if (connection.Session is not { } session)
            {
                return;
            }

            if (packet.SessionExpiryInterval > 0 && _connect.SessionExpiryInterval.GetValueOrDefault() == 0)
            {
                state.Sessions.Detach(connection);
                connection.Close(ReasonCode.ProtocolError, "The Session Expiry Interval was 0 in CONNECT and cannot be raised [MQTT5-3.14.2-2].");
                return;
            }

            if (packet.ReasonCode == ReasonCode.Success)
            {
                session.Will = null;
            }

            session.Expiry = packet.SessionExpiryInterval is { } seconds ? _policy.Expiry(seconds) : session.Expiry;
            state.Sessions.Detach(connection);
            connection.Close();
        }

        state.Changed.Raise();
    }
}
