using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Session;

namespace Nightjar.Protocol.Engine;

/// <summary>
/// Everything on its way to the server: stored messages, the session's exchanges, two lanes of bytes. Control packets go before data; QoS 0 may overtake messages that
/// wait for quota; order is kept within a QoS. Not thread-safe: the host guards it with one lock, taken once per command and once per received chunk.
/// </summary>
internal sealed partial class Outbound
{
    // A publisher waits rather than let the lane grow past this: it bounds memory, and what is lost with the connection.
    private const int DataLaneLimit = 256 * 1024;

    // Acknowledgements beyond this mean a peer that sends and does not read: parsing pauses.
    private const int ControlLaneLimit = 64 * 1024;

    private readonly MessageStore _messages = new();
    private readonly PublishTimeouts _timeouts;
    private readonly FlushBarriers _flushes;
    private readonly OutputLane _control = new();
    private readonly OutputLane _pings = new();
    private readonly OutputLane _data = new();
    private readonly PublishLane _publishes;
    private readonly PacketEncoder _packets;
    private readonly List<int> _voided = [];
    private readonly List<int> _setAside = [];
    private readonly OutboxSettings _settings;
    private readonly EngineCounters _counters;
    private readonly OutboxBudget _budget;
    private readonly MessageExpiry _expiry;
    private readonly ApplicationIds _ids;
    private readonly DeliverySteps _steps;
    private readonly LatestPerTopic? _latest;
    private MessageQueue _reliable = new();
    private MessageQueue _unreliable = new();
    private ServerLimits _limits = ServerLimits.None;
    private MqttVersion _version;
    private bool _open;
    private bool _unreliableIsNext;
    private int _quarantined;
    private long _now;
    private long _committed;
    private long _recordedBefore;
    private long _connectRecord;
    private long _unreliableInLane;
    private long _unreliableWritten;
    private long _unreliableTaken;

    public Outbound(OutboxSettings settings, EngineCounters counters, bool hasStore = false)
    {
        _settings = settings;
        _counters = counters;
        _budget = new OutboxBudget(settings, _messages);
        _expiry = new MessageExpiry(_messages);
        _ids = new ApplicationIds(settings.RememberedIds);
        _steps = new DeliverySteps(_messages);
        _latest = settings.Overflow == OutboxOverflow.LatestPerTopic ? new LatestPerTopic(_messages) : null;
        Pace = new PublishPace(settings.Pace);
        _timeouts = new PublishTimeouts(settings.PublishTimeout, _messages);
        _flushes = new FlushBarriers(_messages);
        _packets = new PacketEncoder(counters);
        _publishes = new PublishLane(_data, settings, counters);
        Session = new ClientSession(settings.MaximumInFlight);
        _committed = hasStore ? 0 : long.MaxValue; // mutant: SendBeforeCommit
    }

    public ClientSession Session { get; }

    /// <summary>Records cannot be written at the moment.</summary>
    public bool StoreIsFailing { get; private set; }

    /// <summary>Where they lie.</summary>
    public MessageStore Messages => _messages;

    /// <summary>How fast messages may leave.</summary>
    public PublishPace Pace { get; }

    /// <summary>Waits that ended; the host takes them under its lock and signals them after it.</summary>
    public List<PublishOutcome> Ended { get; private set; } = [];

    /// <summary>Whether there are receipts among them.</summary>
    public bool HasEndedReceipts { get; private set; }

    /// <summary>Flushes that ended, likewise.</summary>
    public List<FlushOutcome> Flushed => _flushes.Ended;

    /// <summary>Messages that were sent before and cannot be sent on this connection; the host reports them and clears the list.</summary>
    public List<(string Topic, ushort PacketId, string Reason)> Quarantined { get; } = [];

    public int Queued => _reliable.Count + _unreliable.Count + _setAside.Count;

    /// <summary>All messages that may have to be sent (again), and what they take.</summary>
    public (int Count, long Bytes) Pending => (_messages.Count, _messages.Bytes);

    /// <summary>Bytes of packets that wait to be handed to the transport.</summary>
    public int Buffered => _control.Length + _pings.Length + _data.Length;

    /// <summary>Whether a flush would find something that may leave now.</summary>
    public bool HasOutput => _control.HasOutput(_committed) || _pings.HasOutput(_committed) || _data.HasOutput(_committed);

