namespace Nightjar;

/// <summary>
/// How long to wait after a failure before the next attempt. The policy decides; the client acts. Derive from it, or use <see cref="None"/>, <see cref="Delays"/> or
/// <see cref="From"/>. One policy may serve many clients: it must be thread-safe.
/// </summary>
public abstract class ReconnectPolicy
{
    /// <summary>A lost connection is not made again; only the first one is tried repeatedly, as <see cref="ReconnectOptions.FirstConnect"/> says.</summary>
    public static ReconnectPolicy None { get; } = new NoReconnecting();

    /// <summary>
    /// These delays, one after the other, and then no more: the client gives up. With several servers each gets the whole list. Each from zero to 49 days.
    /// </summary>
    public static ReconnectPolicy Delays(params IEnumerable<TimeSpan> delays)
    {
        ArgumentNullException.ThrowIfNull(delays);
        return new ListedDelays([.. delays]);
    }

    /// <summary>The result of a function; null gives up.</summary>
    public static ReconnectPolicy From(Func<FailedAttempt, TimeSpan?> nextDelay)
    {
        ArgumentNullException.ThrowIfNull(nextDelay);
        return new Computed(nextDelay);
    }

    /// <summary>
    /// How long to wait after this failure (zero to 49 days); null: no more, the client gives up. With several servers the attempt after it is for the next one. Called from
    /// the thread pool, once for each failure, never with a lock held; an exception counts as <see cref="ReconnectOptions.MaximumDelay"/>, and is logged.
    /// </summary>
    public abstract TimeSpan? NextDelay(FailedAttempt attempt);

    internal sealed class NoReconnecting : ReconnectPolicy
    {
        public override TimeSpan? NextDelay(FailedAttempt attempt) => null;
    }

    internal sealed class ListedDelays(IReadOnlyList<TimeSpan> delays) : ReconnectPolicy
    {
        public IReadOnlyList<TimeSpan> Listed => delays;

        public override TimeSpan? NextDelay(FailedAttempt attempt) => attempt.Number <= delays.Count ? delays[attempt.Number - 1] : null;
    }

    private sealed class Computed(Func<FailedAttempt, TimeSpan?> nextDelay) : ReconnectPolicy
    {
        public override TimeSpan? NextDelay(FailedAttempt attempt) => nextDelay(attempt);
    }
}

/// <summary>A failed attempt, or a connection that was lost, for a <see cref="ReconnectPolicy"/>.</summary>
/// <param name="Server">The server, as logs call it.</param>
/// <param name="Error">What went wrong.</param>
/// <param name="Class">What can be done about it.</param>
/// <param name="Number">How many failures there were since the last stable connection, this one included.</param>
/// <param name="Elapsed">Since the connection was lost, or the first attempt began.</param>
public sealed record FailedAttempt(string Server, Exception Error, FailureClass Class, int Number, TimeSpan Elapsed);
