using System.Diagnostics;

namespace Nightjar.Bench.Peer;

/// <summary>How long a run goes on: for so many messages, or, if that is 0, until a time is over.</summary>
public readonly struct Quota
{
    private readonly long _deadline;

    /// <summary>One of the two is zero; time counts from now.</summary>
    public Quota(long messages, TimeSpan time)
    {
        Messages = messages;
        Time = time;
        _deadline = Stopwatch.GetTimestamp() + (long)(time.TotalSeconds * Stopwatch.Frequency);
    }

    /// <summary>So many messages; 0 if the time decides.</summary>
    public long Messages { get; }

    /// <summary>So long.</summary>
    public TimeSpan Time { get; }

    /// <summary>So many messages.</summary>
    public static Quota Of(long messages) => new(messages, TimeSpan.Zero);

    /// <summary>So long, from now.</summary>
    public static Quota For(TimeSpan time) => new(0, time);

    /// <summary>How many of the next <paramref name="wanted"/> messages to send, and whether they are the last. Reads the clock, so ask for many at a time.</summary>
    public int Next(long sent, int wanted, out bool last)
    {
        if (Messages > 0)
        {
            last = Messages - sent <= wanted;
            return (int)Math.Min(wanted, Messages - sent);
        }

        last = Stopwatch.GetTimestamp() >= _deadline;
        return wanted;
    }
}
