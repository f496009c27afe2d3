namespace Nightjar.Protocol.Engine;

// Receipts: messages that somebody follows, finds again and takes back; and those who wait for the outbox to be empty.
internal sealed partial class Outbound
{
    private readonly List<object> _drains = [];

    /// <summary>How far messages with receipts came; the host takes it under its lock and clears the list.</summary>
    public List<(object Waiter, DeliveryStep Step)> Steps => _steps.News;

    /// <summary>Whether somebody waits for the outbox to be empty, and it is.</summary>
    public bool HasDrained => _drains.Count > 0 && IsDrained && _budget.Waiting == 0;

    /// <summary>Messages that were sent before and that the limits of this connection forbid.</summary>
    public int QuarantinedNow => _quarantined + _setAside.Count;

    /// <summary>Getter: the message with this identifier of the application's own, pending or delivered.</summary>
    public bool TryFind(ReadOnlySpan<byte> id, out KnownId known)
    {
        known = default;
        return !_ids.IsEmpty && _ids.TryFind(id, out known);
    }

    /// <summary>Getter: whether the ticket's message is still there.</summary>
    public bool IsCurrent(MessageTicket ticket) => _messages.IsCurrent(ticket);

    /// <summary>Getter: who follows a pending message; null: nobody.</summary>
    public object? WaiterOf(int handle) => _messages[handle].Waiter;

    /// <summary>Getter: whether the message is as safe as the store makes it. QoS 0 is not stored, and without a store nothing waits for one.</summary>
    public bool IsStored(int handle) =>
        _messages[handle] is var message && (message.Record > 0 ? message.Record <= _committed : message.QoS == QoS.AtMostOnce || _committed == long.MaxValue);

    /// <summary>Getter: whether the message was handed to the transport, by this process or by one before it.</summary>
    public bool IsHanded(int handle) =>
        _messages[handle] is var message && message.Stage == MessageStage.Sent && ((message.Traits & MessageTraits.Handed) != MessageTraits.None || (message.Traits & MessageTraits.Receipt) == MessageTraits.None);

    /// <summary>Getter: the packet identifier of the waiter's message; 0 if it has none, or is over.</summary>
    public ushort PacketIdOf(int handle, object waiter) => _messages.Holds(handle, waiter) ? _messages[handle].PacketId : (ushort)0;

    /// <summary>Command: from now on this receipt follows a pending message that nobody follows.</summary>
    public void Attach(int handle, object receipt)
    {
        ref var message = ref _messages[handle];
        message.Traits |= IsHanded(handle) ? MessageTraits.Receipt | MessageTraits.Handed : MessageTraits.Receipt;
        message.Waiter = receipt;
        FollowStoring(handle);
    }

    /// <summary>Command: a message of an earlier process is in its queue, or in flight: it is found by its identifier and expires like any other.</summary>
    public void Register(int handle)
    {
        ref var message = ref _messages[handle];
        if (message.IdLength > 0)
        {
            _ids.Add(message.Id, handle);
        }

        if (message.Stage != MessageStage.Queued)
        {
            return;
        }

        if (_latest is not null && !RegisterLatest(handle))
        {
            return;
        }

        if (message.Expires)
        {
            _expiry.Add(new MessageTicket(handle, message.Generation), _messages.ExpiresAt(handle));
        }
    }

    /// <summary>
    /// There may be several of its topic, of which the newest stays: the process ended between the record of the newer and that of the older one's end, or it let them all wait. False: this one goes.
    /// </summary>
    private bool RegisterLatest(int handle)
    {
        ref var message = ref _messages[handle];
        var other = _latest!.Find(message.Topic, message.QoS);
        var isOlder = other >= 0 && MessageQueue.IsAfter(_messages[other].Number, message.Number);
        if (other >= 0)
        {
            var older = isOlder ? handle : other;
            RemoveFromQueue(older);
            EndReplaced(older);
        }

        if (!isOlder)
        {
            _latest.Add(handle, message.QoS);
        }

        return !isOlder;
    }

    /// <summary>Command: takes a message back, if it has not left. Its wait then ends as withdrawn.</summary>
    public bool TakeBack(int handle, object receipt)
    {
        if (!_messages.Holds(handle, receipt) || _messages[handle].Stage != MessageStage.Queued)
        {
            return false;
        }

        RemoveFromQueue(handle);
        Finish(handle, PublishEnd.Withdrawn, ReasonCode.Success);
        _flushes.Left(_reliable, _unreliable, FlushPosition);
        return true;
    }

    /// <summary>Command: tell <paramref name="waiter"/> when nothing is queued or in flight. True: so it is.</summary>
    public bool Drain(object waiter)
    {
        if (IsDrained && _budget.Waiting == 0)
        {
            return true;
        }

        _drains.Add(waiter);
        return false;
    }

    /// <summary>Command: the waiter does not wait for that any more.</summary>
    public void WithdrawDrain(object waiter) => _drains.Remove(waiter);

    /// <summary>Take: those who waited for the outbox to be empty.</summary>
    public void TakeDrained(List<FlushOutcome> ended)
    {
        if (HasDrained)
        {
            ended.AddRange(_drains.Select(waiter => new FlushOutcome(waiter, Failure: null)));
            _drains.Clear();
        }
    }

    /// <summary>A message has a record; if somebody follows it, the record's commit is a step.</summary>
    private void FollowStoring(int handle)
    {
        ref var message = ref _messages[handle];
        if ((message.Traits & MessageTraits.Receipt) != MessageTraits.None && message.Record > _committed)
        {
            _steps.Storing(new MessageTicket(handle, message.Generation), message.Record);
        }
    }

    /// <summary>A message with a receipt is in the lane, which was at <paramref name="before"/>, or beside it; its step comes when it is written.</summary>
    private void Follow(int handle, long before)
    {
        ref var message = ref _messages[handle];
        if ((message.Traits & (MessageTraits.Receipt | MessageTraits.Handed)) != MessageTraits.Receipt)
        {
            return;
        }

        var ticket = new MessageTicket(handle, message.Generation);
        if (_data.Position == before)
        {
            _steps.SetAside(ticket);
        }
        else
        {
            _steps.Leaving(ticket, _data.Position);
        }
    }

    /// <summary>The lane is written up to here. A QoS 0 message has come as far as it ever does.</summary>
    private void FollowWritten(long position)
    {
        while (_steps.TryTakeWritten(position, out var handle))
        {
            if (_messages[handle].QoS == QoS.AtMostOnce)
            {
                Finish(handle, PublishEnd.Answered, ReasonCode.Success);
            }
        }
    }

    /// <summary>The lane is gone. What is to be sent again is followed again then; QoS 0 is not.</summary>
    private void FollowLost()
    {
        while (_steps.TryTakeLost(out var handle))
        {
            if (_messages[handle].QoS == QoS.AtMostOnce)
            {
                Finish(handle, PublishEnd.Dropped, ReasonCode.Success, drop: MessageDropReason.ConnectionLost);
            }
        }
    }
}
