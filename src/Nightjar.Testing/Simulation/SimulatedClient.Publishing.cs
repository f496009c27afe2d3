using System.Text;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Journal;

namespace Nightjar.Testing.Simulation;

/// <content>What the application publishes, and the outbox that it goes through.</content>
internal sealed partial class SimulatedClient
{
    private static readonly DateTimeOffset Beginning = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private (int Count, long Bytes) _pending;
    private bool _probes;

    /// <param name="topic">Where to.</param>
    /// <param name="qos">0 to 2.</param>
    /// <param name="retain">Whether the broker keeps it.</param>
    /// <param name="isProbe">It comes in whatever the outbox holds.</param>
    public OutgoingRecord Publish(string topic, QoS qos, bool retain, bool isProbe = false)
    {
        var (random, traits) = (_world.Random, _world.Traits);
        var record = new OutgoingRecord(_world.Outgoing.Count, topic, qos, retain)
        {
            HasReceipt = random.Chance(traits.Receipts),
            TimeToLive = !isProbe && random.Chance(traits.Expiring) ? random.Magnitude(20 * VirtualTime.Millisecond, 60 * VirtualTime.Second) : 0,
            WhenOffline = isProbe || !random.Chance(traits.Impatient) ? WhenOffline.Queue : qos == QoS.AtMostOnce ? WhenOffline.Drop : WhenOffline.Fail,
        };
        _world.Outgoing.Add(record);
        if (qos == QoS.AtMostOnce && !record.HasReceipt && _engine.TryBuffer(ToMessage(record), out _) == PublishStart.Buffered)
        {
            record.Phase = OutboundPhase.QoS0Underway;
            return record;
        }

        if (isProbe)
        {
            _waits.Published(record);
            Accept(record);
        }
        else
        {
            Enqueue(record);
        }

        Collect();
        return record;
    }

    public void Cancel(OutgoingRecord record)
    {
        _waits.Cancel(record);
        Collect();
    }

    public void Flush()
    {
        _waits.Flush();
        Collect();
    }

    /// <summary>From here on messages may come in that the outbox has no room for.</summary>
    public void BeginProbe() => _probes = true;

    /// <summary>The journal's length stays within its bounds.</summary>
    public void CheckLength()
    {
        if (_journal is { } journal && _world.Log is { } log)
        {
            const long Mark = 32 * 1024;
            var most = (2 * _world.Traits.Slack) + (8 * journal.LiveBytes) + Mark;
            _world.Require(log.LiveLength <= most, $"the log holds {log.LiveLength} bytes for {journal.LiveBytes} that are alive, and {most} would be enough");
        }
    }

    private static DateTimeOffset Utc(long now) => Beginning + TimeSpan.FromTicks(now);

    private static OutgoingPublish ToMessage(OutgoingRecord record) => new()
    {
        Topic = Encoding.UTF8.GetBytes(record.Topic),
        Payload = Payload.Of(record.Number),
        QoS = record.QoS,
        Retain = record.Retain,
        Id = record.Id,
        TimeToLive = record.TimeToLive,
        HasReceipt = record.HasReceipt,
    };

    /// <summary>Through the door of the outbox, as its policy is.</summary>
    private void Enqueue(OutgoingRecord record)
    {
        var message = ToMessage(record);
        switch (_engine.Admit(message, record.WhenOffline, _world.Time.Now))
        {
            case OutboxAdmission.Admitted:
                _waits.Published(record);
                Accept(record);
                break;
            case OutboxAdmission.MustWait:
                _waits.Published(record);
                record.Phase = OutboundPhase.AwaitsRoom;
                record.Room = _engine.Outbound.WaitForRoom(record, message, _world.Time.Now);
                break;
            case var admission:
                _world.Note($"{record} is not let in: {admission}");
                record.IsRefused = true;
                record.IsOver = true;
                break;
        }
    }

    private void Accept(OutgoingRecord record)
    {
        var now = _world.Time.Now;
        record.Room = null;
        record.ExpiresAt = record.TimeToLive == 0 ? 0 : now + record.TimeToLive;
        record.Phase = record is { HasReceipt: true, QoS: not QoS.AtMostOnce } && _journal is not null ? OutboundPhase.AwaitsCommit : OutboundPhase.Queued;
        record.Ticket = _engine.Accept(ToMessage(record), record, now);
    }

    /// <summary>Who waited for room comes in.</summary>
    private void LetIn()
    {
        while (_engine.Outbound.TryGrant(out var waiter))
        {
            Accept((OutgoingRecord)waiter!);
        }
    }

    /// <summary>The outbox never grows beyond its budget; what an earlier process left may be more.</summary>
    private void CheckBudget()
    {
        var before = _pending;
        _pending = _engine.Outbound.Pending;
        var traits = _world.Traits;
        if (!_probes && traits.HasBudget)
        {
            _world.Require(_pending.Count <= Math.Max(before.Count, traits.MaximumMessages), $"the outbox holds {_pending.Count} messages, and may hold {traits.MaximumMessages}");
            _world.Require(_pending.Bytes <= Math.Max(before.Bytes, traits.MaximumBytes), $"the outbox holds {_pending.Bytes} bytes, and may hold {traits.MaximumBytes}");
        }
    }

    /// <summary>The application begins anew: it asks for every message whose end it does not know.</summary>
    private void EnqueueAgain()
    {
        foreach (var record in _world.Outgoing)
        {
            if (record.IsOver || record.HasWaiter)
            {
                continue;
            }

            var isThere = _engine.Outbound.TryFind(record.Id, out var known);
            var survived = record.Record != 0;
            _world.Require(survived == isThere, $"{record} is {(survived ? "in the log and not" : "not in the log and yet")} known by its identifier");
            _world.Require(isThere || !record.IsStored, $"{record} was said to be stored and is gone");
            if (!isThere)
            {
                _world.Note($"{record} is enqueued again");
                Enqueue(record);
            }
            else if (known.IsPending)
            {
                _waits.Published(record);
                record.Ticket = new MessageTicket(known.Handle, _engine.Outbound.Messages[known.Handle].Generation);
                record.IsSent = _engine.Outbound.IsHanded(known.Handle);
                _engine.Outbound.Attach(known.Handle, record);
            }
            else
            {
                record.IsOver = true;
            }
        }
    }

    /// <summary>What the engine took over is what lies in the log.</summary>
    private void CheckRestored(RestoredSession session)
    {
        _world.Require(!session.IsDamaged && session.UnknownRecords == 0, $"{session.UnknownRecords} records are not understood");
        foreach (var message in session.Messages)
        {
            _world.Require(!message.IsLost, $"the content of message {message.Record} is lost");
        }
    }
}
