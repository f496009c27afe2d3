namespace Nightjar.Protocol.Engine;

/// <summary>Where the connection is.</summary>
internal enum ConnectionPhase : byte
{
    /// <summary>There is none, and none is on its way.</summary>
    None,

    /// <summary>The host opens a transport.</summary>
    Dialing,

    /// <summary>CONNECT is sent.</summary>
    Handshake,

    /// <summary>CONNACK came.</summary>
    Connected,

    /// <summary>DISCONNECT is in the lane; the transport closes once it is written.</summary>
    Disconnecting,

    /// <summary>The next attempt waits for its time.</summary>
    Waiting,
}

/// <summary>
/// Decides when to connect, when to try again and when to give up. It knows nothing of packets: the engine tells it how attempts and connections end.
/// </summary>
internal sealed class Supervisor(EngineSettings settings, Queue<EngineOutput> outputs)
{
    // For a peer that takes no bytes any more: DISCONNECT is a courtesy and not worth more.
    private const long DisconnectTimeout = 2 * TimeSpan.TicksPerSecond;

    private readonly BackOff _backOff = new(settings);
    private int _attempt;
    private bool _everConnected;
    private bool _closed;
    private bool _stopped;
    private long _phaseDeadline = long.MaxValue;
    private long _firstDeadline = long.MaxValue;
    private long _connectedAt;

    public ConnectionPhase Phase { get; private set; }

    public CloseReason? LastFailure { get; private set; }

    /// <summary>Why the current connection is being closed: the first cause wins.</summary>
    public CloseReason? FirstCause { get; private set; }

    public int Failures => _backOff.Failures;

    public long RetryAt { get; private set; } = long.MaxValue;

    /// <summary>Whether a transport is open or being opened.</summary>
    public bool IsLive => Phase is ConnectionPhase.Dialing or ConnectionPhase.Handshake or ConnectionPhase.Connected or ConnectionPhase.Disconnecting;

    public ClientState State => Phase switch
    {
        _ when _closed => ClientState.Closed,
        ConnectionPhase.Dialing or ConnectionPhase.Handshake => ClientState.Connecting,
        ConnectionPhase.Connected => ClientState.Connected,
        ConnectionPhase.Waiting => ClientState.Waiting,
        _ => _stopped || Phase == ConnectionPhase.Disconnecting ? ClientState.Disconnected : ClientState.Idle,
    };

    public long Deadline => Math.Min(_phaseDeadline, Phase == ConnectionPhase.Waiting ? Math.Min(RetryAt, _firstDeadline) : long.MaxValue);

    public bool IsCurrent(int attempt) => attempt == _attempt && IsLive;

    /// <summary>There should be a connection.</summary>
    public void Connect(long now)
    {
        if (_closed || Phase != ConnectionPhase.None)
        {
            return;
        }

        _stopped = false;
        if (!_everConnected && settings.FirstConnect == FirstConnect.FailFast)
        {
            _firstDeadline = now + settings.ConnectTimeout;
        }

        Dial(now);
    }

    /// <summary>How long the connection has lasted; 0 if there is none.</summary>
    public long ConnectedFor(long now) => Phase is ConnectionPhase.Connected or ConnectionPhase.Disconnecting ? now - _connectedAt : 0;

    /// <summary>The same again, at once: the version was not the right one.</summary>
    public void Retry(long now) => Dial(now);

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

    public void HandleAccepted(long now)
    {
        Phase = ConnectionPhase.Connected;
        _everConnected = true;
        _firstDeadline = long.MaxValue;
        _phaseDeadline = long.MaxValue;
        _connectedAt = now;
        LastFailure = null;
    }

    /// <summary>DISCONNECT goes into the lane. False: the connection is not one that could take it.</summary>
    public bool Disconnecting(CloseReason reason, long now)
    {
        if (Phase != ConnectionPhase.Connected)
        {
            return false;
        }

        Phase = ConnectionPhase.Disconnecting;
        FirstCause = reason;
        _phaseDeadline = now + DisconnectTimeout;
        outputs.Enqueue(new EngineOutput.CloseTransport(_attempt, AfterFlush: true));
        return true;
    }