    /// <summary>Whether the peer sends without reading, so that no more may be parsed.</summary>
    public bool ControlIsFull => _control.Length >= ControlLaneLimit;

    /// <summary>How many bytes of PINGREQs were put into the lane of this connection, and how many of them were taken out.</summary>
    public (long Written, long Taken) Pings => (_pings.Position, _pings.Position - _pings.Length);

    /// <summary>The last record that a SUBSCRIBE depended on.</summary>
    public long SubscribeRecord { get; private set; }

    /// <summary>How many bytes of messages and subscriptions were put into the lane of this connection.</summary>
    public long DataWritten => _data.Position;

    /// <summary>How many bytes of all packets were.</summary>
    public long Gathered => _data.Position + _control.Position + _pings.Position;

    /// <summary>
    /// Nothing waits, nothing is in flight, and QoS 0 is handed to the transport. Acknowledgements do not count: there may always be another. Nor does what this connection forbids to send
    /// again, or cannot: only another connection, or another session, could change that.
    /// </summary>
    public bool IsDrained => _reliable.Count + _unreliable.Count == 0 && Session.InFlight == Session.Withheld && _unreliableWritten == _unreliableInLane;

    /// <summary>Whether the server owes an answer: to a message, or to a SUBSCRIBE or UNSUBSCRIBE.</summary>
    public bool AwaitsAnswers => Session.IdsInUse > Session.Withheld + Session.Reserved;

    public long Deadline => Math.Min(Math.Min(_timeouts.Deadline, Pace.Deadline), Math.Min(_expiry.Deadline, _budget.Deadline));

    /// <summary>
    /// Command: publish at QoS 0 without waiting, if there is a connection, room, and nothing before it in the queue or in line for it.
    /// <see cref="PublishStart.Accepted"/> here means that it must wait: <see cref="Accept"/> it.
    /// </summary>
    public PublishStart TryBuffer(in OutgoingPublish message, out SendLimit? refusal)
    {
        refusal = null;
        if (!_open || _unreliable.Count > 0 || _budget.HoldsUnreliable || Pace.IsActive || _data.Length >= DataLaneLimit)
        {
            return PublishStart.Accepted;
        }

        var packet = message.ToPacket();
        refusal = _publishes.Check(packet, message.TopicAlias, out _);
        if (refusal is not null)
        {
            return PublishStart.Refused;
        }

        _publishes.Write(packet, message.TopicAlias, lsn: 0, _committed);
        _unreliableInLane++;
        return PublishStart.Buffered;
    }

    /// <summary>Command: publish. <paramref name="waiter"/> hears how it ends; null: nobody does.</summary>
    public MessageTicket Accept(in OutgoingPublish message, object? waiter, long now)
    {
        var handle = _messages.Add(message, waiter);
        var ticket = new MessageTicket(handle, _messages[handle].Generation);
        if (!message.HasReceipt)
        {
            _timeouts.Add(ticket, now);
        }

        if (!message.Id.IsEmpty)
        {
            _ids.Add(message.Id, handle);
        }

        var wasPaced = Pace.IsActive; // only now may it be seen that it is not any more
        At(now);
        if (message.TimeToLive > 0 || _settings.MaximumAge != long.MaxValue)
        {
            WatchAge(ticket, message.TimeToLive, now);
        }

        var replaced = Enqueue(handle);
        if (message.QoS != QoS.AtMostOnce && !StoreIsFailing)
        {
            WriteDown(handle, now, replaced);
        }

        if (replaced >= 0)
        {
            // After the record of the newer: a log that is cut between the two still has one of them.
            EndReplaced(replaced);
        }

        if (wasPaced)
        {
            Pump();
        }
        else if (message.QoS != QoS.AtMostOnce)
        {
            PumpReliable();
        }
        else
        {
            PumpUnreliable();
        }

        return ticket;
    }

    /// <summary>Time passed; nothing happens by it alone, see <see cref="Advance"/>.</summary>
    public void At(long now)
    {
        _now = now;
        Pace.At(now);
    }

    /// <summary>Command: tell <paramref name="waiter"/> when all that was published before is handed to the transport. True: it is already.</summary>
    public bool Flush(object waiter) => _flushes.Add(waiter, _reliable, _unreliable, FlushPosition);

