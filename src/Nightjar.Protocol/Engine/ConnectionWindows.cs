namespace Nightjar.Protocol.Engine;

/// <summary>
/// The windows in which a connection is allowed, if the application gave a schedule. The host knows them; it is asked for one at a time. A connection that was asked for by hand
/// does not wait for one.
/// </summary>
internal sealed class ConnectionWindows(EngineSettings settings, Queue<EngineOutput> outputs, int lastQuestion = 0)
{
    private long _opens = long.MaxValue;
    private long _closes = long.MinValue;
    private bool _asked;
    private bool _byHand;

    /// <summary>When the window that is open now closes; <see cref="long.MaxValue"/> if nothing ends with it.</summary>
    public long Closes => settings.Connection.HasSchedule && !_byHand ? _closes : long.MaxValue;

    /// <summary>The number of the last question. Whoever takes this one's place goes on from it, so that an answer of the schedule before does not count.</summary>
    public int Question { get; private set; } = lastQuestion;

    /// <summary>A connection is wanted now, whatever the schedule says.</summary>
    public void Override() => _byHand = true;

    /// <summary>The connection that was asked for by hand is over.</summary>
    public void EndOverride() => _byHand = false;

    /// <summary>When an attempt may begin: <paramref name="now"/>, later, or <see cref="long.MaxValue"/> while nobody knows.</summary>
    public long MayBegin(long now)
    {
        if (!settings.Connection.HasSchedule || _byHand)
        {
            return now;
        }

        if (now < _closes)
        {
            return Math.Max(now, _opens);
        }

        if (!_asked)
        {
            _asked = true;
            outputs.Enqueue(new EngineOutput.AskWindow(++Question));
        }

        return long.MaxValue;
    }

    /// <summary>The host answers; false: not what was asked last. A window that is over already is none, lest the question be asked for ever.</summary>
    public bool Answer(int question, long opens, long closes, long now)
    {
        if (question != Question || !_asked)
        {
            return false;
        }

        _asked = false;
        if (closes <= now)
        {
            (_opens, _closes) = (long.MaxValue, long.MaxValue);
            return true;
        }

        // A fleet that shares a schedule does not knock all at once.
        var jitter = opens > now ? Math.Min(settings.Connection.ScheduleJitter, closes - opens) : 0;
        (_opens, _closes) = (opens + (long)(jitter * settings.Random()), closes);
        return true;
    }
}
