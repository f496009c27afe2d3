namespace Nightjar.Connection;

/// <summary>Waiters to use again. As many are kept as were ever waiting at once.</summary>
internal sealed class PublishWaiterPool(EngineHost host)
{
    private readonly Lock _lock = new();
    private PublishWaiter? _first;
    private int _resuming;

    /// <summary>How many were signalled whose result nobody has read yet: callers who are about to go on, and likely to publish again. A hint, read without the lock.</summary>
    public int Resuming => Volatile.Read(ref _resuming);

    /// <summary>So many are about to be signalled.</summary>
    public void Signalling(int count)
    {
        lock (_lock)
        {
            _resuming += count;
        }
    }

    public PublishWaiter Rent()
    {
        lock (_lock)
        {
            if (_first is { } waiter)
            {
                _first = waiter.Next;
                waiter.Next = null;
                return waiter;
            }
        }

        return new PublishWaiter(host, this);
    }

    /// <summary>A result was read. The waiter comes back, unless a late callback may still touch it.</summary>
    public void Resumed(PublishWaiter waiter, bool reusable)
    {
        lock (_lock)
        {
            _resuming--;
            if (reusable)
            {
                waiter.Next = _first;
                _first = waiter;
            }
        }
    }
}
