using Nightjar.Protocol.Engine;

namespace Nightjar.Testing.Simulation;

/// <summary>Everybody who waits for the client: each must hear exactly once how it ended.</summary>
internal sealed class ClientWaits(World world, ClientEngine engine)
{
    private readonly HashSet<object> _flushes = [];
    private readonly HashSet<object> _unsubscribes = [];
    private readonly HashSet<SimulatedSubscription> _subscribes = [];
    private List<PublishOutcome> _ended = [];
    private int _publishes;

    /// <summary>Waits that have not ended.</summary>
    public int Open => _publishes + _flushes.Count + _unsubscribes.Count + _subscribes.Count;

    public void Published(OutgoingRecord record)
    {
        record.HasWaiter = true;
        _publishes++;
    }

    public void Subscribed(SimulatedSubscription subscription) => _subscribes.Add(subscription);

    public object Unsubscribing(SimulatedSubscription subscription)
    {
        _subscribes.Remove(subscription);
        var waiter = new object();
        _unsubscribes.Add(waiter);
        return waiter;
    }

    public void Flush()
    {
        var waiter = new object();
        if (world.Random.Chance(0.5) ? !engine.Outbound.Flush(waiter) : !engine.Outbound.Drain(waiter))
        {
            _flushes.Add(waiter);
        }
    }

    /// <summary>The waiter leaves. What has no identifier yet goes with it.</summary>
    public void Cancel(OutgoingRecord record)
    {
        if (record.Room is { } room)
        {
            world.Require(engine.Outbound.WithdrawRequest(room), $"{record} waits for room, and the outbox does not know of it");
            world.Note($"{record} waits for room no more");
            record.Room = null;
            Leave(record, withdrawn: true);
            return;
        }

        if (!record.HasWaiter || record.Ends > 0)
        {
            return;
        }

        if (record.HasReceipt)
        {
            // Its wait ends as withdrawn, or it goes on.
            engine.Outbound.TakeBack(record.Ticket.Handle, record);
            return;
        }

        if (engine.Outbound.Withdraw(record.Ticket, record, out var withdrawn))
        {
            world.Note($"{record} is cancelled{(withdrawn ? " and withdrawn" : "")}");
            Leave(record, withdrawn);
        }
    }

    /// <summary>Takes over what the engine has to say.</summary>
    public void Collect()
    {
        var outbound = engine.Outbound;
        foreach (var (waiter, step) in outbound.Steps)
        {
            Stepped((OutgoingRecord)waiter, step);
        }

        outbound.Steps.Clear();
        foreach (var drop in outbound.Drops)
        {
            Dropped(drop);
        }

        outbound.Drops.Clear();
        if (outbound.Ended.Count > 0)
        {
            _ended.Clear();
            _ended = outbound.TakeEnded(_ended);
            foreach (var end in _ended)
            {
                Ended((OutgoingRecord)end.Waiter, end);
            }
        }

        outbound.TakeDrained(outbound.Flushed);
        foreach (var flush in outbound.Flushed)
        {
            world.Require(_flushes.Remove(flush.Waiter), "a flush ended twice");
        }

        outbound.Flushed.Clear();
        foreach (var answer in engine.Subscriptions.Answers)
        {
            world.Require(!answer.ReasonCode.IsFailure(), $"the subscription to {answer.Filter.Text} was denied: {answer.Detail}");
            foreach (var subscription in answer.Subscriptions)
            {
                _subscribes.Remove((SimulatedSubscription)subscription);
            }
        }

        engine.Subscriptions.Answers.Clear();
        foreach (var answer in engine.Subscriptions.UnsubscribeAnswers)
        {
            world.Require(_unsubscribes.Remove(answer.Waiter), "an unsubscribe ended twice");
        }

        engine.Subscriptions.UnsubscribeAnswers.Clear();
        foreach (var (topic, id, reason) in outbound.Quarantined)
        {
            world.Violate($"message {id} to {topic} was quarantined: {reason}");
        }

        outbound.Quarantined.Clear();
    }

    private void Leave(OutgoingRecord record, bool withdrawn)
    {
        record.Detached = true;
        record.Withdrawn = withdrawn;
        record.IsOver = true;
        _publishes--;
    }

    private void Stepped(OutgoingRecord record, DeliveryStep step)
    {
        world.Require(record.HasReceipt, $"{record} has no receipt and hears that it is {step}");
        if (step == DeliveryStep.Stored)
        {
            world.Require(world.Log is { } log && record.Record != 0 && record.Record <= log.Committed, $"{record} is said to be stored and is not committed");
            record.IsStored = true;
            record.Phase = record.Phase == OutboundPhase.AwaitsCommit ? OutboundPhase.Queued : record.Phase;
        }
        else if (step == DeliveryStep.Sent)
        {
            world.Require(!record.IsSent, $"{record} was said to be sent twice");
            record.IsSent = true;
        }
    }

    private void Dropped(in DroppedMessage drop)
    {
        if (drop.Id is null)
        {
            return;
        }

        var record = world.Outgoing[int.Parse(drop.Id.AsSpan(1), System.Globalization.CultureInfo.InvariantCulture)];
        world.Note($"{record} is dropped: {drop.Reason}");
        record.DropReports++;
        world.Require(record.DropReports == 1, $"it is reported {record.DropReports} times that {record} is dropped");
        CheckDropped(record, drop.Reason);
    }

    private void CheckDropped(OutgoingRecord record, MessageDropReason reason)
    {
        if (record.QoS != QoS.AtMostOnce)
        {
            world.Require(record is { AssignedAt: 0, Written: 0 }, $"{record} was sent before and is dropped: {reason}");
        }

        var expires = reason is MessageDropReason.Expired;
        world.Require(!expires || (record.ExpiresAt != 0 && record.ExpiresAt <= world.Time.Now), $"{record} is dropped before its time is over");
    }

    private void Ended(OutgoingRecord record, in PublishOutcome outcome)
    {
        record.Ends++;
        world.Require(record.Ends == 1 && !record.Detached, $"the wait for {record} ended {record.Ends} times{(record.Detached ? " after it was cancelled" : "")}");
        _publishes--;
        switch (outcome.End)
        {
            case PublishEnd.Dropped:
                CheckDropped(record, outcome.Drop);
                world.Require(!record.HasReceipt || record.DropReports == 1 || outcome.Drop == MessageDropReason.ConnectionLost, $"{record} is dropped, and that was reported {record.DropReports} times");
                record.IsDropped = true;
                record.IsOver = true;
                return;
            case PublishEnd.Withdrawn when record.HasReceipt:
                world.Note($"{record} is withdrawn");
                world.Require(record.Written == 0, $"{record} was sent and is withdrawn");
                record.Withdrawn = true;
                record.IsOver = true;
                return;
        }

        world.Require(outcome is { End: PublishEnd.Answered, ReasonCode: ReasonCode.Success }, $"{record} ended with {outcome.End}, {outcome.ReasonCode}: {outcome.Detail}");
        record.Flags = outcome.Flags;
        if (record.QoS == QoS.AtMostOnce)
        {
            record.Phase = OutboundPhase.QoS0Underway;
        }
        else
        {
            world.Require(record.Accepted > 0, $"{record} counts as delivered and never arrived");
            record.IsOver = true;
        }
    }
}
