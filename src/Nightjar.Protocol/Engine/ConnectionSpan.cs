namespace Nightjar.Protocol.Engine;

/// <summary>What a healthy connection ends for.</summary>
internal enum SpanEnd : byte
{
    /// <summary>Nothing; it goes on.</summary>
    None,

    /// <summary>It is as old as it may become: another one follows at once.</summary>
    Age,

    /// <summary>The preferred server may work again.</summary>
    FailBack,

    /// <summary>Nothing was said for long enough.</summary>
    Idle,

    /// <summary>Its window closes.</summary>
    Window,
}

/// <summary>For how long a healthy connection goes on.</summary>
internal struct ConnectionSpan(EngineSettings settings, bool preferred, long windowCloses, long now)
{
    // Clients that connected together, to a server that came back say, are not to connect together again: up to a tenth is taken off.
    private const double AgeJitter = 0.1;

    private readonly long _age = After(now, Age(settings));
    private readonly long _failBack = preferred ? long.MaxValue : After(now, settings.Retry.FailBackAfter);
    private readonly long _idleTimeout = settings.Connection.IdleTimeout;
    private long _lastMessage = now;
    private long _dataWritten;

    public readonly long Deadline => Math.Min(Math.Min(_age, _failBack), Math.Min(After(_lastMessage, _idleTimeout), windowCloses));

    /// <summary>Something that counts as use came in.</summary>
    public void Received(long now) => _lastMessage = now;

    /// <summary>Output was written; pings and acknowledgements are in another lane and do not count.</summary>
    public void Written(long dataPosition, long now)
    {
        if (dataPosition != _dataWritten)
        {
            _dataWritten = dataPosition;
            _lastMessage = now;
        }
    }

    /// <summary>Whether its time is over.</summary>
    /// <param name="busy">Something is on its way, or in a handler's hands: that is no idleness.</param>
    /// <param name="now">The time.</param>
    public SpanEnd Check(bool busy, long now)
    {
        if (now >= windowCloses)
        {
            return SpanEnd.Window;
        }

        if (now >= _age)
        {
            return SpanEnd.Age;
        }

        if (now >= _failBack)
        {
            return SpanEnd.FailBack;
        }

        if (now < After(_lastMessage, _idleTimeout))
        {
            return SpanEnd.None;
        }

        if (!busy)
        {
            return SpanEnd.Idle;
        }

        _lastMessage = now;
        return SpanEnd.None;
    }

    private static long Age(EngineSettings settings) =>
        settings.Connection.MaximumAge is var age && age == long.MaxValue ? age : age - (long)(age * AgeJitter * settings.Random());

    private static long After(long start, long duration) => duration > long.MaxValue - start ? long.MaxValue : start + duration;
}
