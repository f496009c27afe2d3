namespace Nightjar.Testing;

/// <summary>A timer of a <see cref="ManualTimeProvider"/>, which guards its fields with its own lock.</summary>
internal sealed class ManualTimer(ManualTimeProvider provider, TimerCallback callback, object? state) : ITimer
{
    private readonly ExecutionContext? _context = ExecutionContext.Capture();

    public long Due { get; set; }

    /// <summary>Timers that are due together fire in the order in which they were set.</summary>
    public long Sequence { get; set; }

    /// <summary>Ticks; 0 if it fires once.</summary>
    public long Period { get; set; }

    public bool IsDisposed { get; set; }

    public bool Change(TimeSpan dueTime, TimeSpan period) => provider.Set(this, dueTime, period);

    public void Fire()
    {
        // As the system's timers do: AsyncLocal values are those of the code that made the timer.
        if (_context is null)
        {
            callback(state);
            return;
        }

        ExecutionContext.Run(_context, static timer => ((ManualTimer)timer!).Call(), this);
    }

    public void Dispose() => provider.Remove(this);

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    private void Call() => callback(state);
}
