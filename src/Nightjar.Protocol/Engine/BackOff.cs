namespace Nightjar.Protocol.Engine;

/// <summary>
/// How long to wait before the next attempt: anywhere from nothing to a bound that doubles with each failure (full jitter, unless less is asked for), so that a thousand clients of a
/// restarted broker do not come back in step. A connection must have lived for a while before the bound starts over.
/// </summary>
internal sealed class BackOff(EngineSettings settings)
{
    // Two clients with one identifier would else take the session from each other for ever.
    private const long LongestAfterTakeover = TimeSpan.TicksPerHour;

    private int _failuresHere;
    private int _takeovers;

    /// <summary>Failures since the last stable connection.</summary>
    public int Failures { get; private set; }

    /// <summary>The delays of this server are used up: the next attempt is another one's.</summary>
    public bool IsSpent { get; private set; }

    private long AfterTakeovers => Math.Max(LongestAfterTakeover, settings.MaximumDelay);

    /// <summary>A connection ended after this long.</summary>
    public void Lived(long duration)
    {
        if (duration >= settings.StableAfter)
        {
            Failures = 0;
            _failuresHere = 0;
        }

        if (duration > AfterTakeovers)
        {
            _takeovers = 0;
        }
    }

    /// <summary>The next attempt is for another server: its delays start over.</summary>
    public void StartOver()
    {
        _failuresHere = 0;
        IsSpent = false;
    }

    /// <summary>A failure of which the host says how long to wait.</summary>
    public void Count() => Failures++;

    /// <summary>The delay after one more failure. One that trying again does not cure waits for the longest.</summary>
    public long Next(bool transient)
    {
        Failures++;
        _failuresHere++;
        if (settings.Retry.Delays is { } delays)
        {
            IsSpent = _failuresHere > delays.Count;
            return IsSpent ? 0 : delays[_failuresHere - 1];
        }

        if (!transient)
        {
            IsSpent = true;
            return settings.MaximumDelay;
        }

        // 2^30 doublings are beyond any maximum and below any overflow.
        var bound = Math.Min(settings.MaximumDelay, settings.MinimumDelay * (double)(1L << Math.Min(_failuresHere - 1, 30)));
        IsSpent = bound >= settings.MaximumDelay;
        return (long)(bound * (1 - (settings.Retry.Jitter * (1 - settings.Random()))));
    }

    /// <summary>
    /// The delay after another client took the session: the longest, doubled each time. Neither a connection that was stable nor one without this fault starts it over, only one
    /// that outlived any such delay.
    /// </summary>
    public long NextAfterTakeover()
    {
        Failures++;
        var bound = Math.Min(AfterTakeovers, settings.MaximumDelay * (double)(1L << Math.Min(_takeovers++, 30)));
        return (long)(bound * (1 + (0.25 * settings.Random())));
    }
}
