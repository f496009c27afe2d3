namespace Nightjar;

/// <summary>
/// Where handlers run. Code behind an <c>await</c> stays there, unless it says <c>ConfigureAwait(false)</c>. Immutable, and may be shared by clients: each gets a serial context of its
/// own.
/// </summary>
public sealed class HandlerContext
{
    private readonly TaskScheduler? _scheduler;

    private HandlerContext(TaskScheduler? scheduler) => _scheduler = scheduler;

    /// <summary>On the thread pool: subscriptions beside each other, each for itself in order. The default.</summary>
    public static HandlerContext Parallel { get; } = new(null);

    /// <summary>
    /// All handlers of the client one at a time, on the thread pool, without a thread of their own: what they share needs no lock. While one awaits, others run; one that blocks its
    /// thread blocks them all.
    /// </summary>
    public static HandlerContext Serial { get; } = new(null);

    /// <summary>On a scheduler of yours, such as <see cref="TaskScheduler.FromCurrentSynchronizationContext"/> of a user interface.</summary>
    public static HandlerContext On(TaskScheduler scheduler)
    {
        ArgumentNullException.ThrowIfNull(scheduler);
        return new HandlerContext(scheduler);
    }

    /// <summary>Which one it is.</summary>
    public override string ToString() => this == Parallel ? nameof(Parallel) : this == Serial ? nameof(Serial) : $"On {_scheduler}";

    /// <summary>What one client uses.</summary>
    internal Subscriptions.HandlerScheduler ForClient()
    {
        var serial = this == Serial ? new Subscriptions.SerialScheduler() : null;
        return new Subscriptions.HandlerScheduler(serial ?? _scheduler, serial);
    }
}
