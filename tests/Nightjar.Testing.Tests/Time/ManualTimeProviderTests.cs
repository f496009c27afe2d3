using Xunit;

namespace Nightjar.Testing.Tests.Time;

public sealed class ManualTimeProviderTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void Time_stands_still_until_it_is_moved()
    {
        var start = _time.GetTimestamp();
        var utc = _time.GetUtcNow();

        Assert.Equal(start, _time.GetTimestamp());
        _time.Advance(90 * Second);

        Assert.Equal(90 * Second, _time.GetElapsedTime(start));
        Assert.Equal(utc + (90 * Second), _time.GetUtcNow());
        Assert.Equal(TimeSpan.Zero, _time.GetLocalNow().Offset);
    }

    [Fact]
    public void The_start_may_be_chosen()
    {
        var start = new DateTimeOffset(2030, 5, 6, 7, 8, 9, TimeSpan.FromHours(2));

        Assert.Equal(start, new ManualTimeProvider(start).GetUtcNow());
    }

    [Fact]
    public void Timers_fire_in_the_order_of_their_due_times_with_the_clock_at_each()
    {
        var fired = new List<string>();
        Timer("late", 3);
        Timer("early", 1);
        Timer("also early", 1);
        Timer("beyond", 11);

        _time.Advance(10 * Second);

        Assert.Equal(["early at 1", "also early at 1", "late at 3"], fired);

        void Timer(string name, int due)
        {
            var start = _time.GetTimestamp();
            _ = _time.CreateTimer(_ => fired.Add($"{name} at {_time.GetElapsedTime(start).TotalSeconds}"), null, due * Second, Timeout.InfiniteTimeSpan);
        }
    }

    [Fact]
    public void Timers_fire_on_the_thread_that_moves_the_clock()
    {
        var thread = 0;
        using var timer = _time.CreateTimer(_ => thread = Environment.CurrentManagedThreadId, null, Second, Timeout.InfiniteTimeSpan);

        _time.Advance(Second);

        Assert.Equal(Environment.CurrentManagedThreadId, thread);
    }

    [Fact]
    public void A_periodic_timer_fires_once_per_period()
    {
        var count = 0;
        using var timer = _time.CreateTimer(_ => count++, null, Second, 2 * Second);

        _time.Advance(6 * Second);

        Assert.Equal(3, count);
        Assert.Equal(Second, _time.UntilNextTimer);
    }

    [Fact]
    public void A_timer_set_by_a_timer_fires_within_the_same_span()
    {
        var fired = new List<TimeSpan>();
        var start = _time.GetTimestamp();
        ITimer? chain = null;
        chain = _time.CreateTimer(
            _ =>
            {
                fired.Add(_time.GetElapsedTime(start));
                chain!.Change(Second, Timeout.InfiniteTimeSpan);
            },
            null,
            Second,
            Timeout.InfiniteTimeSpan);

        _time.Advance(3 * Second);

        Assert.Equal([Second, 2 * Second, 3 * Second], fired);
        chain.Dispose();
    }

    [Fact]
    public void A_changed_timer_fires_at_its_new_time_and_a_disposed_one_never()
    {
        var fired = 0;
        var timer = _time.CreateTimer(_ => fired++, null, Second, Timeout.InfiniteTimeSpan);

        Assert.True(timer.Change(5 * Second, Timeout.InfiniteTimeSpan));
        _time.Advance(4 * Second);
        Assert.Equal(0, fired);
        _time.Advance(Second);
        Assert.Equal(1, fired);

        timer.Change(Second, Second);
        timer.Dispose();
        _time.Advance(10 * Second);

        Assert.Equal(1, fired);
        Assert.False(timer.Change(Second, Second));
        Assert.Null(_time.UntilNextTimer);
    }

    [Fact]
    public async Task A_timer_that_is_due_at_once_needs_no_time_to_pass()
    {
        var start = _time.GetTimestamp();
        var fired = new TaskCompletionSource<TimeSpan>();
        using var timer = _time.CreateTimer(_ => fired.SetResult(_time.GetElapsedTime(start)), null, TimeSpan.Zero, Timeout.InfiniteTimeSpan);

        Assert.Equal(TimeSpan.Zero, await fired.Task.WaitAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public void A_callback_that_throws_stops_the_clock_at_its_due_time()
    {
        var start = _time.GetTimestamp();
        using var timer = _time.CreateTimer(_ => throw new InvalidOperationException("thrown"), null, Second, Timeout.InfiniteTimeSpan);

        Assert.Equal("thrown", Assert.Throws<InvalidOperationException>(() => _time.Advance(5 * Second)).Message);
        Assert.Equal(Second, _time.GetElapsedTime(start));
    }

    [Fact]
    public void Moving_to_the_next_timer_moves_exactly_that_far()
    {
        var fired = 0;
        var start = _time.GetTimestamp();
        using var timer = _time.CreateTimer(_ => fired++, null, 7 * Second, Timeout.InfiniteTimeSpan);

        Assert.True(_time.AdvanceToNextTimer());
        Assert.Equal(1, fired);
        Assert.Equal(7 * Second, _time.GetElapsedTime(start));
        Assert.False(_time.AdvanceToNextTimer());
    }

    [Fact]
    public async Task Waiting_for_a_timer_ends_when_one_is_set_within_the_span()
    {
        var waiting = _time.WaitForTimerAsync(5 * Second);
        using var late = _time.CreateTimer(_ => { }, null, 6 * Second, Timeout.InfiniteTimeSpan);
        Assert.False(waiting.IsCompleted);

        using var early = _time.CreateTimer(_ => { }, null, 5 * Second, Timeout.InfiniteTimeSpan);

        await waiting;
        await _time.WaitForTimerAsync(5 * Second);
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _time.WaitForTimerAsync(Second, cancelled.Token));
    }

    [Fact]
    public async Task Delays_and_timeouts_of_the_base_library_follow_the_clock()
    {
        var delay = Task.Delay(10 * Second, _time, TestContext.Current.CancellationToken);
        using var timeout = new CancellationTokenSource(5 * Second, _time);

        _time.Advance(5 * Second);
        Assert.True(timeout.IsCancellationRequested);
        Assert.False(delay.IsCompleted);
        _time.Advance(5 * Second);

        await delay;
    }

    [Fact]
    public void Correcting_the_wall_clock_moves_no_timestamp_and_fires_no_timer()
    {
        var fired = 0;
        var start = _time.GetTimestamp();
        using var timer = _time.CreateTimer(_ => fired++, null, Second, Timeout.InfiniteTimeSpan);
        var corrected = new DateTimeOffset(2040, 1, 1, 0, 0, 0, TimeSpan.Zero);

        _time.SetUtcNow(corrected);

        Assert.Equal(corrected, _time.GetUtcNow());
        Assert.Equal(start, _time.GetTimestamp());
        Assert.Equal(0, fired);
        _time.Advance(Second);
        Assert.Equal(corrected + Second, _time.GetUtcNow());
    }

    [Fact]
    public void Time_does_not_go_back_and_timers_take_no_negative_spans()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => _time.Advance(-Second));
        Assert.Throws<ArgumentOutOfRangeException>(() => _time.CreateTimer(_ => { }, null, -2 * Second, Timeout.InfiniteTimeSpan));
        Assert.Throws<ArgumentOutOfRangeException>(() => _time.CreateTimer(_ => { }, null, Second, -2 * Second));
    }

    [Fact]
    public void A_timer_runs_with_the_ambient_values_of_the_code_that_made_it()
    {
        var ambient = new AsyncLocal<string> { Value = "maker" };
        string? seen = null;
        using var timer = _time.CreateTimer(_ => seen = ambient.Value, null, Second, Timeout.InfiniteTimeSpan);

        ambient.Value = "mover";
        _time.Advance(Second);

        Assert.Equal("maker", seen);
        Assert.Equal("mover", ambient.Value);
    }

    [Theory]
    [InlineData(uint.MaxValue - 1d, true)]
    [InlineData((double)uint.MaxValue, false)]
    [InlineData(-2d, false)]
    public void A_timer_takes_the_times_that_the_systems_takes(double milliseconds, bool taken)
    {
        var due = TimeSpan.FromMilliseconds(milliseconds);

        foreach (var time in new[] { _time, TimeProvider.System })
        {
            var refused = Record.Exception(() => time.CreateTimer(_ => { }, null, due, Timeout.InfiniteTimeSpan).Dispose());
            Assert.Equal(taken ? null : typeof(ArgumentOutOfRangeException), refused?.GetType());
        }
    }
}
