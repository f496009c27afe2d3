using System.Threading.Tasks.Sources;

namespace Nightjar.Connection;

/// <summary>
/// How many bytes received messages hold while they wait for their handlers. When the limit is reached the receive loop pauses, and the server feels it through TCP.
/// </summary>
/// <remarks>
/// Well before that, at <see cref="ReadAhead"/>, the loop takes a breath and lets the handlers catch up: what they find is still in the processor's cache, and in a
/// flood the same few chunks go round. The chunk that the loop reads into does not count, for it is there when no message waits, too. Chunks are kept until the loop finds nothing to read (<see cref="Trim"/>), so that an idle client holds next to nothing.
/// </remarks>
internal sealed class ReceiveBudget(long limit, TimeProvider timeProvider) : IValueTaskSource<bool>, IDisposable
{
    // A few large chunks, and the queue entries of the smallest messages in them: a second-level cache.
    private const long LargestReadAhead = 1024 * 1024;

    private const int KeptWhenIdle = 2;

    private readonly Stack<ReceiveChunk> _spares = new();
    private readonly Lock _lock = new();
    private ManualResetValueTaskSourceCore<bool> _wait = new() { RunContinuationsAsynchronously = true };
    private ITimer? _timer;
    private long _held;
    private long _roomBelow;
    private int _waiting;

    /// <summary>Where the loop takes a breath.</summary>
    public long ReadAhead { get; } = Math.Min(limit, LargestReadAhead);

    /// <summary>Bytes held now.</summary>
    public long Held => Volatile.Read(ref _held);

    public bool IsExhausted => Held >= limit;

    public ReceiveChunk Rent(int size)
    {
        ReceiveChunk? chunk;
        lock (_lock)
        {
            _spares.TryPop(out chunk);
        }

        if (chunk is null || chunk.Bytes.Length < size)
        {
            chunk?.Discard();
            chunk = new ReceiveChunk(this, size);
        }

        return chunk;
    }

    public void Charge(int bytes) => Interlocked.Add(ref _held, bytes);

    /// <summary>Nobody needs the chunk any more.</summary>
    public void Return(ReceiveChunk chunk, int charged)
    {
        if (chunk.Bytes.Length <= Receiver.LargestChunk)
        {
            lock (_lock)
            {
                _spares.Push(chunk);
            }
        }
        else
        {
            chunk.Discard();
        }

        if (Interlocked.Add(ref _held, -charged) < Volatile.Read(ref _roomBelow))
        {
            EndWait(room: true);
        }
    }

    /// <summary>The flood is over.</summary>
    public void Trim()
    {
        if (_spares.Count <= KeptWhenIdle)
        {
            return;
        }

        lock (_lock)
        {
            while (_spares.Count > KeptWhenIdle)
            {
                _spares.Pop().Discard();
            }
        }
    }

    /// <summary>Ends when less than this is held (true), or the time is over (false). One waiter: the receive loop.</summary>
    public ValueTask<bool> WaitForRoomAsync(long below, TimeSpan patience)
    {
        _wait.Reset();
        Volatile.Write(ref _roomBelow, below);
        Interlocked.Exchange(ref _waiting, 1);
        var task = new ValueTask<bool>(this, _wait.Version);
        if (Held < below)
        {
            EndWait(room: true);
            return task;
        }

        _timer ??= timeProvider.CreateTimer(
            static state => ((ReceiveBudget)state!).EndWait(room: false), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(patience, Timeout.InfiniteTimeSpan);
        return task;
    }

    public void Dispose() => _timer?.Dispose();

    bool IValueTaskSource<bool>.GetResult(short token) => _wait.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _wait.GetStatus(token);

    void IValueTaskSource<bool>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wait.OnCompleted(continuation, state, token, flags);

    private void EndWait(bool room)
    {
        if (Interlocked.Exchange(ref _waiting, 0) == 1)
        {
            _wait.SetResult(room);
        }
    }
}
