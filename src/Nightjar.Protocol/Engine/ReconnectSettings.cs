namespace Nightjar.Protocol.Engine;

/// <summary>How the supervisor goes on after a failure; times in ticks of 100 ns, <see cref="long.MaxValue"/> for never.</summary>
internal sealed record ReconnectSettings
{
    /// <summary>From 0 to 1: how much of the delay is left to chance. 1: all of it (full jitter).</summary>
    public double Jitter { get; init; } = 1;

    /// <summary>These delays, one after the other, and then no more; null: exponential.</summary>
    public IReadOnlyList<long>? Delays { get; init; }

    /// <summary>The host is asked for each delay.</summary>
    public bool AsksForDelay { get; init; }

    public PermanentFailures PermanentFailures { get; init; }

    public Takeover Takeover { get; init; }

    public ServerOrder ServerOrder { get; init; }

    /// <summary>How long a connection to another server is healthy before the first one is tried again.</summary>
    public long FailBackAfter { get; init; } = long.MaxValue;

    /// <summary>Hosts, <c>host:port</c> and <c>*.domain</c> that a server reference may lead to, besides the servers themselves.</summary>
    public IReadOnlyList<string> AllowedRedirects { get; init; } = [];
}

/// <summary>When there is to be a connection, and for how long; times in ticks of 100 ns, <see cref="long.MaxValue"/> for never.</summary>
internal sealed record ConnectionSettings
{
    /// <summary>The host prepares each attempt: it waits until one makes sense, and may change what is sent.</summary>
    public bool PreparesAttempts { get; init; }

    /// <summary>Whether preparing may bring other credentials, so that a refusal of the old ones is worth one more attempt.</summary>
    public bool RenewsCredentials { get; init; }

    public long MaximumAge { get; init; } = long.MaxValue;

    /// <summary>After so long without a message the connection ends until it is needed.</summary>
    public long IdleTimeout { get; init; } = long.MaxValue;

    /// <summary>The host is asked for the windows in which there may be a connection.</summary>
    public bool HasSchedule { get; init; }

    /// <summary>Up to this much later than a window opens.</summary>
    public long ScheduleJitter { get; init; }
}
