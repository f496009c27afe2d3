namespace Nightjar;

/// <summary>A time in which there may be a connection.</summary>
/// <param name="Start">Inclusive.</param>
/// <param name="End">Exclusive; the connection ends in order then.</param>
public readonly record struct ConnectionWindow(DateTimeOffset Start, DateTimeOffset End);

/// <summary>
/// Says when there may be a connection. Derive from it, or use <see cref="Daily"/> or <see cref="From"/>. One schedule may serve many clients: it must be thread-safe.
/// </summary>
public abstract class ConnectionSchedule
{
    /// <summary>Up to how much later than its window opens a client connects, so that a fleet does not knock all at once. Default: zero; at most 49 days.</summary>
    public TimeSpan Jitter { get; init; }

    /// <summary>Every day between these times of day, past midnight if <paramref name="end"/> is the earlier one.</summary>
    /// <param name="start">Inclusive.</param>
    /// <param name="end">Exclusive; not the same as <paramref name="start"/>.</param>
    /// <param name="zone">Whose time of day. Default: UTC.</param>
    /// <param name="jitter">See <see cref="Jitter"/>.</param>
    public static ConnectionSchedule Daily(TimeOnly start, TimeOnly end, TimeZoneInfo? zone = null, TimeSpan jitter = default)
    {
        ArgumentOutOfRangeException.ThrowIfEqual(start, end);
        return new EveryDay(start, end, zone ?? TimeZoneInfo.Utc) { Jitter = jitter };
    }

    /// <summary>The result of a function; see <see cref="NextWindow"/>.</summary>
    public static ConnectionSchedule From(Func<DateTimeOffset, ConnectionWindow?> nextWindow, TimeSpan jitter = default)
    {
        ArgumentNullException.ThrowIfNull(nextWindow);
        return new Computed(nextWindow) { Jitter = jitter };
    }

    /// <summary>
    /// The window that holds <paramref name="time"/>, or the first one after it; null: there is none any more. Called from the thread pool when a window is over, never with a
    /// lock held. A window that is over already or ends before it begins, or an exception, counts as none, and is logged.
    /// </summary>
    public abstract ConnectionWindow? NextWindow(DateTimeOffset time);

    private sealed class EveryDay(TimeOnly start, TimeOnly end, TimeZoneInfo zone) : ConnectionSchedule
    {
        public override ConnectionWindow? NextWindow(DateTimeOffset time)
        {
            // The window of the day before may reach past midnight.
            var day = TimeZoneInfo.ConvertTime(time, zone).Date.AddDays(-1);
            while (true)
            {
                var opens = At(day, start);
                var closes = At(end > start ? day : day.AddDays(1), end);
                if (time < closes && opens < closes)
                {
                    return new ConnectionWindow(opens, closes);
                }

                day = day.AddDays(1);
            }
        }

        private DateTimeOffset At(DateTime day, TimeOnly time)
        {
            var local = DateTime.SpecifyKind(day + time.ToTimeSpan(), DateTimeKind.Unspecified);
            if (zone.IsInvalidTime(local))
            {
                // The clocks are put forward over it.
                local = local.AddHours(1);
            }

            return new DateTimeOffset(local, zone.GetUtcOffset(local));
        }
    }

    private sealed class Computed(Func<DateTimeOffset, ConnectionWindow?> nextWindow) : ConnectionSchedule
    {
        public override ConnectionWindow? NextWindow(DateTimeOffset time) => nextWindow(time);
    }
}
