using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Engine;

/// <summary>
/// How connections begin and end: dialled, accepted, watched, lost, ended on request. What a connection carried is put back when it is over; the
/// <see cref="Supervisor"/> decides what comes next.
/// </summary>
internal sealed class Lifecycle
{
    private readonly EngineSettings _settings;
    private readonly Supervisor _supervisor;
    private readonly Handshake _handshake;
    private readonly Outbound _outbound;
    private readonly AcknowledgementLedger _ledger;
    private readonly HandlerWatch _watch;
    private readonly WantedSubscriptions _subscriptions;
    private readonly Reception _reception;
    private readonly EngineCounters _counters;
    private readonly Queue<EngineOutput> _outputs;
    private readonly ViolationLoop _loop;
    private LinkWatch? _link;
    private bool _heardAnything;
    private Ending? _ending;

    public Lifecycle(
        EngineSettings settings,
        Outbound outbound,
        AcknowledgementLedger ledger,
        HandlerWatch watch,
        WantedSubscriptions subscriptions,
        Reception reception,
        EngineCounters counters,
        Queue<EngineOutput> outputs)
    {
        _settings = settings;
        _supervisor = new Supervisor(settings, outputs);
        _handshake = new Handshake(settings);
        _loop = new ViolationLoop(settings, outputs);
        _outbound = outbound;
        _ledger = ledger;
        _watch = watch;
        _subscriptions = subscriptions;
        _reception = reception;
        _counters = counters;
        _outputs = outputs;
    }

    /// <summary>The inbound half of the current connection.</summary>
    public Inbound? Inbound { get; private set; }

    /// <summary>What was agreed with the server; null while not connected.</summary>
    public Accepted? Accepted { get; private set; }

    public Supervisor Supervisor => _supervisor;

    public string ClientId => _handshake.ClientId;

    /// <summary>The version in use, or to be tried next.</summary>
    public MqttVersion Version => Accepted?.Version ?? _handshake.Version;

    /// <summary>How far the host's dialling has come, for messages.</summary>
    public int DialStage { get; set; }

    public bool IsConnected => Accepted is not null && _supervisor.Phase == ConnectionPhase.Connected;

    /// <summary>When <see cref="Advance"/> must be called next.</summary>
    public long Deadline
    {
        get
        {
            var deadline = _supervisor.Deadline;
            if (Accepted is not null)
            {
                deadline = Math.Min(deadline, _link!.Deadline);
            }

            return _ending is { Sent: false } ? Math.Min(deadline, _ending.Deadline) : deadline;
        }
    }

    /// <summary>There should be a connection; one that is being ended comes back after its end.</summary>
    public void Connect(long now)
    {
        if (_ending is { Final: false })
        {
            _ending.ConnectAfter = true;
            return;
        }

        _supervisor.Connect(now);
    }

    /// <summary>Something is to be sent; a client that never connected does so now.</summary>
    public void ConnectOnFirstUse(long now)
    {
        if (_supervisor.State == ClientState.Idle && _ending is null)
        {
            _supervisor.Connect(now);
        }
    }

    /// <summary>
    /// DISCONNECT after what was published before, for as long as the drain timeout allows, then stay down; with <paramref name="final"/> for good.
    /// </summary>
    public void End(DisconnectPacket packet, bool final, long now)
    {
        if (_ending is { } earlier)
        {
            earlier.Final |= final;
            earlier.ConnectAfter = false;
            return;
        }

        _ending = new Ending(packet, now + _settings.DrainTimeout) { Final = final };
        ContinueEnding(now);
    }

    /// <summary>No drain, no DISCONNECT, closed for good.</summary>
    public void Abort(long now)
    {
        _ending = new Ending(new DisconnectPacket(), now) { Final = true, Sent = true };
        if (_supervisor.IsLive)
        {
            EndAbruptly(new CloseReason(CloseKind.Requested, "The client was aborted."), now);
        }

        Finish(now);
    }

    /// <summary>The transport is open: CONNECT goes out.</summary>
    public void HandleDialed(int attempt)
    {
        if (!_supervisor.HandleDialed(attempt))
        {
            _outputs.Enqueue(new EngineOutput.CloseTransport(attempt, AfterFlush: false));
            return;
        }

        _heardAnything = false;
        Inbound = new Inbound(_handshake.Version, (int)(_settings.AnnouncedPacketSize ?? int.MaxValue), _settings.TopicAliasMaximum, _settings.MaximumPacketSize);
        _outbound.WriteControl(_handshake.Request(), _handshake.Version);
    }

    /// <summary>The transport could not be opened, or ended: the peer closed it, it failed, or it was closed as asked.</summary>
    public void HandleLost(int attempt, CloseReason reason, long now)
    {
        if (_supervisor.IsCurrent(attempt))
        {
            Lost(reason, now);
        }
    }

