namespace Nightjar.Protocol.Engine;

/// <summary>
/// Decides when to connect, to whom, when to try again and when to give up. It knows nothing of packets: the engine tells it how attempts and connections end.
/// </summary>
internal sealed partial class Supervisor
{
    // For a peer that takes no bytes any more: DISCONNECT is a courtesy and not worth more.
    private const long DisconnectTimeout = 2 * TimeSpan.TicksPerSecond;

    // Before CONNACK nobody may be listening at all; the server has this long to take the DISCONNECT and close.
    private const long EarlyDisconnectTimeout = TimeSpan.TicksPerSecond / 4;

    private readonly Queue<EngineOutput> _outputs;
    private readonly FailureReports _failures;
    private EngineSettings _settings;
    private Gathering _gathering = new();
    private RetryRule _rule;
    private int _attempt;
    private bool _everConnected;
    private bool _closed;
    private bool _isHeld;
    private bool _wasAsked;
    private bool _goesOn;
    private bool _replays;
    private bool _stopped;
    private bool _waitsFirmly;
    private bool _waitsForWindow;
    private long _phaseDeadline = long.MaxValue;
    private long _firstDeadline = long.MaxValue;
    private long _attemptedAt;
    private long _connectedAt;
    private long? _downSince;

    public Supervisor(EngineSettings settings, Queue<EngineOutput> outputs)
    {
        _outputs = outputs;
        _failures = new FailureReports(outputs);
        _settings = settings;
        Servers = new ServerChoice(settings);
        Windows = new ConnectionWindows(settings, outputs);
        _rule = new RetryRule(settings, Servers, outputs);
        _isHeld = settings.HasStore;
    }

    public ServerChoice Servers { get; private set; }

    public ConnectionWindows Windows { get; private set; }

    public ConnectionPhase Phase { get; private set; }

    /// <summary>The last failure, also after the connection is there again.</summary>
    public CloseReason? LastFailure { get; private set; }

    /// <summary>Why the current connection is being closed: the first cause wins.</summary>
    public CloseReason? FirstCause { get; private set; }

    public int Failures => _rule.Failures;

    /// <summary>Whether the first attempt has begun.</summary>
    public bool HasAttempted => _attempt > 0;

    public long RetryAt { get; private set; } = long.MaxValue;

    /// <summary>Whether a transport is open or being opened, or an attempt prepared.</summary>
    public bool IsLive => Phase is not (ConnectionPhase.None or ConnectionPhase.Waiting);

    public ClientState State => Phase switch
    {
        _ when _closed => ClientState.Closed,
        ConnectionPhase.Preparing or ConnectionPhase.Dialing or ConnectionPhase.Handshake => ClientState.Connecting,
        ConnectionPhase.Connected => ClientState.Connected,
        ConnectionPhase.Waiting => ClientState.Waiting,
        _ => _stopped || Phase == ConnectionPhase.Disconnecting ? ClientState.Disconnected : ClientState.Idle,
    };

    public long Deadline => Math.Min(_phaseDeadline, Phase switch
    {
        ConnectionPhase.Waiting => Math.Min(RetryAt, _firstDeadline),
        ConnectionPhase.None => _gathering.Ends,
        _ => long.MaxValue,
    });

    /// <summary>Whether the first connection may find a session with messages, for which not all subscriptions may be registered yet.</summary>
    public bool MayFindSession => !_everConnected && (_goesOn || Servers.Current.MayHoldSession(_settings.Version));

    /// <summary>While somebody waits for the first connection, no server may use up the time of all.</summary>
    private long AttemptTime => _settings.ConnectTimeout / (_everConnected || _settings.FirstConnect != FirstConnect.FailFast ? 1 : Servers.Count);

    public bool IsCurrent(int attempt) => attempt == _attempt && IsLive;

    /// <summary>There should be a connection, as soon as there may be one.</summary>
    public void Connect(long now)
    {
        if (!_closed && Phase == ConnectionPhase.None)
        {
            _stopped = false;
            Begin(now);
        }
    }

