namespace Nightjar.Protocol.Engine;

/// <summary>How far a message with a receipt came, short of its end.</summary>
internal enum DeliveryStep : byte
{
    /// <summary>Its record is committed.</summary>
    Stored,

    /// <summary>It was handed to the transport for the first time.</summary>
    Sent,

    /// <summary>The limits of this connection forbid sending it again.</summary>
    Quarantined,
}

/// <summary>
/// Follows messages with receipts to their record's commit and to the transport. What has no receipt costs nothing here. Guarded with the outbound half.
/// </summary>
internal sealed class DeliverySteps(MessageStore messages)
{
    private readonly Queue<(MessageTicket Ticket, long Record)> _storing = new();
    private readonly Queue<(MessageTicket Ticket, long Position)> _leaving = new();
    private readonly Queue<MessageTicket> _aside = new();

    /// <summary>What happened; the host takes it under its lock.</summary>
    public List<(object Waiter, DeliveryStep Step)> News { get; } = [];

    /// <summary>A message waits for its record to be committed. Records only grow, so a queue is enough.</summary>
    public void Storing(MessageTicket ticket, long record) => _storing.Enqueue((ticket, record));

    /// <summary>The log is committed up to this record.</summary>
    public void Committed(long record)
    {
        while (_storing.TryPeek(out var next) && next.Record <= record)
        {
            _storing.Dequeue();
            Tell(next.Ticket, DeliveryStep.Stored);
        }
    }

    /// <summary>A message is in the lane up to this position.</summary>
    public void Leaving(MessageTicket ticket, long position) => _leaving.Enqueue((ticket, position));

    /// <summary>A message was set aside: it is in no lane.</summary>
    public void SetAside(MessageTicket ticket) => _aside.Enqueue(ticket);

    /// <summary>What lay in the lane behind this position was set aside.</summary>
    public void SetAside(long position)
    {
        for (var i = _leaving.Count; i > 0; i--)
        {
            var next = _leaving.Dequeue();
            if (next.Position > position)
            {
                _aside.Enqueue(next.Ticket);
            }
            else
            {
                _leaving.Enqueue(next);
            }
        }
    }

    /// <summary>What was set aside is in the lane again, up to this position.</summary>
    public void PutBack(long position)
    {
        while (_aside.TryDequeue(out var ticket))
        {
            _leaving.Enqueue((ticket, position));
        }
    }

    /// <summary>
    /// The lane is written up to this position: takes the next message that lies before it, if there is one and it is still there.
    /// </summary>
    public bool TryTakeWritten(long position, out int handle)
    {
        while (_leaving.TryPeek(out var next) && next.Position <= position)
        {
            _leaving.Dequeue();
            if (Tell(next.Ticket, DeliveryStep.Sent))
            {
                handle = next.Ticket.Handle;
                return true;
            }
        }

        handle = -1;
        return false;
    }

    /// <summary>The lane died with its connection: takes the next message that was in it and is still there.</summary>
    public bool TryTakeLost(out int handle)
    {
        PutBack(long.MaxValue);
        while (_leaving.TryDequeue(out var next))
        {
            if (messages.IsCurrent(next.Ticket))
            {
                handle = next.Ticket.Handle;
                return true;
            }
        }

        handle = -1;
        return false;
    }

    private bool Tell(MessageTicket ticket, DeliveryStep step)
    {
        if (!messages.IsCurrent(ticket))
        {
            return false;
        }

        ref var message = ref messages[ticket.Handle];
        if (message.Waiter is { } waiter && (step != DeliveryStep.Sent || (message.Traits & MessageTraits.Handed) == MessageTraits.None))
        {
            News.Add((waiter, step));
        }

        if (step == DeliveryStep.Sent)
        {
            message.Traits |= MessageTraits.Handed;
        }

        return true;
    }
}
