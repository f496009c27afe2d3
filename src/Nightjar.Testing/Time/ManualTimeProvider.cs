namespace Nightjar.Testing;

/// <summary>
/// A clock that stands still until <see cref="Advance"/> moves it, for code that takes a <see cref="TimeProvider"/>. Timers fire
/// during <see cref="Advance"/>, in the order in which they are due, on the thread that calls it. A timer that is due at
/// once (a due time of zero) needs no time to pass and fires on the thread pool, as with the system's clock. Thread-safe.
/// </summary>
public sealed class ManualTimeProvider : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly SortedSet<ManualTimer> _timers = new(Comparer<ManualTimer>.Create(CompareDue));
    private readonly List<(long Due, TaskCompletionSource Reached)> _waiters = [];
    private DateTimeOffset _utcAtZero;
    private long _now;
    private long _sequence;

    /// <summary>A clock that says <paramref name="start"/>.</summary>
    /// <param name="start">Default: midnight of 1 January 2026, UTC.</param>
    public ManualTimeProvider(DateTimeOffset? start = null) =>
        _utcAtZero = (start ?? new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero)).ToUniversalTime();

    /// <summary>Timestamps count in ticks of 100 ns.</summary>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>Always UTC, so that a test means the same everywhere.</summary>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <summary>How long it is until the next timer is due; null if none is set.</summary>
    public TimeSpan? UntilNextTimer
    {
        get
        {
            lock (_gate)
            {
                return _timers.Min is { } next ? TimeSpan.FromTicks(Math.Max(next.Due - _now, 0)) : null;
            }
        }
    }

    /// <inheritdoc/>
    public override long GetTimestamp()
    {
        lock (_gate)
        {
            return _now;
        }
    }

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
        {
            return _utcAtZero.AddTicks(_now);
        }
    }

    /// <summary>Corrects the wall clock, forward or back, as an administrator or NTP does: timestamps and timers do not notice.</summary>
    public void SetUtcNow(DateTimeOffset utcNow)
    {
        lock (_gate)
        {
            _utcAtZero = utcNow.ToUniversalTime().AddTicks(-_now);
        }
    }

    /// <summary>
    /// Moves the clock, stopping at each timer that becomes due on the way to fire it; a timer set by one that fires also fires if
    /// it is due within the same span. Exceptions of a timer's callback come out here; the clock then stands where that timer was due.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The span is negative.</exception>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        long target;
        lock (_gate)
        {
            target = _now + by.Ticks;
        }

        while (TakeDue(target) is { } timer)
        {
            timer.Fire();
        }

        lock (_gate)
        {
            _now = Math.Max(_now, target);
        }
    }

    /// <summary>Moves the clock to the next timer that is due, and fires it; false if none is set.</summary>
    public bool AdvanceToNextTimer()
    {
        if (UntilNextTimer is not { } next)
        {
            return false;
        }

        Advance(next);
        return true;
    }

    /// <summary>
    /// Completes as soon as a timer is set that is due within <paramref name="within"/> from now: the way to know that the code under
    /// test has got to its wait, before the clock is moved.
    /// </summary>
    /// <param name="within">Counted from the call.</param>
    /// <param name="cancellationToken">Ends the wait; without it, it may never end.</param>
    public async Task WaitForTimerAsync(TimeSpan within, CancellationToken cancellationToken = default)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            var due = _now + within.Ticks;
            if (_timers.Min is { } next && next.Due <= due)
            {
                return;
            }

            _waiters.Add((due, reached));
        }

        await reached.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    internal bool Set(ManualTimer timer, TimeSpan dueTime, TimeSpan period)
    {
        CheckSpan(dueTime, nameof(dueTime));
        CheckSpan(period, nameof(period));
        lock (_gate)
        {
            if (timer.IsDisposed)
            {
                return false;
            }

            _timers.Remove(timer);
            timer.Period = period > TimeSpan.Zero ? period.Ticks : 0;
            if (dueTime >= TimeSpan.Zero)
            {
                Insert(timer, _now + dueTime.Ticks);
            }
        }

        if (dueTime == TimeSpan.Zero)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static provider => provider.Advance(TimeSpan.Zero), this, preferLocal: false);
        }

        return true;
    }

    internal void Remove(ManualTimer timer)
    {
        lock (_gate)
        {
            timer.IsDisposed = true;
            _timers.Remove(timer);
        }
    }

    private static int CompareDue(ManualTimer left, ManualTimer right)
    {
        var byDue = left.Due.CompareTo(right.Due);
        return byDue != 0 ? byDue : left.Sequence.CompareTo(right.Sequence);
    }

    private static void CheckSpan(TimeSpan span, string name)
    {
        // The system's timers have the same limit: what passes here must not fail there.
        if (span != Timeout.InfiniteTimeSpan && (span < TimeSpan.Zero || span.TotalMilliseconds >= uint.MaxValue))
        {
            throw new ArgumentOutOfRangeException(name, span, "A timer's time is zero, positive up to 49 days, or Timeout.InfiniteTimeSpan.");
        }
    }

    private ManualTimer? TakeDue(long target)
    {
        lock (_gate)
        {
            if (_timers.Min is not { } timer || timer.Due > target)
            {
                return null;
            }

            _timers.Remove(timer);
            _now = Math.Max(_now, timer.Due);
            if (timer.Period > 0)
            {
                Insert(timer, timer.Due + timer.Period);
            }

            return timer;
        }
    }

    private void Insert(ManualTimer timer, long due)
    {
        timer.Due = due;
        timer.Sequence = ++_sequence;
        _timers.Add(timer);
        for (var i = _waiters.Count - 1; i >= 0; i--)
        {
            if (due <= _waiters[i].Due)
            {
                _waiters[i].Reached.TrySetResult();
                _waiters.RemoveAt(i);
            }
        }
    }
}
