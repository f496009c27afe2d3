using Nightjar.Protocol.Journal;

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
            _flushes.Left(_reliable, _unreliable, FlushPosition);
        }

        return true;
    }

    /// <summary>Take: the waits that ended, against an empty list to go on with.</summary>
    public List<PublishOutcome> TakeEnded(List<PublishOutcome> empty)
    {
        var ended = Ended;
        Ended = empty;
        HasEndedReceipts = false;
        return ended;
    }

    /// <summary>
    /// The first connection could not be made, or the client is closed: every wait ends, and what was never sent goes with it. What is in the journal stays: this process sends it
    /// when there is a connection after all, or the next one does.
    /// </summary>
    public void FailWaiting(CloseReason reason, bool everything)
    {
        FailQueue(ref _reliable, reason);
        FailQueue(ref _unreliable, reason);
        _setAside.ForEach(handle => Tell(handle, UnansweredEnd(handle), ReasonCode.UnspecifiedError, reason: reason));
        while (_budget.TryTakeAny(out var waiter))
        {
            Ended.Add(new PublishOutcome(waiter!, PublishEnd.NotSent, ReasonCode.UnspecifiedError, PacketId: 0, PublishFlags.None, Detail: null, reason));
        }

        _flushes.FailAll(reason);
        Flushed.AddRange(_drains.Select(waiter => new FlushOutcome(waiter, reason)));
        _drains.Clear();
        if (everything)
        {
            foreach (var handle in Session.Publishes.Select(p => p.Handle).Concat(Session.Releases.Select(r => r.Handle)))
            {
                Tell(handle, UnansweredEnd(handle), ReasonCode.UnspecifiedError, reason: reason);
            }
        }
    }

    /// <summary>What is in the store stays: it is sent when there is a connection again, by this process or by the next.</summary>
    private void FailQueue(ref MessageQueue queue, CloseReason reason)
    {
        for (var handle = queue.First; handle >= 0;)
        {
            ref var message = ref _messages[handle];
            var next = message.Next;
            if (message.Record > 0)
            {
                Tell(handle, UnansweredEnd(handle), ReasonCode.UnspecifiedError, reason: reason);
            }
            else
            {
                var end = message.Stage == MessageStage.Queued ? PublishEnd.NotSent : PublishEnd.Unanswered;
                RemoveFromQueue(handle);
                Finish(handle, end, ReasonCode.UnspecifiedError, reason: reason);
            }

            handle = next;
        }
    }

    /// <summary>With a log that works, what is not committed yet is, before it is closed; with one that fails, nobody knows.</summary>
    private PublishEnd UnansweredEnd(int handle) =>
        _messages[handle].Record is > 0 and var record && (record <= _committed || !StoreIsFailing) ? PublishEnd.Kept : PublishEnd.Unanswered;

    private void End(int handle, ReasonCode reason) => Finish(handle, PublishEnd.Answered, reason);

    /// <summary>The wait and the message end.</summary>
    private void Finish(int handle, PublishEnd end, ReasonCode code, string? detail = null, CloseReason? reason = null, MessageDropReason drop = default)
    {
        Tell(handle, end, code, detail, reason, drop);
        Remove(handle, end, code, drop);
    }

    /// <summary>The message ends, here and in the journal; but one that was not sent when the client was closed lives on there.</summary>
    private void Remove(int handle, PublishEnd end, ReasonCode code, MessageDropReason drop = default)
    {
        ref var message = ref _messages[handle];
        var remembered = message.IdLength > 0 ? EndId(ref message, delivered: end == PublishEnd.Answered && !code.IsFailure(), code) : null;
        if (ToMessageEnd(end, drop) is not MessageEnd.None and var recorded)
        {
            Session.Journal?.Ended(handle, recorded, code, remembered);
        }

        _messages.Remove(handle);
    }

    private static MessageEnd ToMessageEnd(PublishEnd end, MessageDropReason drop) => end switch
    {
        PublishEnd.Answered => MessageEnd.Answered,
        PublishEnd.Limit => MessageEnd.Refused,
        PublishEnd.Withdrawn => MessageEnd.Withdrawn,
        PublishEnd.Dropped when drop is MessageDropReason.Expired or MessageDropReason.TooOld => MessageEnd.Expired,
        PublishEnd.Dropped => MessageEnd.Dropped,
        _ => MessageEnd.None,
    };

    /// <summary>Returns the identifier if it is remembered.</summary>
    private byte[]? EndId(ref StoredMessage message, bool delivered, ReasonCode code)
    {
        if (delivered)
        {
            return _ids.Deliver(message.Id, code, message.PacketId, message.Flags);
        }

        _ids.Forget(message.Id);
        return null;
    }

    private void Tell(int handle, PublishEnd end, ReasonCode code, string? detail = null, CloseReason? reason = null, MessageDropReason drop = default)
    {
        ref var message = ref _messages[handle];
        if (message.Waiter is { } waiter)
        {
            message.Waiter = null;
            HasEndedReceipts |= (message.Traits & MessageTraits.Receipt) != MessageTraits.None;
            Ended.Add(new PublishOutcome(waiter, end, code, message.PacketId, message.Flags, detail, reason) { Drop = drop });
        }
    }
}
