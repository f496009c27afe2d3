namespace Nightjar.Protocol.Engine;

// Those who wait for their messages, and how their waits end.
internal sealed partial class Outbound
{
    /// <summary>
    /// Command: the waiter leaves. A message that has no packet identifier yet goes with it; any other goes on alone. False: the wait had ended already.
    /// </summary>
    public bool Withdraw(MessageTicket ticket, object waiter, out bool withdrawn)
    {
        withdrawn = false;
        if (!_messages.IsCurrent(ticket) || !ReferenceEquals(_messages[ticket.Handle].Waiter, waiter))
        {
            return false;
        }

        ref var message = ref _messages[ticket.Handle];
        message.Waiter = null;
        if (message.Stage == MessageStage.Queued)
        {
            RemoveFromQueue(ticket.Handle);
            Remove(ticket.Handle, PublishEnd.Withdrawn, ReasonCode.Success);
            withdrawn = true;
            _flushes.Left(_reliable, _unreliable, _data.Position);
        }

        return true;
    }

    /// <summary>Take: the waits that ended, against an empty list to go on with.</summary>
    public List<PublishOutcome> TakeEnded(List<PublishOutcome> empty)
    {
        var ended = Ended;
        Ended = empty;
        return ended;
    }

    /// <summary>The first connection could not be made, or the client is closed: every wait ends, and what was never sent goes with it.</summary>
    public void FailWaiting(CloseReason reason, bool everything)
    {
        FailQueue(ref _reliable, reason);
        FailQueue(ref _unreliable, reason);
        _setAside.ForEach(handle => Finish(handle, PublishEnd.Unanswered, ReasonCode.UnspecifiedError, reason: reason));
        _setAside.Clear();
        while (_budget.TryTakeAny(out var waiter))
        {
            Ended.Add(new PublishOutcome(waiter!, PublishEnd.NotSent, ReasonCode.UnspecifiedError, PacketId: 0, PublishFlags.None, Detail: null, reason));
        }

        _flushes.FailAll(reason);
        Flushed.AddRange(_drains.Select(waiter => new FlushOutcome(waiter, reason)));
        _drains.Clear();
        if (everything)
        {
            foreach (var handle in Session.Export([]) is var state ? state.Publishes.Select(p => p.Handle).Concat(state.Releases.Select(r => r.Handle)) : [])
            {
                Tell(handle, PublishEnd.Unanswered, ReasonCode.UnspecifiedError, reason: reason);
            }
        }
    }

    private void FailQueue(ref MessageQueue queue, CloseReason reason)
    {
        while (queue.Count > 0)
        {
            var handle = queue.First;
            RemoveFromQueue(handle);
            Finish(
                handle,
                _messages[handle].Stage == MessageStage.Queued ? PublishEnd.NotSent : PublishEnd.Unanswered,
                ReasonCode.UnspecifiedError,
                reason: reason);
        }
    }

    private void End(int handle, ReasonCode reason) => Finish(handle, PublishEnd.Answered, reason);

    /// <summary>The wait and the message end.</summary>
    private void Finish(int handle, PublishEnd end, ReasonCode code, string? detail = null, CloseReason? reason = null, MessageDropReason drop = default)
    {
        Tell(handle, end, code, detail, reason, drop);
        Remove(handle, end, code);
    }

    /// <summary>The message ends.</summary>
    private void Remove(int handle, PublishEnd end, ReasonCode code)
    {
        ref var message = ref _messages[handle];
        if (message.IdLength > 0)
        {
            EndId(ref message, delivered: end == PublishEnd.Answered && !code.IsFailure(), code);
        }

        _messages.Remove(handle);
    }

    private void EndId(ref StoredMessage message, bool delivered, ReasonCode code)
    {
        if (delivered)
        {
            _ids.Deliver(message.Id, code, message.PacketId, message.Flags);
        }
        else
        {
            _ids.Forget(message.Id);
        }
    }

    private void Tell(int handle, PublishEnd end, ReasonCode code, string? detail = null, CloseReason? reason = null, MessageDropReason drop = default)
    {
        ref var message = ref _messages[handle];
        if (message.Waiter is { } waiter)
        {
            message.Waiter = null;
            Ended.Add(new PublishOutcome(waiter, end, code, message.PacketId, message.Flags, detail, reason) { Drop = drop });
        }
    }
}
