namespace Nightjar.Protocol.Engine;

/// <summary>A request that ended without an answer, for the one who waits: its time was over, or there is a failure.</summary>
internal readonly record struct RequestOutcome(object Waiter, CloseReason? Failure);

/// <summary>
/// Requests that wait for their answer, by correlation. Everything costs the same however many there are. Not thread-safe: guarded with the outbound half.
/// </summary>
internal sealed class PendingRequests(int maximum)
{
    // Below this many it does not pay to sweep.
    private const int SmallestSweep = 64;

    private readonly Dictionary<ulong, object> _waiters = [];
    private PriorityQueue<ulong, long> _deadlines = new();

    /// <summary>Those that ended here; the host passes them on and clears the list.</summary>
    public List<RequestOutcome> Ended { get; } = [];

    public int Count => _waiters.Count;

    /// <summary>How many deadlines are kept, those of requests that are over among them.</summary>
    public int Kept => _deadlines.Count;

    /// <summary>Answers that nobody waited for any more.</summary>
    public long Late { get; private set; }

    /// <summary>When <see cref="Advance"/> has something to do; <see cref="long.MaxValue"/> if never.</summary>
    public long Deadline => _deadlines.TryPeek(out _, out var deadline) ? deadline : long.MaxValue;

    /// <summary>Command: a request begins. False: as many as may wait already.</summary>
    /// <param name="correlation">A number that nobody can guess and no other request has.</param>
    /// <param name="waiter">Hears how it ends.</param>
    /// <param name="deadline">When it ends in vain.</param>
    public bool TryAdd(ulong correlation, object waiter, long deadline)
    {
        if (_waiters.Count >= maximum || !_waiters.TryAdd(correlation, waiter))
        {
            return false;
        }

        if (deadline != long.MaxValue)
        {
            Sweep();
            _deadlines.Enqueue(correlation, deadline);
        }

        return true;
    }

    /// <summary>Command: an answer came. Returns who waits for it; null: nobody does any more.</summary>
    public object? Answer(ulong correlation)
    {
        if (_waiters.Remove(correlation, out var waiter))
        {
            return waiter;
        }

        Late++;
        return null;
    }

    /// <summary>An answer came whose correlation is none of ours.</summary>
    public void NoteStray() => Late++;

    /// <summary>Command: nobody waits any more.</summary>
    public void Remove(ulong correlation) => _waiters.Remove(correlation);

    /// <summary>Time passed.</summary>
    public void Advance(long now)
    {
        while (_deadlines.TryPeek(out var correlation, out var deadline) && deadline <= now)
        {
            _deadlines.Dequeue();
            if (_waiters.Remove(correlation, out var waiter))
            {
                Ended.Add(new RequestOutcome(waiter, Failure: null));
            }
        }
    }

    /// <summary>The client gave up or is closed: no answer will come.</summary>
    public void FailAll(CloseReason reason)
    {
        foreach (var waiter in _waiters.Values)
        {
            Ended.Add(new RequestOutcome(waiter, reason));
        }

        _waiters.Clear();
        _deadlines.Clear();
    }

    /// <summary>Most requests are answered long before their time: what is kept of them is no more than of those that wait.</summary>
    private void Sweep()
    {
        if (_deadlines.Count >= SmallestSweep && _deadlines.Count >= 2 * _waiters.Count)
        {
            _deadlines = new PriorityQueue<ulong, long>(_deadlines.UnorderedItems.Where(item => _waiters.ContainsKey(item.Element)).ToList());
        }
    }
}
