using System.Collections.Concurrent;

namespace Nightjar.Connection;

/// <summary>
/// How many bytes received messages hold while they wait for their handlers. When the limit is reached the receive loop pauses, and the server feels it through TCP.
/// The chunk that the loop reads into does not count: it is there when no message waits, too.
/// </summary>
internal sealed class ReceiveBudget(long limit)
{
    private readonly ConcurrentQueue<ReceiveChunk> _idle = new();
    private TaskCompletionSource? _room;
    private long _held;

    public bool IsExhausted => Volatile.Read(ref _held) >= limit;

    public ReceiveChunk Rent(int size)
    {
        if (!_idle.TryDequeue(out var chunk))
        {
            chunk = new ReceiveChunk(this);
        }

        chunk.Open(size);
        return chunk;
    }

    /// <summary>The loop went on to another chunk; messages may still lie in this one.</summary>
    public void Hold(int size) => Interlocked.Add(ref _held, size);

    public void Return(ReceiveChunk chunk, int size)
    {
        // A few are enough: the pool of arrays behind them is what counts.
        const int KeepAtMost = 16;
        if (_idle.Count < KeepAtMost)
        {
            _idle.Enqueue(chunk);
        }

        if (Interlocked.Add(ref _held, -size) < limit)
        {
            Volatile.Read(ref _room)?.TrySetResult();
        }
    }

    /// <summary>Ends when there is room again. One waiter: the receive loop.</summary>
    public Task WhenRoomAsync()
    {
        var room = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _room, room);
        Interlocked.MemoryBarrier();
        if (!IsExhausted)
        {
            room.TrySetResult();
        }

        return room.Task;
    }
}
