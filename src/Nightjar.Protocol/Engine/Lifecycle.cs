using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Journal;
using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Engine;

/// <summary>
/// How connections begin and end: dialled, accepted, watched, lost, ended on request. What a connection carried is put back when it is over; the
/// <see cref="Supervisor"/> decides what comes next.
/// </summary>
internal sealed partial class Lifecycle
{
    private readonly Supervisor _supervisor;
    private readonly Handshake _handshake;
    private readonly Outbound _outbound;
    private readonly AcknowledgementLedger _ledger;
    private readonly HandlerWatch _watch;
    private readonly WantedSubscriptions _subscriptions;
    private readonly PendingRequests _requests;
    private readonly Reception _reception;
    private readonly EngineCounters _counters;
    private readonly Queue<EngineOutput> _outputs;
    private EngineSettings _settings;
    private ViolationLoop _loop;
    private ConnectionSpan _span;

    public Lifecycle(
        EngineSettings settings,
        Outbound outbound,
        AcknowledgementLedger ledger,
        HandlerWatch watch,
        WantedSubscriptions subscriptions,
        PendingRequests requests,
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
        _requests = requests;
        _reception = reception;
        _counters = counters;
        _outputs = outputs;
    }

    private SessionJournal? Journal => _outbound.Session.Journal;

    /// <summary>The session of an earlier process goes on; attempts may begin.</summary>
    public void Restore(RestoredSession session, long now)
    {
        _handshake.Restore(session);
        if (session.Identity is null)
        {
            // Whoever asks for the client identifier from here on hears the same in every process.
            Journal?.Note(_handshake.Identity);
        }

        _supervisor.Release(session.HasState, replays: session.Deliveries.Count > 0, now);
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
            if (IsConnected)
            {
                deadline = Math.Min(deadline, Math.Min(_link!.Deadline, _ending is null ? _span.Deadline : long.MaxValue));
            }

            return _ending is { Sent: false } ? Math.Min(deadline, _ending.Deadline) : deadline;
        }
    }

    /// <summary>The host prepared an attempt; null: as it was. It is for this server now.</summary>
    public void HandlePrepared(int attempt, ServerSettings? target, long now) =>
        _supervisor.HandlePrepared(attempt, target ?? _supervisor.Servers.Target, now);

    /// <summary>The host says how long to wait; null: no more attempts.</summary>
    public void HandleDelay(int question, long? delay, long now)
    {
        if (_supervisor.HandleDelay(question, delay, now))
        {
            GiveUp(now);
        }
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
        _handshake.Begin(_supervisor.Servers.Target);
        Inbound = new Inbound(_handshake.Version, (int)(_settings.AnnouncedPacketSize ?? int.MaxValue), _settings.TopicAliasMaximum, _settings.MaximumPacketSize);
        var connect = _handshake.Request();
        _outbound.WriteConnect(connect, _handshake.Version, Journal?.Connecting(_handshake.Identity) ?? 0);
    }

    /// <summary>The transport could not be opened, or ended: the peer closed it, it failed, or it was closed as asked.</summary>
    public void HandleLost(int attempt, CloseReason reason, long now)
    {
        if (_supervisor.IsCurrent(attempt))
        {
            Lost(reason, now);
        }
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
            CheckSpan(now);
        }

        if (_supervisor.Advance(now))
        {
            GiveUp(now);
        }
    }

    /// <summary>CONNACK came: the connection begins, or is refused.</summary>
    public void HandleConnAck(ConnAckPacket packet, long now)
    {
        if (_supervisor.Phase == ConnectionPhase.Disconnecting && Accepted is null)
        {
            // The DISCONNECT is on its way already.
            return;
        }

        if (Accepted is not null)
        {
            Violate(new ProtocolViolation(ReasonCode.ProtocolError, "MQTT5-3.2.0-2", "The server sent a second CONNACK."), now);
            return;
        }

        if (_handshake.Handle(packet, out var accepted) is { } reason)
        {
            Journal?.Refused();
            EndAbruptly(reason, now);
            return;
        }

        if (_handshake.OnlyEmpties)
        {
            Journal?.Refused();
            Journal?.Note(_handshake.Identity);
            _supervisor.Disconnecting(new CloseReason(CloseKind.Renewed, "The session of before is gone."), now);
            _outbound.WriteLast(new DisconnectPacket(), accepted!.Version);
            return;
        }

        Accepted = accepted!;
        if (_counters.Connections++ > 0)
        {
            _counters.Reconnects[(int)_counters.LastEnd]++;
        }

        _counters.SessionsResumed += accepted!.SessionPresent ? 1 : 0;
        _span = new ConnectionSpan(_settings, _supervisor.Servers.IsPreferred, _supervisor.Windows.Closes, now);
        _link = new LinkWatch(accepted!.KeepAlive, now);
        _supervisor.HandleAccepted(now);
        _outputs.Enqueue(new EngineOutput.Connected(accepted));

        // The order on the wire: what is sent again, subscriptions (so that no answer to what follows is missed), what waits.
        // Only 5.0 tells the server our Receive Maximum; before it there are as many messages as identifiers.
        var isMqtt5 = accepted.Version == MqttVersion.Mqtt5;
        _loop.Begin(accepted.SessionPresent);
        _ledger.Start(accepted.SessionPresent, isMqtt5 ? _settings.ReceiveMaximum : ushort.MaxValue, hasReasons: isMqtt5, _loop.TakesExcess);
        _watch.Start(isMqtt5 ? accepted.Limits.ReceiveMaximum : null, now);
        if (accepted.SessionPresent)
        {
            Journal?.Connected(_handshake.Identity, accepted.SessionIsCertain);
        }

        _outbound.Open(accepted);

        // Behind the record that voids the session of before: whoever stops between the two takes nothing for this server's that was another's.
        Journal?.Note(_handshake.Identity);
        _subscriptions.Open(accepted.SessionPresent, accepted.SessionIsCertain);
        PumpSubscriptions();
        _outbound.Pump();
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
        reason = _loop.Note(
            (_supervisor.FirstCause ?? reason) with { WasConnected = wasConnected, Server = _supervisor.Servers.Target.Name },
            _supervisor.ConnectedFor(now),
            _ledger.IsExceeded);
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

        if (EndsHere(reason, wasConnected, now))
        {
            return;
        }

        if (!wasConnected && _supervisor.Phase == ConnectionPhase.Disconnecting && _handshake.OnlyEmpties)
        {
            _supervisor.Retry(now);
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
        _requests.FailAll(reason);
        _outputs.Enqueue(new EngineOutput.GaveUp(reason));
        ContinueEnding(now);
    }
}