    /// <summary>Bytes came in.</summary>
    public void HandleBytes(long now)
    {
        _heardAnything = true;
        _link?.Received(now);
    }

    /// <summary>The host does not read at the moment, so silence means nothing.</summary>
    public void HandlePaused(long now) => _link?.Received(now);

    /// <summary>The host took output for writing.</summary>
    public void HandleTaken() => _link?.Taken(_outbound);

    /// <summary>What it took is written.</summary>
    public void HandleWritten(long now)
    {
        _link?.Written(now);
        ContinueEnding(now);
    }

    /// <summary>Time passed.</summary>
    public void Advance(long now)
    {
        ContinueEnding(now);
        if (_supervisor.ConnectTimedOut(now) is { } timeout)
        {
            EndAbruptly(timeout with { DialStage = DialStage }, now);
        }
        else if (_supervisor.DisconnectTimedOut(now))
        {
            EndAbruptly(new CloseReason(CloseKind.Requested, "The server took no DISCONNECT in time."), now);
        }

        if (IsConnected)
        {
            CheckKeepAlive(now);
        }

        if (_supervisor.Advance(now))
        {
            GiveUp(now);
        }
    }

    /// <summary>CONNACK came: the connection begins, or is refused.</summary>
    public void HandleConnAck(ConnAckPacket packet, long now)
    {
        if (Accepted is not null)
        {
            Violate(new ProtocolViolation(ReasonCode.ProtocolError, "MQTT5-3.2.0-2", "The server sent a second CONNACK."), now);
            return;
        }

        if (_handshake.Handle(packet, out var accepted) is { } reason)
        {
            EndAbruptly(reason, now);
            return;
        }

        Accepted = accepted!;
        if (_counters.Connections++ > 0)
        {
            _counters.Reconnects[(int)_counters.LastEnd]++;
        }

        _counters.SessionsResumed += accepted!.SessionPresent ? 1 : 0;
        _link = new LinkWatch(accepted!.KeepAlive, now);
        _supervisor.HandleAccepted(now);
        _outputs.Enqueue(new EngineOutput.Connected(accepted));

        // The order on the wire: what is sent again, subscriptions (so that no answer to what follows is missed), what waits.
        // Only 5.0 tells the server our Receive Maximum; before it there are as many messages as identifiers.
        var isMqtt5 = accepted.Version == MqttVersion.Mqtt5;
        _ledger.Start(accepted.SessionPresent, isMqtt5 ? _settings.ReceiveMaximum : ushort.MaxValue, hasReasons: isMqtt5);
        _watch.Start(isMqtt5 ? accepted.Limits.ReceiveMaximum : null, now);
        _outbound.Open(accepted.Version, accepted.Limits, accepted.SessionPresent, accepted.SessionIsCertain);
        _subscriptions.Open(accepted.SessionPresent, accepted.SessionIsCertain);
        PumpSubscriptions();
        _outbound.Pump();
    }

    /// <summary>When keep-alive sends its next PINGREQ if nothing else happens; <see cref="long.MaxValue"/> if never.</summary>
    public long PingDue => IsConnected ? _link!.PingDue : long.MaxValue;

    /// <summary>Somebody wants to know the round trip. False: there is no connection.</summary>
    public bool Ping(object waiter, long now)
    {
        if (!IsConnected)
        {
            return false;
        }

        _link!.Ping(waiter, _outbound, Accepted!.Version, now);
        return true;
    }

    /// <summary>PINGRESP came.</summary>
    public void HandlePingResp(long now)
    {
        if (_link!.Answered() is { } ping)
        {
            _counters.LastRoundTrip = now - ping.Since;
            _outputs.Enqueue(new EngineOutput.PingAnswered(_counters.LastRoundTrip, ping.Waiters));
        }
    }

    /// <summary>The server ends the connection, and says why.</summary>
    public void HandleDisconnect(DisconnectPacket packet, long now)
    {
        if (packet.ReasonCode is ReasonCode.MessageRateTooHigh or ReasonCode.QuotaExceeded)
        {
            _outbound.Pace.SlowDown(now);
        }

        EndAbruptly(ToReason(packet), now);
    }