    /// <summary>The transport of the current attempt is not wanted any more.</summary>
    public void CloseTransport() => outputs.Enqueue(new EngineOutput.CloseTransport(_attempt, AfterFlush: false));

    /// <summary>The attempt or the connection is over. True: that was the last of it.</summary>
    public bool HandleLost(CloseReason reason, bool wasConnected, long now)
    {
        LastFailure = reason;
        FirstCause = null;
        _phaseDeadline = long.MaxValue;
        Phase = ConnectionPhase.None;
        if (wasConnected && reason.Times < ViolationLoop.Threshold)
        {
            _backOff.Lived(now - _connectedAt);
        }

        if (_everConnected ? !settings.Reconnect : IsFinal(reason, now))
        {
            ReportFailure(reason, wasConnected, long.MaxValue);
            return true;
        }

        Phase = ConnectionPhase.Waiting;
        var delay = _backOff.Next(reason.IsTransient && !reason.AsksForDistance);

        // Recycling is our own wish and nobody's failure; where it goes on and on, the server is spared all the same.
        RetryAt = reason.Kind == CloseKind.Recycled && _backOff.Failures == 1 ? now : now + delay;
        ReportFailure(reason, wasConnected, RetryAt);
        return false;
    }

    /// <summary>The end that was asked for has come.</summary>
    public void Rest(CloseReason reason)
    {
        LastFailure = reason.Kind == CloseKind.Requested ? null : reason;
        FirstCause = null;
        _phaseDeadline = RetryAt = long.MaxValue;
        Phase = ConnectionPhase.None;
    }

    /// <summary>Down on request.</summary>
    public void Stop()
    {
        _stopped = true;
        _firstDeadline = RetryAt = long.MaxValue;
        Phase = ConnectionPhase.None;
    }

    /// <summary>Closed for good.</summary>
    public void Close()
    {
        _closed = true;
        _phaseDeadline = _firstDeadline = RetryAt = long.MaxValue;
        Phase = ConnectionPhase.None;
    }

    /// <summary>A reason if the attempt took longer than it may.</summary>
    public CloseReason? ConnectTimedOut(long now) =>
        Phase is ConnectionPhase.Dialing or ConnectionPhase.Handshake && now >= _phaseDeadline
            ? new CloseReason(
                CloseKind.ConnectTimeout,
                $"No connection within {TimeSpan.FromTicks(settings.ConnectTimeout).TotalSeconds:0.###} s (ConnectTimeout).")
            : null;

    /// <summary>Whether the server does not even take our DISCONNECT.</summary>
    public bool DisconnectTimedOut(long now) => Phase == ConnectionPhase.Disconnecting && now >= _phaseDeadline;

    /// <summary>Time passed while waiting. True: the time for the first connection is over.</summary>
    public bool Advance(long now)
    {
        if (Phase != ConnectionPhase.Waiting)
        {
            return false;
        }

        if (now >= _firstDeadline)
        {
            RetryAt = _firstDeadline = long.MaxValue;
            Phase = ConnectionPhase.None;
            return true;
        }

        if (now >= RetryAt)
        {
            Dial(now);
        }

        return false;
    }

    private bool IsFinal(CloseReason reason, long now) => settings.FirstConnect switch
    {
        FirstConnect.SingleAttempt => true,
        FirstConnect.FailFast => !reason.IsTransient || now >= _firstDeadline,
        _ => false,
    };

    private void ReportFailure(CloseReason reason, bool wasConnected, long retryAt)
    {
        if (!wasConnected)
        {
            outputs.Enqueue(new EngineOutput.AttemptFailed(reason, retryAt));
        }
    }

    private void Dial(long now)
    {
        _attempt++;
        Phase = ConnectionPhase.Dialing;
        RetryAt = long.MaxValue;
        FirstCause = null;
        _phaseDeadline = Math.Min(now + settings.ConnectTimeout, _firstDeadline);
        outputs.Enqueue(new EngineOutput.Dial(_attempt));
    }
}
