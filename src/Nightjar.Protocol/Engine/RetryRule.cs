namespace Nightjar.Protocol.Engine;

/// <summary>What follows from a failure.</summary>
internal enum NextStep : byte
{
    /// <summary>Another attempt after the delay.</summary>
    Wait,

    /// <summary>Another attempt after the delay; nothing but a command shortens it.</summary>
    WaitFirmly,

    /// <summary>The host says how long to wait.</summary>
    Ask,

    /// <summary>No more.</summary>
    GiveUp,
}

/// <summary>A failure, with what was found out about it, and what follows.</summary>
internal readonly record struct Verdict(NextStep Step, long Delay, CloseReason Reason);

/// <summary>Judges failures: whether trying again makes sense, when, and with which server.</summary>
internal sealed class RetryRule(EngineSettings settings, ServerChoice servers, Queue<EngineOutput> outputs)
{
    private readonly BackOff _backOff = new(settings);
    private int _hopeless;
    private int _spentServers;

    /// <summary>Failures since the last stable connection.</summary>
    public int Failures => _backOff.Failures;

    /// <summary>The server refused the credentials, and the next attempt is to bring others; once, until a connection is made.</summary>
    public bool RenewsCredentials { get; private set; }

    /// <summary>A connection was made.</summary>
    public void HandleAccepted()
    {
        RenewsCredentials = false;
        _hopeless = 0;
        servers.HandleAccepted();
    }

    /// <summary>A connection ended after this long.</summary>
    public void Lived(long duration)
    {
        _backOff.Lived(duration);
        if (duration >= settings.StableAfter)
        {
            _spentServers = 0;
            servers.HandleStable();
        }
    }

    /// <summary>There is no other attempt unless somebody asks; then delays begin anew, lest a list that is used up leave none.</summary>
    public void HandleGivenUp()
    {
        _spentServers = 0;
        _backOff.StartOver();
    }

    /// <summary>An attempt, or a connection, failed.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="wasConnected">It was a connection.</param>
    /// <param name="everConnected">There was one before, or it was one.</param>
    /// <param name="firstIsOver">The time for the first connection is over.</param>
    public Verdict Judge(CloseReason reason, bool wasConnected, bool everConnected, bool firstIsOver)
    {
        if (!wasConnected && servers.ReturnFromFailBack())
        {
            return new Verdict(NextStep.Wait, 0, reason);
        }

        if (everConnected && !settings.Reconnect)
        {
            return new Verdict(NextStep.GiveUp, 0, reason);
        }

        if (reason.Class == FailureClass.Moved)
        {
            if (servers.Follow(reason, out var refusal))
            {
                outputs.Enqueue(new EngineOutput.Redirected(reason, servers.Current.Name));
                return new Verdict(NextStep.Wait, 0, reason);
            }

            reason = reason with { Message = $"{reason.Message} {refusal}" };
        }

        var wasReferred = servers.DropReference();
        if (reason.Class == FailureClass.TakenOver)
        {
            return settings.Retry.Takeover == Takeover.GiveUp
                ? new Verdict(NextStep.GiveUp, 0, reason)
                : new Verdict(NextStep.WaitFirmly, _backOff.NextAfterTakeover(), reason);
        }

        var renews = reason.Class == FailureClass.CredentialsRejected && settings.Connection.RenewsCredentials && !RenewsCredentials;
        RenewsCredentials |= renews;
        var isTransient = reason.IsTransient || renews;
        _hopeless = isTransient ? 0 : _hopeless + 1;
        if (IsFinal(everConnected, firstIsOver))
        {
            return new Verdict(NextStep.GiveUp, 0, reason);
        }

        if (settings.Retry.AsksForDelay)
        {
            _backOff.Count();
            MoveOn(unless: wasReferred);
            return new Verdict(NextStep.Ask, 0, reason);
        }

        return Delay(reason, isTransient, wasReferred, everConnected);
    }

    private Verdict Delay(CloseReason reason, bool isTransient, bool wasReferred, bool everConnected)
    {
        // One server that is hopeless leaves the others; the longest delay is for when all are.
        var another = !isTransient && _hopeless < servers.Count;
        var delay = _backOff.Next((isTransient && !reason.AsksForDistance) || another);
        if (settings.Retry.Delays is { } delays && _backOff.IsSpent)
        {
            // The list is used up here; where there is another server, it begins again there, once round.
            if (++_spentServers >= servers.Count || delays.Count == 0)
            {
                return new Verdict(NextStep.GiveUp, 0, reason);
            }

            MoveOn(unless: false);
            delay = _backOff.Next(transient: true);
        }
        else if (another || _backOff.IsSpent || reason.Class == FailureClass.Moved)
        {
            MoveOn(unless: wasReferred);
        }
        else if (!everConnected && settings.FirstConnect == FirstConnect.FailFast && !wasReferred)
        {
            // Somebody waits, and no server holds anything of ours yet: each gets its chance before any gets a second one.
            servers.MoveOn();
        }

        // Recycling is our own wish and nobody's failure; where it goes on and on, the server is spared all the same.
        return new Verdict(NextStep.Wait, reason.Kind == CloseKind.Recycled && _backOff.Failures == 1 ? 0 : delay, reason);
    }

    private void MoveOn(bool unless)
    {
        if (!unless && servers.Count > 1)
        {
            servers.MoveOn();
            _backOff.StartOver();
        }
    }

    private bool IsFinal(bool everConnected, bool firstIsOver)
    {
        var allHopeless = _hopeless >= servers.Count;
        return settings.FirstConnect switch
        {
            FirstConnect.SingleAttempt when !everConnected => true,
            FirstConnect.FailFast when !everConnected => allHopeless || firstIsOver,
            _ => allHopeless && settings.Retry.PermanentFailures == PermanentFailures.GiveUp,
        };
    }
}
