using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Engine;

/// <summary>
/// Which received messages await an acknowledgement, in the order of their arrival. PUBACK and PUBREC leave in that order [MQTT5-4.6.0-2, MQTT5-4.6.0-3], however the
/// handlers finish. QoS 2 identifiers outlive the connection: what was delivered once is not delivered again in the same session.
/// </summary>
/// <remarks>
/// A slot is pending, ready or abandoned. Abandoned ones (left unacknowledged on purpose) are passed over and keep costing one unit of Receive Maximum until the next
/// connection, when the server sends the message again. Not thread-safe: guarded with the outbound half.
/// </remarks>
internal sealed class AcknowledgementLedger
{
    private readonly Dictionary<ushort, ExactlyOnce> _exactlyOnce = [];
    private readonly AcknowledgementSlots _slots = new();
    private int _receiveMaximum;
    private bool _hasReasons = true;
    private bool _takesExcess;

    /// <summary>The connection in use, counted from 1.</summary>
    public uint Epoch { get; private set; }

    /// <summary>What time it is; the engine sets it before a chunk is applied, so that slots know since when they wait.</summary>
    public long Now { get; set; }

    /// <summary>Those that wait, for whoever watches them.</summary>
    public AcknowledgementSlots Slots => _slots;

    /// <summary>Messages whose acknowledgement has not left: with handlers, or behind one that is.</summary>
    public int Waiting => _slots.Count;

    /// <summary>How much of our Receive Maximum is in use: what waits, what was left unacknowledged, and QoS 2 until PUBREL.</summary>
    public int Held { get; private set; }

    /// <summary>More than Receive Maximum came on this connection, and was taken.</summary>
    public bool IsExceeded { get; private set; }

    /// <summary>Messages left unacknowledged on this connection.</summary>
    public int Abandoned { get; private set; }

    /// <summary>Messages admitted, on all connections; to see whether the server still sends.</summary>
    public long Admitted { get; private set; }

    /// <summary>Acknowledgements that left, on all connections; to see whether there is progress.</summary>
    public long Acknowledged { get; private set; }

    /// <summary>The QoS 2 identifiers that the server has not released, for export.</summary>
    public IEnumerable<ushort> Received => _exactlyOnce.Where(pair => pair.Value.Received).Select(pair => pair.Key);

    /// <summary>A QoS 2 identifier from an earlier process: its message was delivered there.</summary>
    public void Restore(ushort packetId) => _exactlyOnce[packetId] = new ExactlyOnce { Received = true };

    /// <summary>A connection was accepted.</summary>
    /// <param name="sessionKept">Whether the server still knows what it sent before.</param>
    /// <param name="receiveMaximum">How many messages the server may send without an answer.</param>
    /// <param name="hasReasons">Whether an acknowledgement can say more than that it is one: from 5.0 on.</param>
    /// <param name="takesExcess">What the server sends beyond that is taken: see <see cref="ViolationLoop.TakesExcess"/>.</param>
    public void Start(bool sessionKept, int receiveMaximum, bool hasReasons = true, bool takesExcess = false)
    {
        Epoch++;
        _receiveMaximum = receiveMaximum;
        _hasReasons = hasReasons;
        _takesExcess = takesExcess;
        IsExceeded = false;
        _slots.Clear();
        Held = 0;
        Abandoned = 0;
        if (!sessionKept)
        {
            _exactlyOnce.Clear();
            return;
        }

        // Handled, and the PUBREC never left: the repetition is answered at once. Left unacknowledged or refused: it is delivered again.
        foreach (var (packetId, entry) in _exactlyOnce.Where(pair => pair.Value is { Handlers: 0, Received: false }).ToList())
        {
            if (entry.Abandoned || entry.ReasonCode.IsFailure())
            {
                _exactlyOnce.Remove(packetId);
            }
            else
            {
                _exactlyOnce[packetId] = entry with { Received = true };
            }
        }
    }

