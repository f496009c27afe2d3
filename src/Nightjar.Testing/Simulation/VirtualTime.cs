namespace Nightjar.Testing.Simulation;

/// <summary>A clock that stands still but for its events. Those of the same instant happen in the order in which they were set.</summary>
internal sealed class VirtualTime
{
    public const long Millisecond = TimeSpan.TicksPerMillisecond;
    public const long Second = TimeSpan.TicksPerSecond;

    private readonly PriorityQueue<Action, Instant> _events = new();
    private long _order;

    /// <summary>Ticks of 100 ns since the beginning.</summary>
    public long Now { get; private set; }

    /// <summary>When the next event is; <see cref="long.MaxValue"/> if there is none.</summary>
    public long Next => _events.TryPeek(out _, out var instant) ? instant.Ticks : long.MaxValue;

    public void At(long ticks, Action action) => _events.Enqueue(action, new Instant(Math.Max(ticks, Now), _order++));

    public void After(long delay, Action action) => At(Now + delay, action);

    public void MoveTo(long ticks) => Now = Math.Max(Now, ticks);

    /// <summary>The next event happens.</summary>
    public void Step()
    {
        if (_events.TryDequeue(out var action, out var instant))
        {
            MoveTo(instant.Ticks);
            action();
        }
    }

    private readonly record struct Instant(long Ticks, long Order) : IComparable<Instant>
    {
        public int CompareTo(Instant other) => Ticks != other.Ticks ? Ticks.CompareTo(other.Ticks) : Order.CompareTo(other.Order);
    }
}
