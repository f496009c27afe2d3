namespace Nightjar.Protocol.Engine;

/// <summary>How long a connection that only subscriptions ask for is put off: until no more of them come.</summary>
internal struct Gathering()
{
    // An application registers its subscriptions one after the other; longer than that takes, and too short for anybody to notice.
    private const long Pause = TimeSpan.TicksPerSecond / 10;
    private const long Longest = TimeSpan.TicksPerSecond;

    private long _endsAtLatest = long.MaxValue;

    /// <summary>When it is over; <see cref="long.MaxValue"/> if there was none.</summary>
    public long Ends { get; private set; } = long.MaxValue;

    /// <summary>One more came.</summary>
    public void Add(long now)
    {
        _endsAtLatest = Math.Min(_endsAtLatest, now + Longest);
        Ends = Math.Min(now + Pause, _endsAtLatest);
    }
}
