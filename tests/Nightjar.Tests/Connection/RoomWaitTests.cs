using Nightjar.Connection;
using Xunit;

namespace Nightjar.Tests.Connection;

/// <summary>A receive loop's wait for room.</summary>
public sealed class RoomWaitTests
{
    private readonly ReceiveBudget _budget = new(1000);
    private readonly LateTimers _time = new();

    [Fact]
    public async Task It_ends_when_there_is_room()
    {
        var chunk = Hold(600);
        using var room = new RoomWait(_budget, _time);
        var wait = WaitASecond(room);
        Assert.False(wait.IsCompleted);

        chunk.Release();

        Assert.True(await wait.Soon());
        Assert.Equal(0, _budget.Held);
    }

    [Fact]
    public async Task It_is_over_at_once_when_there_is_room_already()
    {
        using var room = new RoomWait(_budget, _time);

        Assert.True(await room.WaitAsync(500, Timeout.InfiniteTimeSpan).Soon());
    }

    [Fact]
    public async Task A_late_timer_does_not_end_the_next_wait()
    {
        var first = Hold(600);
        using var room = new RoomWait(_budget, _time);
        var wait = WaitASecond(room);
        _time.Now += TimeSpan.TicksPerSecond;
        first.Release();
        Assert.True(await wait.Soon());
        var second = Hold(600);
        wait = WaitASecond(room);

        _time.Fire();
        second.Release();

        // Had the timer ended it, there would have been no room.
        Assert.True(await wait.Soon());
    }

    [Fact]
    public async Task A_timer_in_its_time_ends_the_wait()
    {
        var chunk = Hold(600);
        using var room = new RoomWait(_budget, _time);
        var wait = WaitASecond(room);

        _time.Strike(TimeSpan.TicksPerSecond);

        Assert.False(await wait.Soon());
        chunk.Release();
    }

    [Fact]
    public async Task A_late_timer_does_not_end_a_wait_without_an_end()
    {
        var chunk = Hold(600);
        using var room = new RoomWait(_budget, _time);
        var timed = WaitASecond(room);
        _time.Strike(TimeSpan.TicksPerSecond);
        Assert.False(await timed.Soon());
        var endless = room.WaitAsync(500, Timeout.InfiniteTimeSpan).AsTask();

        _time.Strike(TimeSpan.TicksPerDay);
        chunk.Release();

        Assert.True(await endless.Soon());
    }

    [Fact]
    public async Task Two_connections_wait_each_for_itself()
    {
        var chunk = Hold(600);
        using var old = new RoomWait(_budget, _time);
        using var next = new RoomWait(_budget, _time);
        var oldWait = old.WaitAsync(500, Timeout.InfiniteTimeSpan).AsTask();
        var nextWait = next.WaitAsync(500, Timeout.InfiniteTimeSpan).AsTask();

        old.Stop();
        Assert.True(await oldWait.Soon());
        Assert.False(nextWait.IsCompleted);
        Assert.True(await old.WaitAsync(500, Timeout.InfiniteTimeSpan).Soon());
        chunk.Release();

        Assert.True(await nextWait.Soon());
    }

    [Fact]
    public async Task Each_wait_ends_at_its_own_mark()
    {
        var chunks = new[] { Hold(300), Hold(300), Hold(300) };
        using var one = new RoomWait(_budget, _time);
        using var other = new RoomWait(_budget, _time);
        var high = one.WaitAsync(_budget.Held, Timeout.InfiniteTimeSpan).AsTask();
        var low = other.WaitAsync(100, Timeout.InfiniteTimeSpan).AsTask();

        chunks[0].Release();
        Assert.True(await high.Soon());
        chunks[1].Release();
        Assert.False(low.IsCompleted);
        chunks[2].Release();

        Assert.True(await low.Soon());
    }

    /// <summary>A chunk that one message keeps.</summary>
    private static Task<bool> WaitASecond(RoomWait room) => room.WaitAsync(500, TimeSpan.FromSeconds(1)).AsTask();

    private ReceiveChunk Hold(int size)
    {
        var chunk = new ReceiveChunk(_budget, size, isBlock: true);
        chunk.Share(1);
        chunk.LetGo();
        return chunk;
    }

    /// <summary>Timers that strike when the test says so, and not before.</summary>
    private sealed class LateTimers : TimeProvider
    {
        private (TimerCallback Callback, object? State) _timer;

        public long Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _timer = (callback, state);
            return new Nothing();
        }

        /// <summary>Time passes, and the timer fires in time.</summary>
        public void Strike(long later)
        {
            Now += later;
            Fire();
        }

        public void Fire() => _timer.Callback(_timer.State);

        private sealed class Nothing : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => default;
        }
    }
}