    private static CloseReason ToReason(DisconnectPacket packet) =>
        new CloseReason(
            CloseKind.ServerDisconnected,
            $"The server closed the connection: {packet.ReasonCode} (0x{(byte)packet.ReasonCode:X2}){(packet.ReasonString is { } text ? $", \"{text}\"" : "")}.")
        {
            ReasonCode = packet.ReasonCode,
            ReasonString = packet.ReasonString,
            ServerReference = packet.ServerReference,
            UserProperties = packet.UserProperties,
            IsTransient = !packet.ReasonCode.IsFailure() || CloseReason.IsTransientRefusal(packet.ReasonCode),
        };

    /// <summary>Asks for what is wanted and missing, and gives up what is not wanted.</summary>
    public void PumpSubscriptions()
    {
        if (IsConnected && _ending is not { Sent: true })
        {
            _subscriptions.Pump(_outbound, Accepted!.Limits, Accepted.Version);
            _reception.DropDenied();
        }
    }

    /// <summary>The server broke a rule: it is told, where the version allows it, and the connection ends.</summary>
    public void Violate(in ProtocolViolation violation, long now)
    {
        var reason = CloseReason.From(violation);
        if (Accepted is { Version: MqttVersion.Mqtt5 })
        {
            EndWithDisconnect(reason, violation.ReasonCode, now);
        }
        else
        {
            EndAbruptly(reason, now);
        }
    }

    /// <summary>Says why, then closes.</summary>
    public void EndWithDisconnect(CloseReason reason, ReasonCode code, long now)
    {
        if (!_supervisor.Disconnecting(reason, now))
        {
            return;
        }

        _outbound.WriteLast(new DisconnectPacket { ReasonCode = code }, Accepted!.Version);
    }

    private void CheckKeepAlive(long now)
    {
        if (!_link!.Check(_outbound, Accepted!.Version, now))
        {
            EndAbruptly(
                new CloseReason(
                    CloseKind.KeepAliveTimeout,
                    $"The server stayed silent: it did not answer, or did not take, a PINGREQ (keep-alive {Accepted!.KeepAlive / TimeSpan.TicksPerSecond} s)."),
                now);
        }
        else if (_link.TakeOverdue(now) is { } overdue)
        {
            _outputs.Enqueue(new EngineOutput.PingFailed(Reason: null, overdue));
        }
    }

    /// <summary>Closes at once: nobody would listen.</summary>
    private void EndAbruptly(CloseReason reason, long now)
    {
        _supervisor.CloseTransport();
        Lost(reason, now);
    }

    /// <summary>The connection, or the attempt, is over: what depended on it is put back, and the supervisor decides what comes next.</summary>
    private void Lost(CloseReason reason, long now)
    {
        var wasConnected = Accepted is not null;
        reason = _loop.Note((_supervisor.FirstCause ?? reason) with { WasConnected = wasConnected }, _supervisor.ConnectedFor(now));
        Accepted = null;
        Inbound = null;
        Count(reason, wasConnected);
        if (_outbound.Close(reason) is > 0 and var dropped)
        {
            _counters.PublishesDropped += dropped;
            _outputs.Enqueue(new EngineOutput.Dropped(dropped));
        }

        _subscriptions.Close(_outbound.Session);
        _reception.Close();
        if (wasConnected)
        {
            _outputs.Enqueue(new EngineOutput.Disconnected(reason));
        }

        if (_ending is { Sent: true } or { Final: false })
        {
            _supervisor.Rest(reason);
            Finish(now);
            return;
        }

        var hungUp = reason is { Kind: CloseKind.TransportLost, Cause: null } && !_heardAnything;
        if (!wasConnected && _supervisor.Phase == ConnectionPhase.Handshake && _handshake.FallBack(reason, hungUp))
        {
            _supervisor.Retry(now);
            return;
        }

        if (_supervisor.HandleLost(reason, wasConnected, now))
        {
            GiveUp(now);
        }
    }

    private void Count(CloseReason reason, bool wasConnected)
    {
        if (!wasConnected)
        {
            _counters.AttemptsFailed++;
            return;
        }

        _counters.ConnectionsEnded[(int)reason.Kind]++;
        _counters.LastEnd = reason.Kind;
        if (_link!.TakeAll() is { Count: > 0 } waiters)
        {
            _outputs.Enqueue(new EngineOutput.PingFailed(reason, waiters));
        }
    }

    /// <summary>There will be no other attempt unless somebody asks: every wait ends.</summary>
    private void GiveUp(long now)
    {
        var reason = _supervisor.LastFailure!;
        _outbound.FailWaiting(reason, everything: true);
        _subscriptions.FailWaiting(reason);
        _outputs.Enqueue(new EngineOutput.GaveUp(reason));
        ContinueEnding(now);
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
            _supervisor.Disconnecting(new CloseReason(CloseKind.Requested, "Disconnected on request."), now);
            _outbound.WriteLast(ending.LastWord(_settings, _outbound), Accepted!.Version);
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
            _outputs.Enqueue(new EngineOutput.Closed());
            return;
        }

        _ending = null;
        _supervisor.Stop();
        _outputs.Enqueue(new EngineOutput.Stopped());
        if (ending.ConnectAfter)
        {
            _supervisor.Connect(now);
        }
    }
}