    /// <summary>The session is restored: attempts may begin.</summary>
    /// <param name="goesOn">It is one that a server may have messages for.</param>
    /// <param name="replays">There are messages that an earlier process stored, to be handed on before the first attempt.</param>
    /// <param name="now">The time.</param>
    public void Release(bool goesOn, bool replays, long now)
    {
        _isHeld = false;
        _goesOn = goesOn;
        _replays = replays;
        if (_wasAsked)
        {
            _wasAsked = false;
            Connect(now);
        }
    }

    /// <summary>There should be a connection once no more subscriptions come.</summary>
    public void ConnectSoon(long now) => _gathering.Add(now);

    /// <summary>Somebody asked for a connection by hand: no window is waited for, and with <paramref name="atOnce"/> no delay either.</summary>
    public void ConnectByHand(bool atOnce, long now)
    {
        if (_closed || IsLive)
        {
            return;
        }

        _stopped = false;
        Windows.Override();
        if (Phase == ConnectionPhase.None || atOnce || _waitsForWindow)
        {
            Begin(now);
        }
    }

    /// <summary>The network changed: what failed may work now. It only cuts a wait short, and never makes attempts closer than the shortest delay.</summary>
    public void HandleNetworkChange(long now)
    {
        if (Phase == ConnectionPhase.Waiting && !_waitsFirmly && !_waitsForWindow)
        {
            RetryAt = Math.Min(RetryAt, Math.Max(now, _attemptedAt + _settings.MinimumDelay));
        }
    }

    /// <summary>How long the connection has lasted; 0 if there is none.</summary>
    public long ConnectedFor(long now) => Phase is ConnectionPhase.Connected or ConnectionPhase.Disconnecting ? now - _connectedAt : 0;

    /// <summary>The same again, at once: the version was not the right one, or the server's session had to be emptied.</summary>
    public void Retry(long now) => Dial(Servers.Target, now, continues: true);

    public void HandleAccepted(long now)
    {
        Phase = ConnectionPhase.Connected;
        _rule.HandleAccepted();
        _everConnected = true;
        _downSince = null;
        _firstDeadline = _phaseDeadline = long.MaxValue;
        _connectedAt = now;
    }

    /// <summary>DISCONNECT goes into the lane. False: the connection is not one that could take it.</summary>
    public bool Disconnecting(CloseReason reason, long now)
    {
        if (Phase is not (ConnectionPhase.Connected or ConnectionPhase.Handshake))
        {
            return false;
        }

        _phaseDeadline = now + (Phase == ConnectionPhase.Connected ? DisconnectTimeout : EarlyDisconnectTimeout);
        Phase = ConnectionPhase.Disconnecting;
        FirstCause = reason;
        _outputs.Enqueue(new EngineOutput.CloseTransport(_attempt, AfterFlush: true));
        return true;
    }

    /// <summary>The transport of the current attempt is not wanted any more.</summary>
    public void CloseTransport() => _outputs.Enqueue(new EngineOutput.CloseTransport(_attempt, AfterFlush: false));

    /// <summary>The attempt or the connection is over. True: that was the last of it.</summary>
    public bool HandleLost(CloseReason reason, bool wasConnected, long now)
    {
        EndPhase(wasConnected, now, inCircles: reason.Times >= ViolationLoop.Threshold);
        _downSince ??= wasConnected ? now : _attemptedAt;
        var verdict = _rule.Judge(reason, wasConnected, _everConnected, now >= _firstDeadline);
        LastFailure = verdict.Reason;
        switch (verdict.Step)
        {
            case NextStep.GiveUp:
                GiveUp(verdict.Reason);
                return true;
            case NextStep.Ask:
                WaitUntil(long.MaxValue, firmly: false);
                _failures.Ask(verdict.Reason, Failures, now - _downSince.Value);
                return false;
            default:
                WaitUntil(now + verdict.Delay, firmly: verdict.Step == NextStep.WaitFirmly);
                _failures.Report(verdict.Reason, RetryAt);
                return false;
        }
    }

