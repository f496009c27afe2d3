namespace Nightjar.Protocol.Engine;

/// <summary>How fast messages may leave; times in ticks of 100 ns.</summary>
internal sealed record PaceSettings
{
    /// <summary>Between two messages in the long run; 0: no limit.</summary>
    public long Interval { get; init; }

    /// <summary>How many may leave at once after a rest.</summary>
    public int Burst { get; init; } = 1;

    /// <summary>The delay that the server's "too much" adds; 0: it adds none.</summary>
    public long SlowDown { get; init; }

    /// <summary>No delay grows beyond this.</summary>
    public long MaximumDelay { get; init; } = 30 * TimeSpan.TicksPerSecond;
}

/// <summary>
/// Spaces what leaves the queues: a token bucket for the limit that the application set, and a delay that <see cref="Throttle"/> raises and time takes back. Guarded
/// with the outbound half.
/// </summary>
internal sealed class PublishPace(PaceSettings settings)
{
    // The delay halves this often, so that even the longest is gone within minutes.
    private const long HalfLife = 30 * TimeSpan.TicksPerSecond;

    // Below it a delay is not worth keeping.
    private const long ShortestDelay = TimeSpan.TicksPerSecond / 16;

    private const long Never = long.MaxValue;

    private readonly long _tolerance = settings.Interval * (settings.Burst - 1);
    private long _now;
    private long _paidUntil;
    private long _spacedFrom;
    private long _halvesAt;
    private long _toldAgainFrom;

    /// <summary>Whether anything is limited. One flag, so that a client without limits pays nothing else.</summary>
    public bool IsActive { get; private set; } = settings.Interval > 0;

    /// <summary>What <see cref="Throttle"/> made of the space between messages; 0 once it has decayed.</summary>
    public long Delay { get; private set; }

    /// <summary>When what was refused may be tried again; <see cref="long.MaxValue"/> if nothing was.</summary>
    public long Deadline { get; private set; } = Never;

    /// <summary>Time passed.</summary>
    public void At(long now)
    {
        _now = now;
        if (Delay == 0)
        {
            return;
        }

        while (Delay > 0 && now >= _halvesAt)
        {
            Delay /= 2;
            _halvesAt += HalfLife;
            if (Delay < ShortestDelay)
            {
                Delay = 0;
                IsActive = settings.Interval > 0;
            }
        }
    }

    /// <summary>
    /// More space between messages, from now on: the delay doubles, or grows by <paramref name="delay"/>, whichever is more; then it halves every 30 s.
    /// </summary>
    public void Throttle(long delay, long now)
    {
        At(now);
        Delay = Math.Min(settings.MaximumDelay, Math.Max(Delay * 2, Delay + Math.Min(delay, settings.MaximumDelay)));
        IsActive |= Delay > 0;
        _halvesAt = now + HalfLife;
        _spacedFrom = now;
    }

    /// <summary>The server said that it was too much. What it says of messages that were on their way together counts once.</summary>
    public void SlowDown(long now)
    {
        if (settings.SlowDown > 0 && now >= _toldAgainFrom)
        {
            Throttle(settings.SlowDown, now);
            _toldAgainFrom = now + Delay;
        }
    }

    /// <summary>As <see cref="SlowDown(long)"/>, at the time of the last <see cref="At"/>.</summary>
    public void SlowDown() => SlowDown(_now);

    /// <summary>The delay, decayed until now.</summary>
    public long DelayAt(long now)
    {
        At(now);
        return Delay;
    }

    /// <summary>Nothing was refused so far.</summary>
    public void Begin() => Deadline = Never;

    /// <summary>One message may leave, and is counted. If not, <see cref="Deadline"/> says when to ask again.</summary>
    public bool TryTake()
    {
        if (!IsActive)
        {
            return true;
        }

        var next = Math.Max(_paidUntil - _tolerance, Delay > 0 ? _spacedFrom + Delay : 0);
        if (next > _now)
        {
            // A delay that halves meanwhile may let it go earlier.
            Deadline = Delay > 0 ? Math.Min(next, _halvesAt) : next;
            return false;
        }

        _paidUntil = Math.Max(_paidUntil, _now) + settings.Interval;
        _spacedFrom = _now;
        return true;
    }
}
