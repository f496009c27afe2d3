namespace Nightjar.Protocol.Engine;

/// <summary>
/// When messages that never left are too old: by their own time to live, or by the age that the outbox allows. Guarded with the outbound half. Messages that leave in time are not
/// searched for here; their entries go when their time comes, or when they are more than those of messages that are there.
/// </summary>
internal sealed class MessageExpiry(MessageStore messages)
{
    private const int Few = 64;

    private readonly PriorityQueue<MessageTicket, long> _queue = new();

    /// <summary>When the next message expires; <see cref="long.MaxValue"/> if none does.</summary>
    public long Deadline => _queue.TryPeek(out _, out var next) ? next : long.MaxValue;

    /// <summary>Watches a message.</summary>
    public void Add(MessageTicket ticket, long expiresAt)
    {
        if (_queue.Count > Few && _queue.Count > 2 * messages.Count)
        {
            Forget();
        }

        _queue.Enqueue(ticket, expiresAt);
    }

    /// <summary>The next message whose time is over, if it is there and never left.</summary>
    public bool TryTake(long now, out int handle)
    {
        while (_queue.TryPeek(out var ticket, out var at) && at <= now)
        {
            _queue.Dequeue();
            if (messages.IsCurrent(ticket) && messages[ticket.Handle].Stage == MessageStage.Queued)
            {
                handle = ticket.Handle;
                return true;
            }
        }

        handle = -1;
        return false;
    }

    private void Forget()
    {
        var kept = _queue.UnorderedItems.Where(item => messages.IsCurrent(item.Element) && messages[item.Element.Handle].Stage == MessageStage.Queued).ToList();
        _queue.Clear();
        _queue.EnqueueRange(kept);
    }
}
