using System.Diagnostics;

namespace Nightjar.Bench;

/// <summary>The times of single messages, in a buffer made beforehand. A run that has more keeps the first million.</summary>
internal sealed class LatencySamples
{
    private readonly long[] _ticks = new long[1_000_000];
    private int _count;

    public ReadOnlyMemory<long> Values => _ticks.AsMemory(0, _count);

    public void Clear() => _count = 0;

    /// <summary>Adds the time since <paramref name="before"/>; returns the time it is now.</summary>
    public long Add(long before)
    {
        var now = Stopwatch.GetTimestamp();
        if (_count < _ticks.Length)
        {
            _ticks[_count++] = now - before;
        }

        return now;
    }
}
