using System.Diagnostics;
using Nightjar.Protocol.Journal;

namespace Nightjar.Protocol.Session;

/// <summary>What an acknowledgement meant.</summary>
internal enum AckEffect : byte
{
    /// <summary>No such identifier waits for it: counted, otherwise ignored (for PUBREC: answered with 0x92).</summary>
    Unknown,

    /// <summary>The exchange is over; the handle is the host's again.</summary>
    Completed,

    /// <summary>PUBREC: PUBREL is due; the message itself may be forgotten, the handle not yet.</summary>
    Released,

    /// <summary>PUBREC came again: PUBREL is due again.</summary>
    ReleasedAgain,
}

/// <summary>
/// The outbound half of a session: packet identifiers, QoS 1 and 2 exchanges, the send quota, and what is sent again on a new connection. It holds no payloads:
/// an exchange is an identifier, a phase, an order and the host's handle.
/// </summary>
/// <remarks>Pure and not thread-safe; guarded by the session's owner. Clauses: MQTT 5, 4.3, 4.4, 4.6, 4.9.</remarks>
internal sealed class ClientSession
{
    /// <summary>Identifiers that messages may not take, so that a full window never keeps a SUBSCRIBE or UNSUBSCRIBE waiting.</summary>
    public const int IdsKeptForSubscribe = 16;

    private readonly InFlightTable _table = new();
    private readonly int _maximumInFlight;
    private readonly List<ushort> _reserved = [];
    private ushort _nextRelease;
    private ushort _nextResend;
    private int _awaitingResend;
    private int _window;

    /// <param name="maximumInFlight">The host's own bound; the server's Receive Maximum may be lower.</param>
    public ClientSession(int maximumInFlight)
    {
        _maximumInFlight = Math.Min(maximumInFlight, ushort.MaxValue - IdsKeptForSubscribe);
    }

    /// <summary>Where transitions are recorded; null: nowhere.</summary>
    public SessionJournal? Journal { get; set; }

    /// <summary>Messages with an identifier and no final answer.</summary>
    public int InFlight => _table.Publishes.Count + _table.Releases.Count;

    /// <summary>Identifiers of messages, SUBSCRIBEs and UNSUBSCRIBEs that are not free.</summary>
    public int IdsInUse => _table.Count;

    /// <summary>Of <see cref="InFlight"/>, those that were passed over on this connection (<see cref="Skipped"/>): nothing is to be heard of them on it.</summary>
    public int Withheld => _nextResend == 0 ? _awaitingResend : 0;

    /// <summary>Identifiers that stay taken for nobody knows what.</summary>
    public int Reserved => _reserved.Count;

    /// <summary>The handles of QoS 2 messages that wait for PUBREC, in order.</summary>
    public IEnumerable<int> ExactlyOnce => Publishes.Where(publish => publish.ExactlyOnce).Select(publish => publish.Handle);

    /// <summary>PUBLISHes without an answer, in order.</summary>
    public IEnumerable<(ushort PacketId, int Handle, bool ExactlyOnce)> Publishes
    {
        get
        {
            for (var id = _table.Publishes.First; id != 0; id = _table.NextOf(id))
            {
                yield return (id, _table.HandleOf(id), _table.PhaseOf(id) == InFlightPhase.PubRec);
            }
        }
    }

    /// <summary>Released messages without PUBCOMP, in order.</summary>
    public IEnumerable<(ushort PacketId, int Handle)> Releases
    {
        get
        {
            for (var id = _table.Releases.First; id != 0; id = _table.NextOf(id))
            {
                yield return (id, _table.HandleOf(id));
            }
        }
    }

    /// <summary>Acknowledgements of identifiers that waited for none.</summary>
    public long UnknownAcks { get; private set; }

    /// <summary>The last record of the journal; 0 if there is none.</summary>
    public long LastRecord => Journal?.Last ?? 0;

    /// <summary>Whether a new message may be sent: quota is left [MQTT5-4.9.0-2], and everything from before is sent again [MQTT5-4.4.0-1].</summary>
    public bool CanPublish => _nextResend == 0 && _nextRelease == 0 && OnTheWire < _window
        && _table.Count < ushort.MaxValue - IdsKeptForSubscribe;

    /// <summary>Whether an identifier is left for one more SUBSCRIBE or UNSUBSCRIBE.</summary>
    public bool CanRequest => _table.Count < ushort.MaxValue;

    /// <summary>
    /// What counts against the window on this connection. Released messages count too, although the server may have freed their place:
    /// the stricter reading can never exceed its Receive Maximum.
    /// </summary>
    private int OnTheWire => InFlight - _awaitingResend;

    /// <summary>A connection was accepted and the server has the session: all that is unanswered is to be sent again.</summary>
    public void Resume(int receiveMaximum)
    {
        _window = Math.Min(receiveMaximum, _maximumInFlight);
        _nextRelease = _table.Releases.First;
        _nextResend = _table.Publishes.First;
        _awaitingResend = _table.Publishes.Count;
        for (var id = _nextResend; id != 0; id = _table.NextOf(id))
        {
            _table.AwaitsResend(id) = true;
        }
    }

    /// <summary>
    /// A connection was accepted and the server has no session. Every exchange of before is void: released messages are the server's and done,
    /// the others go back to the host, in order, to be sent as new ones.
    /// </summary>
    public void StartOver(int receiveMaximum, List<int> released, List<int> unreleased)
    {
        Drain(_table.Releases, released);
        Drain(_table.Publishes, unreleased);
        _reserved.ForEach(_table.Remove);
        _reserved.Clear();
        _window = Math.Min(receiveMaximum, _maximumInFlight);
        _nextRelease = _nextResend = 0;
        _awaitingResend = 0;
    }

