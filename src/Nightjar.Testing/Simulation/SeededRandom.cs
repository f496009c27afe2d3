namespace Nightjar.Testing.Simulation;

/// <summary>
/// SplitMix64: the same numbers for the same seed on every machine and in every version of .NET, which the platform's own does not promise.
/// </summary>
internal sealed class SeededRandom(long seed)
{
    private ulong _state = (ulong)seed;

    public ulong Next()
    {
        _state += 0x9E3779B97F4A7C15;
        var mixed = _state;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return mixed ^ (mixed >> 31);
    }

    /// <summary>From 0 to less than <paramref name="end"/>.</summary>
    public int Below(int end) => (int)(Next() % (uint)end);

    /// <summary>Both ends included.</summary>
    public long Between(long first, long last) => first + (long)(Next() % (ulong)(last - first + 1));

    /// <summary>From 0 to less than 1.</summary>
    public double Fraction() => (Next() >> 11) * (1.0 / (1UL << 53));

    public bool Chance(double probability) => Fraction() < probability;

    /// <summary>Short ones are as likely as long ones: evenly spread over the orders of magnitude.</summary>
    public long Magnitude(long first, long last) => (long)(first * Math.Pow((double)last / first, Fraction()));

    public T Of<T>(IReadOnlyList<T> choices) => choices[Below(choices.Count)];
}
