namespace Nightjar.Protocol.Engine;

/// <summary>
/// How long to wait before the next attempt: anywhere from nothing to a bound that doubles with each failure (full jitter), so that a thousand clients of a
/// restarted broker do not come back in step. A connection must have lived for a while before the bound starts over.
/// </summary>
internal sealed class BackOff(EngineSettings settings)
{
    /// <summary>Failures since the last stable connection.</summary>
    public int Failures { get; private set; }

    /// <summary>A connection ended after this long.</summary>
    public void Lived(long duration)
    {
        if (duration >= settings.StableAfter)
        {
            Failures = 0;
        }
    }

    /// <summary>The delay after one more failure. One that trying again does not cure waits for the longest.</summary>
    public long Next(bool transient)
    {
        Failures++;
        if (!transient)
        {
            return settings.MaximumDelay;
        }

        // 2^30 doublings are beyond any maximum and below any overflow.
        var bound = Math.Min(settings.MaximumDelay, settings.MinimumDelay * (double)(1L << Math.Min(Failures - 1, 30)));
        return (long)(bound * settings.Random());
    }
}
