using Nightjar.Protocol.Packets;

namespace Nightjar.Testing.Broker;

/// <summary>
/// What one session has yet to receive: messages in flight, in the order in which they were first sent, and those that wait behind the
/// client's Receive Maximum or for its return. Guarded by the broker's lock.
/// </summary>
internal sealed class SessionOutbox(BrokerState state)
{
    private readonly Queue<Delivery> _waiting = new();
    private readonly Dictionary<ushort, InFlight> _inFlight = [];

    // In flight on an earlier connection, to be sent again before anything new [MQTT5-4.4.0-1].
    private readonly Queue<InFlight> _again = new();
    private BrokerConnection? _connection;

    // How many of those in flight were sent on this connection; it is what Receive Maximum counts [MQTT5-3.3.4-9].
    private int _sent;
    private ushort _lastId;
    private long _lastOrder;

    /// <summary>Sends, queues or drops; false if it was dropped.</summary>
    public bool Deliver(in Delivery delivery)
    {
        if (delivery.QoS == QoS.AtMostOnce)
        {
            if (_connection is null)
            {
                return false;
            }

            if (_connection.IsFull)
            {
                state.CountDropped();
                return false;
            }

            return _connection.TrySend(delivery, packetId: 0, duplicate: false);
        }

        if (_waiting.Count >= state.Options.MaximumQueuedMessages)
        {
            state.CountDropped();
            return false;
        }

        _waiting.Enqueue(delivery);
        Pump();
        return true;
    }

    /// <summary>The client is back: what was in flight goes first, in the original order.</summary>
    public void Resume(BrokerConnection connection)
    {
        _connection = connection;
        _sent = 0;
        _again.Clear();
        foreach (var message in _inFlight.Values.OrderBy(message => message.Order))
        {
            message.IsSent = false;
            _again.Enqueue(message);
        }

        Pump();
    }

    public void Suspend() => _connection = null;

    /// <summary>PUBACK, PUBREC or PUBCOMP of the client.</summary>
    public void Acknowledge(in AckPacket ack)
    {
        var known = _inFlight.TryGetValue(ack.PacketId, out var message);
        switch (ack.Type)
        {
            case PacketType.PubRec when !known:
                _connection?.Send(new AckPacket(PacketType.PubRel, ack.PacketId, ReasonCode.PacketIdentifierNotFound));
                return;
            case PacketType.PubRec when message!.Delivery.QoS == QoS.ExactlyOnce && !ack.ReasonCode.IsFailure():
                message.IsReleased = true;
                _connection?.Send(new AckPacket(PacketType.PubRel, ack.PacketId));
                return;
            case PacketType.PubRec when message!.Delivery.QoS == QoS.ExactlyOnce:
            case PacketType.PubAck when known && message!.Delivery.QoS == QoS.AtLeastOnce:
            case PacketType.PubComp when known && message!.IsReleased:
                _inFlight.Remove(ack.PacketId);
                _sent -= message.IsSent ? 1 : 0;
                message.IsSent = false;
                Pump();
                return;
        }
    }

    /// <summary>Sends what the client's Receive Maximum and its pace of reading allow.</summary>
    public void Pump()
    {
        while (_connection is { } connection && _sent < connection.ReceiveMaximum && !connection.IsFull)
        {
            if (_again.TryDequeue(out var earlier))
            {
                SendAgain(connection, earlier);
            }
            else if (_waiting.Count > 0 && _inFlight.Count < ushort.MaxValue)
            {
                SendNew(connection, _waiting.Dequeue());
            }
            else
            {
                return;
            }
        }
    }

    private void SendAgain(BrokerConnection connection, InFlight message)
    {
        // The client may have acknowledged it in the meantime.
        if (!_inFlight.TryGetValue(message.Id, out var current) || current != message)
        {
            return;
        }

        if (message.IsReleased)
        {
            connection.Send(new AckPacket(PacketType.PubRel, message.Id));
        }
        else if (!connection.TrySend(message.Delivery, message.Id, duplicate: true))
        {
            _inFlight.Remove(message.Id);
            return;
        }

        message.IsSent = true;
        _sent++;
    }

    private void SendNew(BrokerConnection connection, in Delivery delivery)
    {
        if (delivery.Message.IsExpired(state.Now))
        {
            return;
        }

        do
        {
            _lastId = (ushort)(_lastId == ushort.MaxValue ? 1 : _lastId + 1);
        }
        while (_inFlight.ContainsKey(_lastId));

        // One that is too large for the client counts as delivered [MQTT5-3.1.2-25].
        if (connection.TrySend(delivery, _lastId, duplicate: false))
        {
            _inFlight.Add(_lastId, new InFlight(_lastId, ++_lastOrder, delivery) { IsSent = true });
            _sent++;
        }
    }

    private sealed class InFlight(ushort id, long order, Delivery delivery)
    {
        public ushort Id { get; } = id;

        public long Order { get; } = order;

        public Delivery Delivery { get; } = delivery;

        /// <summary>PUBREC came, PUBREL was sent.</summary>
        public bool IsReleased { get; set; }

        /// <summary>Sent on the present connection.</summary>
        public bool IsSent { get; set; }
    }
}
