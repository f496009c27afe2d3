using System.Collections.Concurrent;

namespace Nightjar.Cli.Tests.Commands;

/// <summary>A clock that runs ten times as fast: a back-off of a second is over in a tenth, and a time-out of 15 s still is no hurry.</summary>
internal sealed class FastClock : TimeProvider
{
    private const int Speed = 10;

    private readonly ConcurrentQueue<TimeSpan> _asked = [];

    /// <summary>The times that timers were made for.</summary>
    public IReadOnlyCollection<TimeSpan> Asked => _asked;

    public override long TimestampFrequency => System.TimestampFrequency / Speed;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        _asked.Enqueue(dueTime);
        return new Fast(System.CreateTimer(callback, state, Short(dueTime), Short(period)));
    }

    private static TimeSpan Short(TimeSpan time) => time == Timeout.InfiniteTimeSpan ? time : time / Speed;

    private sealed class Fast(ITimer timer) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => timer.Change(Short(dueTime), Short(period));

        public void Dispose() => timer.Dispose();

        public ValueTask DisposeAsync() => timer.DisposeAsync();
    }
}