    /// <summary>The next PUBREL to send again; these come before everything else.</summary>
    public bool TryTakeRelease(out ushort id)
    {
        id = _nextRelease;
        if (id == 0)
        {
            return false;
        }

        _nextRelease = _table.NextOf(id);
        return true;
    }

    /// <summary>The next PUBLISH to send again, with DUP, within the window; the host then says <see cref="Resent"/> or <see cref="Skipped"/>.</summary>
    public bool TryPeekResend(out ushort id, out int handle)
    {
        id = 0;
        handle = -1;
        if (_nextRelease != 0 || _nextResend == 0 || OnTheWire >= _window)
        {
            return false;
        }

        id = _nextResend;
        handle = _table.HandleOf(id);
        return true;
    }

    /// <summary>The peeked PUBLISH is in the lane.</summary>
    public void Resent()
    {
        _table.AwaitsResend(_nextResend) = false;
        _awaitingResend--;
        _nextResend = _table.NextOf(_nextResend);
    }

    /// <summary>The peeked PUBLISH cannot be sent on this connection: it stays where it is and is tried on the next.</summary>
    public void Skipped() => _nextResend = _table.NextOf(_nextResend);

    /// <summary>Gives a message its identifier. Only if <see cref="CanPublish"/>.</summary>
    /// <param name="qos">1 or 2.</param>
    /// <param name="handle">The host's.</param>
    /// <param name="lsn">The record that its PUBLISH depends on.</param>
    public ushort Publish(QoS qos, int handle, out long lsn)
    {
        Debug.Assert(CanPublish && qos != QoS.AtMostOnce);
        var id = _table.Add(qos == QoS.AtLeastOnce ? InFlightPhase.PubAck : InFlightPhase.PubRec, handle);
        lsn = Journal?.Assigned(handle, id, qos) ?? 0;
        return id;
    }

    /// <summary>Takes an identifier for a SUBSCRIBE or UNSUBSCRIBE. Only if <see cref="CanRequest"/>.</summary>
    public ushort Request(InFlightPhase phase, int handle)
    {
        Debug.Assert(phase is InFlightPhase.SubAck or InFlightPhase.UnsubAck);
        return _table.Add(phase, handle);
    }

    /// <summary>SUBACK or UNSUBACK came, or the connection that it would come over is gone. Null if no such request waits.</summary>
    public int? EndRequest(InFlightPhase phase, ushort id)
    {
        if (_table.PhaseOf(id) != phase)
        {
            return null;
        }

        var handle = _table.HandleOf(id);
        _table.Remove(id);
        return handle;
    }

    /// <summary>PUBACK came.</summary>
    public AckEffect HandlePubAck(ushort id, out int handle) => Complete(InFlightPhase.PubAck, id, out handle);

    /// <summary>PUBREC came. A failure ends the exchange: no PUBREL follows [MQTT5-4.3.3-4, MQTT5-4.3.3-5].</summary>
    public AckEffect HandlePubRec(ushort id, ReasonCode reason, out int handle, out long lsn)
    {
        lsn = 0;
        handle = -1;
        switch (_table.PhaseOf(id))
        {
            case InFlightPhase.PubRec when reason.IsFailure():
                return Complete(InFlightPhase.PubRec, id, out handle);
            case InFlightPhase.PubRec:
                Forget(id);
                handle = _table.HandleOf(id);
                _table.Release(id);
                lsn = Journal?.Released(handle, id, reason) ?? 0;
                return AckEffect.Released;
            case InFlightPhase.PubComp:
                handle = _table.HandleOf(id);
                return AckEffect.ReleasedAgain;
            default:
                UnknownAcks++;
                return AckEffect.Unknown;
        }
    }

    /// <summary>PUBCOMP came.</summary>
    public AckEffect HandlePubComp(ushort id, out int handle) => Complete(InFlightPhase.PubComp, id, out handle);

    /// <summary>Takes over an exchange of an earlier process, in order; only before the first connection. False: its identifier is taken.</summary>
    public bool Restore(ushort id, InFlightPhase phase, int handle)
    {
        if (id == 0 || _table.PhaseOf(id) != InFlightPhase.Free)
        {
            return false;
        }

        _table.AddAt(id, phase, handle);
        return true;
    }

    /// <summary>An identifier may be in use at the server, nobody knows for what: it stays taken until the session is gone.</summary>
    public void Reserve(ushort id)
    {
        if (Restore(id, InFlightPhase.Reserved, handle: -1))
        {
            _reserved.Add(id);
        }
    }

    private AckEffect Complete(InFlightPhase phase, ushort id, out int handle)
    {
        if (_table.PhaseOf(id) != phase)
        {
            handle = -1;
            UnknownAcks++;
            return AckEffect.Unknown;
        }

        Forget(id);
        handle = _table.HandleOf(id);
        _table.Remove(id);
        return AckEffect.Completed;
    }

    /// <summary>Before an entry leaves its order: the resend cursors move past it, in case the server answers what was not sent again yet.</summary>
    private void Forget(ushort id)
    {
        if (id == _nextResend)
        {
            _nextResend = _table.NextOf(id);
        }

        if (id == _nextRelease)
        {
            _nextRelease = _table.NextOf(id);
        }

        ref var awaits = ref _table.AwaitsResend(id);
        if (awaits)
        {
            awaits = false;
            _awaitingResend--;
        }
    }

    private void Drain(InFlightOrder order, List<int> handles)
    {
        for (var id = order.First; id != 0;)
        {
            var next = _table.NextOf(id);
            handles.Add(_table.HandleOf(id));
            _table.Remove(id);
            id = next;
        }
    }
}
