namespace Nightjar;

/// <summary>What happens when a connection fails: exponential back-off with full jitter.</summary>
public sealed class ReconnectOptions
{
    /// <summary>Before the first connection. Default: <see cref="FirstConnect.FailFast"/>.</summary>
    public FirstConnect FirstConnect { get; set; }

    /// <summary>Whether a connection that was lost is made again. Default: true.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>The range of the first delay; it doubles with each failure. Default: 1 s; more than zero, at most <see cref="MaximumDelay"/>.</summary>
    public TimeSpan MinimumDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The range stops growing here. Default: 60 s; at most 49 days.</summary>
    public TimeSpan MaximumDelay { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a connection must live before the delay starts over. Default: 30 s; zero to 49 days.</summary>
    public TimeSpan StableAfter { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>A copy.</summary>
    internal ReconnectOptions Snapshot() => (ReconnectOptions)MemberwiseClone();
}
