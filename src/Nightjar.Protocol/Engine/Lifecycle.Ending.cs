using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Engine;

// What the application, or a healthy connection's own limits, ask for: a connection, its end, other settings.
internal sealed partial class Lifecycle
{
    private Ending? _ending;
    private EngineSettings? _update;
    private bool _failsBack;

    /// <summary>There should be a connection; one that is being ended comes back after its end.</summary>
    /// <param name="byHand">Somebody asked for it now, and waits for no window.</param>
    /// <param name="atOnce">Nor for the delay after a failure.</param>
    /// <param name="now">The time.</param>
    public void Connect(bool byHand, bool atOnce, long now)
    {
        if (_ending is { Final: false })
        {
            _ending.ConnectAfter = true;
            _ending.ByHand |= byHand;
        }
        else if (byHand)
        {
            _supervisor.ConnectByHand(atOnce, now);
        }
        else
        {
            _supervisor.Connect(now);
        }
    }

    /// <summary>Something is to be sent; a client that rests, or never connected, does so now.</summary>
    public void ConnectOnFirstUse(long now)
    {
        if (_ending is { Kind: EndingKind.Rest } resting)
        {
            resting.ConnectAfter = true;
        }
        else if (_supervisor.State == ClientState.Idle && _ending is null)
        {
            _supervisor.Connect(now);
        }
    }

    /// <summary>
    /// A subscription was made. Where the server may hold messages for others that are registered in a moment, those are waited for: a message that finds nobody is acknowledged
    /// all the same.
    /// </summary>
    public void ConnectForSubscription(long now)
    {
        if (_supervisor.State == ClientState.Idle && _ending is null && _supervisor.MayFindSession)
        {
            _supervisor.ConnectSoon(now);
        }
        else
        {
            ConnectOnFirstUse(now);
        }
    }

    /// <summary>
    /// DISCONNECT after what was published before, for as long as the drain timeout allows, then stay down; with <paramref name="final"/> for good.
    /// </summary>
    public void End(DisconnectPacket packet, bool final, long now)
    {
        var kind = final ? EndingKind.Close : EndingKind.Stop;
        if (_ending is { } earlier && (earlier.Sent || !earlier.IsOwn))
        {
            earlier.Kind = earlier.Final ? EndingKind.Close : kind;
            earlier.ConnectAfter = earlier.ByHand = false;
            return;
        }

        _ending = new Ending(kind, packet, new CloseReason(CloseKind.Requested, "Disconnected on request."), now + _settings.DrainTimeout);
        ContinueEnding(now);
    }

    /// <summary>No drain, no DISCONNECT, closed for good.</summary>
    public void Abort(long now)
    {
        _ending = new Ending(EndingKind.Close, new DisconnectPacket(), new CloseReason(CloseKind.Requested, "The client was aborted."), now) { Sent = true };
        if (_supervisor.IsLive)
        {
            EndAbruptly(_ending.Reason, now);
        }

        Finish(now);
    }

    /// <summary>Other settings: the connection in use ends in order, the next one is made with them. A client that is down stays down.</summary>
    public void Update(EngineSettings settings, long now)
    {
        if (_ending is { Final: true })
        {
            return;
        }

        _update = settings;
        var reason = new CloseReason(CloseKind.Renewed, "The options were changed.");
        if (IsConnected && _ending is null or { IsOwn: true, Sent: false })
        {
            EndOwn(EndingKind.Renew, reason, now);
        }
        else if (_supervisor.Phase == ConnectionPhase.Handshake)
        {
            EndHandshake(reason, now);
        }
        else if (_supervisor.Phase is ConnectionPhase.Preparing or ConnectionPhase.Dialing)
        {
            EndAbruptly(reason, now);
        }
        else if (!_supervisor.IsLive)
        {
            var wanted = _supervisor.Phase == ConnectionPhase.Waiting;
            ApplyUpdate();
            if (wanted)
            {
                _supervisor.Connect(now);
            }
        }
    }

    /// <summary>Goes on with an end that was asked for: once everything is through, or the time for that is over.</summary>
    public void ContinueEnding(long now)
    {
        if (_ending is not { Sent: false } ending)
        {
            return;
        }

        var mayDrain = IsConnected || (ending.Final && _supervisor.State is ClientState.Connecting or ClientState.Waiting);
        if (mayDrain && !_outbound.IsDrained && now < ending.Deadline)
        {
            return;
        }

        ending.Sent = true;
        if (IsConnected)
        {
            _supervisor.Disconnecting(ending.Reason, now);
            _outbound.WriteLast(ending.LastWord(_handshake.Target, _outbound), Accepted!.Version);
        }
        else if (_supervisor.Phase == ConnectionPhase.Handshake)
        {
            EndHandshake(new CloseReason(CloseKind.Requested, "Disconnected on request, before the connection was made."), now);
        }
        else if (_supervisor.IsLive && _supervisor.Phase != ConnectionPhase.Disconnecting)
        {
            EndAbruptly(new CloseReason(CloseKind.Requested, "Disconnected on request, before the connection was made."), now);
        }
        else if (!_supervisor.IsLive)
        {
            Finish(now);
        }
    }

