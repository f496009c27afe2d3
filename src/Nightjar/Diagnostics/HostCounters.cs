namespace Nightjar.Diagnostics;

/// <summary>What happens outside the engine's lock, all of it rare.</summary>
internal sealed class HostCounters
{
    private long _handlerRetries;
    private long _handlerFailures;
    private long _messagesDropped;

    public long HandlerRetries => Volatile.Read(ref _handlerRetries);

    public long HandlerFailures => Volatile.Read(ref _handlerFailures);

    public long MessagesDropped => Volatile.Read(ref _messagesDropped);

    public void HandlerRetried() => Interlocked.Increment(ref _handlerRetries);

    public void HandlerFailed() => Interlocked.Increment(ref _handlerFailures);

    public void Dropped(long count) => Interlocked.Add(ref _messagesDropped, count);
}