    /// <summary>Writes DISCONNECT, which leaves after all else; nothing may follow it [MQTT5-3.14.4-1].</summary>
    public void WriteLast(DisconnectPacket packet, MqttVersion version)
    {
        var depends = Math.Max(Session.LastRecord, _connectRecord);
        if (StoreIsFailing)
        {
            // What waits for the log will not leave any more.
            _control.DropBlocked(_committed);
            _data.DropBlocked(_committed);
            depends = 0;
        }

        // It depends on every record, lest it overtake a control packet that waits for one.
        _packets.Write(_data, packet, version, depends, _committed);
        _open = false;
        Pace.Begin();
    }

    /// <summary>Sends whatever may be sent now: what is to be repeated, then what waits.</summary>
    public void Pump()
    {
        if (!_open)
        {
            return;
        }

        Pace.Begin();
        Resend();
        if (Pace.IsActive)
        {
            // By turns, lest one of them wait for ever while the other has always something.
            while (_unreliableIsNext ? TrySendUnreliable() || TrySendReliable() : TrySendReliable() || TrySendUnreliable())
            {
                _unreliableIsNext = !_unreliableIsNext;
            }
        }
        else
        {
            PumpReliable();
            PumpUnreliable();
        }

        _flushes.Left(_reliable, _unreliable, FlushPosition);
    }

    /// <summary>Take: what the next flush writes. False if there is nothing that may leave.</summary>
    public bool TakeOutput(OutputBatch batch)
    {
        var any = _control.TakeInto(batch, _committed);
        any |= _pings.TakeInto(batch, _committed);
        any |= _data.TakeInto(batch, _committed);
        if (_data.Length == 0)
        {
            _unreliableTaken = _unreliableInLane;
        }

        Pump();
        return any;
    }

    /// <summary>The batch taken last was handed to the transport.</summary>
    public void Written()
    {
        _unreliableWritten = _unreliableTaken;
        _flushes.Written(_data.Position - _data.Length);
        FollowWritten(_data.Position - _data.Length);
    }

    /// <summary>The log is committed up to this record.</summary>
    public void Committed(long lsn)
    {
        _committed = Math.Max(_committed, lsn);
        _steps.Committed(_committed);
        Session.Journal?.Committed(lsn);
    }

    /// <summary>Writes an acknowledgement, behind the record that it depends on.</summary>
    public void WriteAck(in AckPacket packet, long lsn)
    {
        _packets.Write(_control, packet, _version, lsn, _committed);
    }

    /// <summary>Writes CONNECT, behind the record that it depends on, unless none can be written.</summary>
    public void WriteConnect(ConnectPacket packet, MqttVersion version, long record)
    {
        _connectRecord = StoreIsFailing ? 0 : record;
        _packets.Write(_control, packet, version, _connectRecord, _committed);
    }

    /// <summary>Writes PINGREQ. It passes acknowledgements that wait for the log: a disk that is slow is not to look like a client that is dead.</summary>
    public void WritePing(MqttVersion version) => _packets.Write(_pings, default(PingReqPacket), version, lsn: 0, _committed);

    /// <summary>Writes SUBSCRIBE or UNSUBSCRIBE, behind the record that it depends on.</summary>
    public void WriteData(object packet, MqttVersion version, long lsn = 0)
    {
        SubscribeRecord = Math.Max(SubscribeRecord, lsn);
        _packets.Write(_data, packet, version, lsn, _committed);
    }

    /// <summary>Whether a packet of this size is within the server's Maximum Packet Size.</summary>
    public bool Fits(object packet) => PacketWriter.GetSize(packet, _version) is >= 0 and var size && size <= _limits.MaximumPacketSize;

    /// <summary>Waits whose time is over end; their messages go on.</summary>
    public void Advance(long now)
    {
        var waits = Pace.Deadline <= now;
        At(now);
        if (_expiry.Deadline <= now)
        {
            Expire(now);
        }

        if (waits)
        {
            Pump();
        }

        while (_budget.TryTakeLate(now, out var waiter))
        {
            Ended.Add(new PublishOutcome(waiter!, PublishEnd.NoRoom, ReasonCode.UnspecifiedError, PacketId: 0, PublishFlags.None));
        }

        while (_timeouts.TryTake(now, out var ticket))
        {
            if (_messages.IsCurrent(ticket))
            {
                Tell(ticket.Handle, PublishEnd.TimedOut, ReasonCode.UnspecifiedError);
            }
        }
    }
}
