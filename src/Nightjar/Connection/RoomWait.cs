using System.Threading.Tasks.Sources;

namespace Nightjar.Connection;

/// <summary>
/// One receive loop's wait for room in the budget, used again and again. Each loop has its own: that of a connection that is over may still wait when the next one begins to.
/// </summary>
internal sealed class RoomWait(ReceiveBudget budget, TimeProvider timeProvider) : IValueTaskSource<bool>, IDisposable
{
    private ManualResetValueTaskSourceCore<bool> _wait = new() { RunContinuationsAsynchronously = true };
    private ITimer? _timer;
    private TimeSpan _patience;
    private long _began;
    private int _waiting;
    private volatile bool _ending;

    /// <summary>How little must be held for the wait to end.</summary>
    public long Below { get; private set; }

    /// <summary>Ends when less than this is held (true), the time is over (false), or the connection ends (true).</summary>
    /// <param name="below">In bytes.</param>
    /// <param name="patience">May be infinite.</param>
    public ValueTask<bool> WaitAsync(long below, TimeSpan patience)
    {
        _wait.Reset();
        Below = below;
        _patience = patience;
        _began = timeProvider.GetTimestamp();
        Interlocked.Exchange(ref _waiting, 1);
        budget.Add(this);
        var task = new ValueTask<bool>(this, _wait.Version);
        Look();
        if (patience != Timeout.InfiniteTimeSpan && !task.IsCompleted)
        {
            _timer ??= timeProvider.CreateTimer(static state => ((RoomWait)state!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _timer.Change(patience, Timeout.InfiniteTimeSpan);
        }

        return task;
    }

    /// <summary>There may be room.</summary>
    public void Look()
    {
        if (_ending || budget.Held < Below)
        {
            End(room: true);
        }
    }

    /// <summary>The connection ends: neither this wait nor any to come.</summary>
    public void Stop()
    {
        _ending = true;
        End(room: true);
    }

    public void Dispose() => _timer?.Dispose();

    bool IValueTaskSource<bool>.GetResult(short token) => _wait.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _wait.GetStatus(token);

    void IValueTaskSource<bool>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wait.OnCompleted(continuation, state, token, flags);

    /// <summary>A timer may be late and strike the wait after its own; that one has its time still before it.</summary>
    private void OnTimer()
    {
        if (Volatile.Read(ref _waiting) == 0 || _patience == Timeout.InfiniteTimeSpan)
        {
            return;
        }

        var left = _patience - timeProvider.GetElapsedTime(_began);
        if (left > TimeSpan.Zero)
        {
            // A timer counts in whole milliseconds.
            _timer!.Change(left + TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
            return;
        }

        End(room: false);
    }

    private void End(bool room)
    {
        if (Interlocked.Exchange(ref _waiting, 0) == 1)
        {
            budget.Remove(this);
            _wait.SetResult(room);
        }
    }
}
