namespace Nightjar.Connection;

/// <summary>Waiters to use again. As many are kept as were ever waiting at once.</summary>
internal sealed class PublishWaiterPool(EngineHost host)
{
    private readonly Lock _lock = new();
    private PublishWaiter? _first;

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

    public void Return(PublishWaiter waiter)
    {
        lock (_lock)
        {
            waiter.Next = _first;
            _first = waiter;
        }
    }
}
