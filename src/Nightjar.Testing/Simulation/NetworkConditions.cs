namespace Nightjar.Testing.Simulation;

/// <summary>How the network is at the moment, for all connections.</summary>
internal sealed class NetworkConditions
{
    /// <summary>How long a piece takes.</summary>
    public long Latency { get; set; }

    /// <summary>No byte arrives before.</summary>
    public long StalledUntil { get; set; }

    /// <summary>A full buffer below us: what was taken is not written before.</summary>
    public long WritesBlockedUntil { get; set; }

    /// <summary>Whether bytes wait for the network to move again.</summary>
    public bool IsStalled(long now) => StalledUntil > now || WritesBlockedUntil > now;

    /// <summary>Until then each piece takes <see cref="ExtraLatency"/> more.</summary>
    public long DelayedUntil { get; set; }

    public long ExtraLatency { get; set; }

    /// <summary>Until then bytes arrive in small pieces.</summary>
    public long SplitUntil { get; set; }

    /// <summary>No attempt gets through before: nobody listens.</summary>
    public long RefusedUntil { get; set; }
}