    /// <summary>A PUBLISH arrived.</summary>
    /// <param name="qos">1 or 2.</param>
    /// <param name="packetId">The server's.</param>
    /// <param name="handlers">How many subscribers it goes to; with none it is ready at once.</param>
    /// <param name="isNew">It cannot repeat one of an earlier connection, whatever its identifier.</param>
    /// <param name="token">For them, with <see cref="Admission.Deliver"/>.</param>
    /// <param name="route">Where it goes, to tell who holds the window.</param>
    /// <param name="isRepeated">
    /// The server repeats it because the session goes on. Mosquitto 2.0 then sends all that it restored, whatever our Receive Maximum is. As many as there are identifiers are let pass.
    /// </param>
    public Admission Admit(QoS qos, ushort packetId, int handlers, bool isNew, out AckToken token, TopicRoute? route = null, bool isRepeated = false)
    {
        var isFull = Held >= _receiveMaximum;
        if (isFull && (isRepeated || _takesExcess))
        {
            IsExceeded = true;
            isFull = Held >= ushort.MaxValue;
        }

        token = new AckToken(Epoch, _slots.Tail, packetId, qos);
        Admitted++;
        if (qos == QoS.AtLeastOnce)
        {
            if (isFull)
            {
                return Admission.ReceiveMaximumExceeded;
            }

            Held++;
            var state = handlers == 0 ? SlotState.Ready : SlotState.Pending; // mutant: AcknowledgeBeforeHandler
            _slots.Push(new AckSlot { PacketId = packetId, QoS = qos, Handlers = handlers, State = state, Since = Now, Route = route });
            return Admission.Deliver;
        }

        return AdmitExactlyOnce(packetId, handlers, isNew, isFull, token, route);
    }

    /// <summary>
    /// A handler is done with a message. Returns whether acknowledgements may now be ready (<see cref="TryTakeReady"/>); a token of an earlier connection is
    /// harmless.
    /// </summary>
    public bool Complete(in HandlerOutcome outcome)
    {
        if (outcome.By is { } subscription)
        {
            subscription.IsStalled = false;
        }

        var told = _hasReasons || !outcome.ReasonCode.IsFailure() ? outcome : outcome with { ReasonCode = ReasonCode.Success };
        var token = told.Token;
        if (token.QoS == QoS.ExactlyOnce)
        {
            return CompleteExactlyOnce(told);
        }

        if (token.Epoch != Epoch || !_slots.IsWaiting(token.Sequence))
        {
            return false;
        }

        ref var slot = ref _slots[token.Sequence];
        if (slot.State != SlotState.Pending)
        {
            return false;
        }

        slot.Note(told);
        if (--slot.Handlers > 0)
        {
            return false;
        }

        slot.Settle();
        return token.Sequence == _slots.Head;
    }

    /// <summary>
    /// The handlers of this slot took too long: it is passed over. For QoS 2 a handler that is still running goes on to count: when the server sends the message again on
    /// the next connection, it is not delivered again.
    /// </summary>
    public void Abandon(uint sequence) => _slots[sequence].State = SlotState.Abandoned;

    /// <summary>More of the newest message came: who has it cannot be done before the rest, so that it is held from now on only.</summary>
    public void NoteArriving(in AckToken token)
    {
        if (!token.IsNone && _slots.IsWaiting(token.Sequence))
        {
            _slots[token.Sequence].Since = Now;
        }
    }

    /// <summary>The message never arrived whole and its connection is over: when it is sent again, it is as new, whatever its handlers still say of this one.</summary>
    public void Withdraw(in AckToken token)
    {
        if (token.QoS == QoS.ExactlyOnce && _exactlyOnce.TryGetValue(token.PacketId, out var entry) && !entry.Received
            && entry.Epoch == token.Epoch && entry.Sequence == token.Sequence)
        {
            _exactlyOnce.Remove(token.PacketId);
        }
    }

    /// <summary>The next acknowledgement in the order of arrival, if it is ready.</summary>
    public bool TryTakeReady(out AckPacket packet)
    {
        while (_slots.Count > 0)
        {
            ref var slot = ref _slots[_slots.Head];
            if (slot.State == SlotState.Pending)
            {
                break;
            }

            _slots.Pop();
            if (slot.State == SlotState.Abandoned)
            {
                Abandoned++;
                if (slot.QoS == QoS.ExactlyOnce && _exactlyOnce.TryGetValue(slot.PacketId, out var entry) && entry.Abandoned && entry.Handlers == 0)
                {
                    _exactlyOnce.Remove(slot.PacketId);
                }

                continue;
            }

            Acknowledged++;
            if (slot.QoS == QoS.AtLeastOnce)
            {
                Held--; // mutant: LeakQuotaPermit
                packet = new AckPacket(PacketType.PubAck, slot.PacketId, slot.ReasonCode);
                return true;
            }

            Answered(slot);
            packet = new AckPacket(PacketType.PubRec, slot.PacketId, slot.ReasonCode);
            return true;
        }

        packet = default;
        return false;
    }

    /// <summary>PUBREL came. False: the PUBREC that it answers was never sent, so the server broke the protocol.</summary>
    /// <param name="packetId">The server's.</param>
    /// <param name="reason">What PUBCOMP says: success, or 0x92 for an identifier that is not known.</param>
    public bool Release(ushort packetId, out ReasonCode reason)
    {
        reason = ReasonCode.Success;
        if (!_exactlyOnce.TryGetValue(packetId, out var entry))
        {
            reason = ReasonCode.PacketIdentifierNotFound;
            return true;
        }

        if (!entry.Received)
        {
            return false;
        }

        _exactlyOnce.Remove(packetId);
        Discharge(entry);
        return true;
    }

