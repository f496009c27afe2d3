namespace Nightjar.Protocol.Engine;

/// <summary>When the waits of publishes end. All are equally long, so the oldest ends first and a queue is enough.</summary>
internal sealed class PublishTimeouts(long timeout, MessageStore messages)
{
    private readonly Queue<(MessageTicket Ticket, long Deadline)> _queue = new();

    /// <summary>When the next wait ends; <see cref="long.MaxValue"/> if none does.</summary>
    public long Deadline => _queue.TryPeek(out var next) ? next.Deadline : long.MaxValue;

    public void Add(MessageTicket ticket, long now)
    {
        if (timeout == long.MaxValue)
        {
            return;
        }

        // Most messages are done long before their time: what is kept are those in flight, not those of a whole timeout.
        while (_queue.TryPeek(out var oldest) && !messages.IsCurrent(oldest.Ticket))
        {
            _queue.Dequeue();
        }

        _queue.Enqueue((ticket, now + timeout));
    }

    public bool TryTake(long now, out MessageTicket ticket)
    {
        if (_queue.TryPeek(out var next) && next.Deadline <= now)
        {
            ticket = _queue.Dequeue().Ticket;
            return true;
        }

        ticket = default;
        return false;
    }
}
