using System.Collections.Concurrent;

namespace Nightjar.Cli.Tests.Commands;

/// <summary>A clock whose timers are due after a hundredth of their time: nobody waits for a back-off of seconds.</summary>
internal sealed class SkippingClock : TimeProvider
{
    private readonly ConcurrentQueue<TimeSpan> _asked = [];

    /// <summary>The times that timers were made for.</summary>
    public IReadOnlyCollection<TimeSpan> Asked => _asked;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        _asked.Enqueue(dueTime);
        return new Skipping(System.CreateTimer(callback, state, Short(dueTime), Short(period)));
    }

    private static TimeSpan Short(TimeSpan time) => time == Timeout.InfiniteTimeSpan ? time : time / 100;

    private sealed class Skipping(ITimer timer) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => timer.Change(Short(dueTime), Short(period));

        public void Dispose() => timer.Dispose();

        public ValueTask DisposeAsync() => timer.DisposeAsync();
    }
}
