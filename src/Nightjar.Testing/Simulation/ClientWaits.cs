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
        if (!engine.Outbound.Flush(waiter))
        {
            _flushes.Add(waiter);
        }
    }

    /// <summary>The waiter leaves. What has no identifier yet goes with it.</summary>
    public void Cancel(OutgoingRecord record)
    {
        if (!record.HasWaiter || record.Ends > 0 || !engine.Outbound.Withdraw(record.Ticket, record, out var withdrawn))
        {
            return;
        }

        world.Note($"{record} is cancelled{(withdrawn ? " and withdrawn" : "")}");
        record.Detached = true;
        record.Withdrawn = withdrawn;
        record.IsOver = true;
        _publishes--;
    }

    /// <summary>Takes over what the engine has to say.</summary>
    public void Collect()
    {
        if (engine.Outbound.Ended.Count > 0)
        {
            _ended.Clear();
            _ended = engine.Outbound.TakeEnded(_ended);
            foreach (var end in _ended)
            {
                Ended((OutgoingRecord)end.Waiter, end);
            }
        }

        foreach (var flush in engine.Outbound.Flushed)
        {
            world.Require(_flushes.Remove(flush.Waiter), "a flush ended twice");
        }

        engine.Outbound.Flushed.Clear();
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
        foreach (var (topic, id, reason) in engine.Outbound.Quarantined)
        {
            world.Violate($"message {id} to {topic} was quarantined: {reason}");
        }

        engine.Outbound.Quarantined.Clear();
    }

    private void Ended(OutgoingRecord record, in PublishOutcome outcome)
    {
        record.Ends++;
        world.Require(record.Ends == 1 && !record.Detached, $"the wait for {record} ended {record.Ends} times{(record.Detached ? " after it was cancelled" : "")}");
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

        _publishes--;
    }
}