    /// <summary>The host says how long to wait; null: no more. True: that was the last of it.</summary>
    public bool HandleDelay(int question, long? delay, long now)
    {
        if (Phase != ConnectionPhase.Waiting || !_failures.TryAnswer(question, out var reason))
        {
            return false;
        }

        if (delay is not { } wait)
        {
            GiveUp(reason);
            return true;
        }

        RetryAt = now + wait;
        _failures.Report(reason, RetryAt);
        return false;
    }

    /// <summary>The host says which window is open or opens next.</summary>
    public void HandleWindow(int question, long opens, long closes, long now)
    {
        if (Windows.Answer(question, opens, closes, now) && Phase == ConnectionPhase.Waiting && _waitsForWindow)
        {
            RetryAt = Windows.MayBegin(now);
        }
    }

    /// <summary>The end that was asked for has come.</summary>
    public void Rest(bool wasConnected, long now)
    {
        EndPhase(wasConnected, now);
        RetryAt = long.MaxValue;
        if (wasConnected)
        {
            Servers.DropReference();
        }
    }

    /// <summary>Down on request.</summary>
    public void Stop()
    {
        _stopped = true;
        Settle();
    }

    /// <summary>Closed for good.</summary>
    public void Close()
    {
        _closed = true;
        Settle();
    }

    /// <summary>Other settings from the next attempt on, which finds nothing of what the old ones led to.</summary>
    public void Update(EngineSettings settings)
    {
        _settings = settings;
        Servers = new ServerChoice(settings);
        Windows = new ConnectionWindows(settings, _outputs, Windows.Question);
        _rule = new RetryRule(settings, Servers, _outputs);
        Settle();
    }

    /// <summary>A reason if the attempt took longer than it may.</summary>
    public CloseReason? ConnectTimedOut(long now) =>
        Phase is ConnectionPhase.Preparing or ConnectionPhase.Dialing or ConnectionPhase.Handshake && now >= _phaseDeadline
            ? new CloseReason(
                CloseKind.ConnectTimeout,
                $"No connection within {TimeSpan.FromTicks(AttemptTime).TotalSeconds:0.###} s (ConnectTimeout{(AttemptTime < _settings.ConnectTimeout ? ", this server's share" : "")}).")
            : null;

    /// <summary>Whether the server does not even take our DISCONNECT.</summary>
    public bool DisconnectTimedOut(long now) => Phase == ConnectionPhase.Disconnecting && now >= _phaseDeadline;

    /// <summary>Time passed while waiting. True: the time for the first connection is over.</summary>
    public bool Advance(long now)
    {
        if (Phase == ConnectionPhase.None && now >= _gathering.Ends)
        {
            Connect(now);
        }

        if (Phase != ConnectionPhase.Waiting)
        {
            return false;
        }

        if (now >= _firstDeadline)
        {
            Settle();
            return true;
        }

        if (now >= RetryAt)
        {
            Begin(now);
        }

        return false;
    }

    private void Settle()
    {
        _phaseDeadline = _firstDeadline = RetryAt = long.MaxValue;
        _gathering = new Gathering();
        _failures.ReportUnanswered(long.MaxValue);
        _waitsForWindow = _waitsFirmly = false;
        Windows.EndOverride();
        _wasAsked = false;
        Phase = ConnectionPhase.None;
    }

    private void GiveUp(CloseReason reason)
    {
        // One that was connected stays down until somebody asks; the next publish alone is no reason to fight for a session, say, that another client has taken.
        _stopped = _everConnected;
        _rule.HandleGivenUp();
        Settle();
        _failures.Report(reason, long.MaxValue, givesUp: true);
    }

    private void EndPhase(bool wasConnected, long now, bool inCircles = false)
    {
        FirstCause = null;
        _phaseDeadline = long.MaxValue;
        Phase = ConnectionPhase.None;
        if (wasConnected)
        {
            Windows.EndOverride();
            _rule.Lived(inCircles ? -1 : now - _connectedAt);
        }
    }

    private void WaitUntil(long time, bool firmly)
    {
        Phase = ConnectionPhase.Waiting;
        RetryAt = time;
        _waitsFirmly = firmly;
        _waitsForWindow = false;
    }
}
