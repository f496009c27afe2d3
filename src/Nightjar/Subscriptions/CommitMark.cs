namespace Nightjar.Subscriptions;

/// <summary>
/// How far the session's log is committed. A message of QoS 1 or 2 is not handed on before its record is, so that what a handler did is never done for a delivery that a
/// killed process has forgotten. Only a client with a store has one.
/// </summary>
internal sealed class CommitMark
{
    private readonly Lock _lock = new();
    private readonly List<MessageFeed> _waiting = [];
    private readonly List<MessageFeed> _woken = [];
    private long _committed;

    /// <summary>Everything up to this record.</summary>
    public long Committed => Volatile.Read(ref _committed);

    /// <summary>The receive loop's: the subscription was given messages up to this record, and is to hear when they may be seen.</summary>
    public void Await(MessageFeed feed, long record)
    {
        lock (_lock)
        {
            if (record <= _committed)
            {
                return;
            }

            if (feed.AwaitedRecord == 0)
            {
                _waiting.Add(feed);
            }

            feed.AwaitedRecord = record;
        }
    }

    /// <summary>More is committed: those whose messages waited for it are woken. One call at a time.</summary>
    public void Advance(long record)
    {
        lock (_lock)
        {
            if (record <= _committed)
            {
                return;
            }

            Volatile.Write(ref _committed, record);
            var kept = 0;
            for (var i = 0; i < _waiting.Count; i++)
            {
                var feed = _waiting[i];
                _woken.Add(feed);
                if (feed.AwaitedRecord > record && !feed.IsClosed)
                {
                    _waiting[kept++] = feed;
                }
                else
                {
                    feed.AwaitedRecord = 0;
                }
            }

            _waiting.RemoveRange(kept, _waiting.Count - kept);
        }

        // Whoever waits may do so on a scheduler of the application's, which is called here.
        foreach (var feed in _woken)
        {
            feed.Queue.Recheck();
        }

        _woken.Clear();
    }
}
