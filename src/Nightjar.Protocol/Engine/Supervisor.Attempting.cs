namespace Nightjar.Protocol.Engine;

// One attempt to connect after the other.
internal sealed partial class Supervisor
{
    /// <summary>The host prepared the attempt, for another server perhaps; from here its time counts. False: it is over.</summary>
    public bool HandlePrepared(int attempt, ServerSettings target, long now)
    {
        if (attempt != _attempt || Phase != ConnectionPhase.Preparing)
        {
            return false;
        }

        Servers.Target = target;
        Phase = ConnectionPhase.Dialing;
        _phaseDeadline = AttemptDeadline(now);
        return true;
    }

    /// <summary>False: that attempt is over, nobody waits for its transport.</summary>
    public bool HandleDialed(int attempt)
    {
        if (attempt != _attempt || Phase != ConnectionPhase.Dialing)
        {
            return false;
        }

        Phase = ConnectionPhase.Handshake;
        return true;
    }

    /// <summary>The next attempt, now or as soon as a window is open.</summary>
    private void Begin(long now)
    {
        _gathering = new Gathering();
        if (_isHeld)
        {
            _wasAsked = true;
            return;
        }

        var at = Windows.MayBegin(now);
        if (at > now)
        {
            WaitUntil(at, firmly: false);
            _waitsForWindow = true;
            return;
        }

        if (!_everConnected && _settings.FirstConnect == FirstConnect.FailFast && _firstDeadline == long.MaxValue)
        {
            _firstDeadline = now + _settings.ConnectTimeout;
        }

        Dial(Servers.Current, now, continues: false);
    }

    private void Dial(ServerSettings target, long now, bool continues)
    {
        _failures.ReportUnanswered(now);
        if (_replays)
        {
            _replays = false;
            _outputs.Enqueue(new EngineOutput.Replay());
        }

        _attempt++;
        Servers.Target = target;
        _attemptedAt = now;
        _waitsForWindow = false;
        RetryAt = long.MaxValue;
        FirstCause = null;
        var prepares = _settings.Connection.PreparesAttempts && !continues;
        Phase = prepares ? ConnectionPhase.Preparing : ConnectionPhase.Dialing;
        _phaseDeadline = prepares ? _firstDeadline : AttemptDeadline(now);
        _outputs.Enqueue(new EngineOutput.Dial(_attempt, target)
        {
            LastFailure = _everConnected || Failures > 0 ? LastFailure : null,
            Number = Failures + 1,
            RenewCredentials = _rule.RenewsCredentials,
            Continues = continues,
        });
    }

    private long AttemptDeadline(long now) => Math.Min(now + AttemptTime, _firstDeadline);
}