    private Admission AdmitExactlyOnce(ushort packetId, int handlers, bool isNew, bool isFull, AckToken token, TopicRoute? route)
    {
        var known = _exactlyOnce.TryGetValue(packetId, out var entry);
        if (known && entry.SlotEpoch == Epoch && _slots.IsWaiting(entry.SlotSequence))
        {
            // Sent twice on one connection before its PUBREC: the one to come answers both.
            return Admission.Duplicate;
        }

        if (known && isNew && entry.SlotEpoch != Epoch)
        {
            known = false;
        }

        if (!known)
        {
            entry = new ExactlyOnce { Epoch = Epoch, Sequence = token.Sequence, Handlers = handlers };
        }

        if (entry.ChargedEpoch != Epoch)
        {
            if (isFull)
            {
                return Admission.ReceiveMaximumExceeded;
            }

            Held++;
            entry.ChargedEpoch = Epoch;
        }

        entry.SlotEpoch = Epoch;
        entry.SlotSequence = token.Sequence;
        _exactlyOnce[packetId] = entry;
        var ready = entry.Received || entry.Handlers == 0;
        _slots.Push(new AckSlot
        {
            PacketId = packetId,
            QoS = QoS.ExactlyOnce,
            Handlers = 1,
            State = ready ? SlotState.Ready : SlotState.Pending,
            Since = Now,
            Route = route,
        });
        return known ? Admission.Duplicate : Admission.Deliver; // mutant: SkipDuplicateRecognition
    }

    private bool CompleteExactlyOnce(in HandlerOutcome outcome)
    {
        var token = outcome.Token;
        if (!_exactlyOnce.TryGetValue(token.PacketId, out var entry)
            || entry.Received || entry.Handlers == 0 || entry.Epoch != token.Epoch || entry.Sequence != token.Sequence)
        {
            return false;
        }

        entry.Abandoned |= outcome.Abandoned;
        entry.ReasonCode = outcome.ReasonCode > entry.ReasonCode ? outcome.ReasonCode : entry.ReasonCode;
        entry.Handlers--;
        _exactlyOnce[token.PacketId] = entry;
        var isWaiting = entry.SlotEpoch == Epoch && _slots.IsWaiting(entry.SlotSequence);
        if (isWaiting)
        {
            _slots[entry.SlotSequence].NoteDone(outcome.By);
        }

        if (entry.Handlers > 0)
        {
            return false;
        }

        if (!isWaiting)
        {
            // The connection that it came over is gone and the server has not sent it again yet, or its slot was passed over. When it comes again, the answer is ready.
            if (entry.Abandoned || entry.ReasonCode.IsFailure())
            {
                _exactlyOnce.Remove(token.PacketId);
            }
            else
            {
                entry.Received = true;
                _exactlyOnce[token.PacketId] = entry;
            }

            return false;
        }

        ref var slot = ref _slots[entry.SlotSequence];
        slot.Note(outcome with { ReasonCode = entry.ReasonCode, Abandoned = entry.Abandoned });
        slot.Settle();
        return entry.SlotSequence == _slots.Head;
    }

    /// <summary>A PUBREC leaves: from here on the message counts as delivered, unless the PUBREC refuses it.</summary>
    private void Answered(in AckSlot slot)
    {
        if (!_exactlyOnce.TryGetValue(slot.PacketId, out var entry))
        {
            return;
        }

        if (slot.ReasonCode.IsFailure())
        {
            _exactlyOnce.Remove(slot.PacketId);
            Discharge(entry);
            return;
        }

        entry.Received = true;
        _exactlyOnce[slot.PacketId] = entry;
    }

    private void Discharge(in ExactlyOnce entry)
    {
        if (entry.ChargedEpoch == Epoch)
        {
            Held--;
        }
    }

    /// <summary>A QoS 2 identifier from its first PUBLISH to its PUBREL.</summary>
    private struct ExactlyOnce
    {
        /// <summary>The token's: which connection first delivered it, and where.</summary>
        public uint Epoch;
        public uint Sequence;

        /// <summary>Its slot on the connection that sent it last.</summary>
        public uint SlotEpoch;
        public uint SlotSequence;

        /// <summary>The connection on which it counts against Receive Maximum.</summary>
        public uint ChargedEpoch;
        public int Handlers;

        /// <summary>Handled for good: to be answered, never to be delivered again.</summary>
        public bool Received;
        public bool Abandoned;
        public ReasonCode ReasonCode;
    }
}
