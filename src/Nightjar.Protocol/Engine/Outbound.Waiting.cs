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
            ref var queue = ref message.QoS == QoS.AtMostOnce ? ref _unreliable : ref _reliable;
            withdrawn = queue.Remove(_messages, ticket.Handle);
            Remove(ticket.Handle, MessageEnd.Withdrawn);
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

    /// <summary>
    /// The first connection could not be made, or the client is closed: every wait ends, and what was never sent goes with it. What is in the journal stays: this process sends it
    /// when there is a connection after all, or the next one does.
    /// </summary>
    public void FailWaiting(CloseReason reason, bool everything)
    {
        if (Session.Journal is null)
        {
            FailQueue(ref _reliable, reason);
        }
        else
        {
            for (var handle = _reliable.First; handle >= 0; handle = _messages[handle].Next)
            {
                Tell(handle, PublishEnd.NotSent, ReasonCode.UnspecifiedError, reason: reason);
            }
        }

        FailQueue(ref _unreliable, reason);
        _flushes.FailAll(reason);
        if (everything)
        {
            foreach (var handle in Session.Publishes.Select(p => p.Handle).Concat(Session.Releases.Select(r => r.Handle)))
            {
                Tell(handle, PublishEnd.NotSent, ReasonCode.UnspecifiedError, reason: reason);
            }
        }
    }

    private void FailQueue(ref MessageQueue queue, CloseReason reason)
    {
        while (queue.Count > 0)
        {
            var handle = queue.Dequeue(_messages);
            Tell(handle, PublishEnd.NotSent, ReasonCode.UnspecifiedError, reason: reason);
            _messages.Remove(handle);
        }
    }

    private void End(int handle, ReasonCode reason)
    {
        Tell(handle, PublishEnd.Answered, reason);
        Remove(handle, MessageEnd.Answered, reason);
    }

    /// <summary>The message is done, here and in the journal.</summary>
    private void Remove(int handle, MessageEnd end, ReasonCode reason = ReasonCode.Success)
    {
        Session.Journal?.Ended(handle, end, reason);
        _messages.Remove(handle);
    }

    private void Tell(int handle, PublishEnd end, ReasonCode code, string? detail = null, CloseReason? reason = null)
    {
        ref var message = ref _messages[handle];
        if (message.Waiter is { } waiter)
        {
            message.Waiter = null;
            Ended.Add(new PublishOutcome(waiter, end, code, message.PacketId, message.Flags, detail, reason));
        }
    }
}