    /// <summary>
    /// The server may have accepted already, and would take silence for death: the will. A client need not wait for CONNACK [MQTT5-3.1.4-5, MQTT311-3.1.4-5].
    /// </summary>
    private void EndHandshake(CloseReason reason, long now)
    {
        _supervisor.Disconnecting(reason, now);
        _outbound.WriteLast(new DisconnectPacket(), _handshake.Version);
    }

    /// <summary>Ends a healthy connection whose time is over.</summary>
    private void CheckSpan(long now)
    {
        if (!IsConnected || _ending is not null)
        {
            return;
        }

        switch (_span.Check(busy: !_outbound.IsDrained || _outbound.AwaitsAnswers || _ledger.Waiting > 0 || _requests.Count > 0, now))
        {
            case SpanEnd.Age:
                EndOwn(EndingKind.Renew, new CloseReason(CloseKind.Renewed, "The connection reached its maximum age."), now);
                break;
            case SpanEnd.FailBack:
                _failsBack = true;
                EndOwn(EndingKind.Renew, new CloseReason(CloseKind.Renewed, "Back to the preferred server."), now);
                break;
            case SpanEnd.Idle:
                EndOwn(EndingKind.Rest, new CloseReason(CloseKind.Renewed, "The connection was idle."), now);
                break;
            case SpanEnd.Window:
                EndOwn(EndingKind.Renew, new CloseReason(CloseKind.Renewed, "The connection window is over."), now);
                break;
        }
    }

    private void EndOwn(EndingKind kind, CloseReason reason, long now)
    {
        _ending = new Ending(kind, new DisconnectPacket(), reason, now + _settings.DrainTimeout);
        ContinueEnding(now);
    }

    /// <summary>The connection, or the attempt, is over. Whether that is the end that was asked for, or one after which the supervisor has nothing to judge.</summary>
    private bool EndsHere(CloseReason reason, bool wasConnected, long now)
    {
        if (_ending is { IsOwn: true, Sent: false })
        {
            // It failed before it could be ended; that is judged like any failure.
            _ending = null;
            _failsBack = false;
        }

        if (_ending is { Sent: true } or { Final: false })
        {
            _supervisor.Rest(wasConnected, now);
            Finish(now);
            return true;
        }

        if (_update is null)
        {
            return false;
        }

        _supervisor.Rest(wasConnected, now);
        if (!wasConnected)
        {
            _outputs.Enqueue(new EngineOutput.AttemptFailed(reason, now));
        }

        ApplyUpdate();
        if (_ending is null)
        {
            _supervisor.Connect(now);
        }

        ContinueEnding(now);
        return true;
    }

    private void ApplyUpdate()
    {
        if (_update is { } settings)
        {
            _update = null;
            _settings = settings;
            _failsBack = false;
            _loop = new ViolationLoop(settings, _outputs);
            _supervisor.Update(settings);
            _handshake.Update(settings);
            _outputs.Enqueue(new EngineOutput.Updated(settings));
        }
    }

    private void Finish(long now)
    {
        var ending = _ending!;
        if (ending.Final)
        {
            if (_supervisor.State == ClientState.Closed)
            {
                return;
            }

            _supervisor.Close();
            var closed = new CloseReason(CloseKind.Requested, "The client was closed.");
            _outbound.FailWaiting(closed, everything: true);
            _subscriptions.FailWaiting(closed);
            _requests.FailAll(closed);
            _outputs.Enqueue(new EngineOutput.Closed());
            return;
        }

        _ending = null;
        if (_failsBack)
        {
            _failsBack = false;
            _supervisor.Servers.FailBack();
        }

        ApplyUpdate();
        if (ending.Kind == EndingKind.Stop)
        {
            _supervisor.Stop();
            _outputs.Enqueue(new EngineOutput.Stopped());
        }

        if (ending.ByHand)
        {
            _supervisor.ConnectByHand(atOnce: false, now);
        }
        else if (ending.ConnectAfter || ending.Kind == EndingKind.Renew)
        {
            _supervisor.Connect(now);
        }
    }
}
