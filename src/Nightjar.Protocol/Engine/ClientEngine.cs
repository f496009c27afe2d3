using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Session;

namespace Nightjar.Protocol.Engine;

/// <summary>
/// The whole client without I/O: every rule of the protocol and every policy lives here once. The host brings bytes, time, dial outcomes, commands and handler outcomes; it takes
/// bytes to write, messages to deliver, waits that ended, and <see cref="Outputs"/>. Nothing here throws on what a server sends: the connection is closed with a reason
/// that names the rule.
/// </summary>
/// <remarks>
/// <para>Methods are of four kinds: getters; <c>Handle…</c> and <see cref="Advance"/> (bytes or time came in); commands; and takes
/// (<see cref="TakeOutput"/>, the lists). All but <see cref="Inbound"/>'s parsing are guarded by the host's one lock.</para>
/// <para>Times are ticks of 100 ns of one monotonic clock.</para>
/// </remarks>
internal sealed class ClientEngine
{
    private readonly EngineSettings _settings;
    private readonly Supervisor _supervisor;
    private readonly Handshake _handshake;
    private readonly Reception _reception;
    private LinkWatch _link;
    private bool _heardAnything;
    private Ending? _ending;

    public ClientEngine(EngineSettings settings, ISessionLog? log = null)
    {
        _settings = settings;
        _handshake = new Handshake(settings);
        _supervisor = new Supervisor(settings, Outputs);
        Outbound = new Outbound(settings.Outbox, log);
        Ledger = new AcknowledgementLedger();
        _reception = new Reception(settings, Outbound, Ledger, Subscriptions, Routes, Outputs);
    }

    /// <summary>What is to be done or known; the host takes them in order.</summary>
    public Queue<EngineOutput> Outputs { get; } = new();

    public Outbound Outbound { get; }

    public AcknowledgementLedger Ledger { get; }

    public WantedSubscriptions Subscriptions { get; } = new();

    public TopicRoutes Routes { get; } = new();

    /// <summary>The inbound half of the current connection; the receive loop parses with it, without the lock.</summary>
    public Inbound? Inbound { get; private set; }

    /// <summary>What was agreed with the server; null while not connected.</summary>
    public Accepted? Accepted { get; private set; }

    public string ClientId => _handshake.ClientId;

    public ClientState State => _supervisor.State;

    public CloseReason? LastFailure => _supervisor.LastFailure;

    public int Failures => _supervisor.Failures;

    /// <summary>When the next attempt is due; <see cref="long.MaxValue"/> if none waits.</summary>
    public long RetryAt => _supervisor.RetryAt;

    /// <summary>How far the host's dialling has come, for messages; the host sets it.</summary>
    public int DialStage { get; set; }

    /// <summary>When <see cref="Advance"/> must be called next; <see cref="long.MaxValue"/> if never.</summary>
    public long Deadline
    {
        get
        {
            var deadline = Math.Min(_supervisor.Deadline, Outbound.Deadline);
            if (Accepted is not null)
            {
                deadline = Math.Min(deadline, _link.Deadline);
            }

            return _ending is { Sent: false } ? Math.Min(deadline, _ending.Deadline) : deadline;
        }
    }

    /// <summary>Whether there is anything to take but bytes.</summary>
    public bool HasNews => Outputs.Count > 0 || Outbound.Ended.Count > 0 || Outbound.Flushed.Count > 0 || Outbound.Quarantined.Count > 0
        || Subscriptions.Answers.Count > 0 || Subscriptions.UnsubscribeAnswers.Count > 0;

    private bool IsConnected => Accepted is not null && _supervisor.Phase == ConnectionPhase.Connected;

    /// <summary>Command: there should be a connection.</summary>
    public void Connect(long now)
    {
        if (_ending is { Final: false })
        {
            _ending.ConnectAfter = true;
            return;
        }

        _supervisor.Connect(now);
    }

    /// <summary>Command: publish at QoS 0 without waiting. See <see cref="Outbound.TryBuffer"/>.</summary>
    public PublishStart TryBuffer(in OutgoingPublish message, out SendLimit? refusal) => Outbound.TryBuffer(message, out refusal);

    /// <summary>Command: publish. See <see cref="Outbound.Accept"/>.</summary>
    public MessageTicket Accept(in OutgoingPublish message, object? waiter, long now)
    {
        var ticket = Outbound.Accept(message, waiter, now);
        ConnectOnFirstUse(now);
        return ticket;
    }

    /// <summary>Command: subscribe.</summary>
    public void Subscribe(LocalSubscription subscription, long now)
    {
        Routes.Add(subscription);
        Subscriptions.Add(subscription);
        PumpSubscriptions();
        ConnectOnFirstUse(now);
    }

    /// <summary>Command: end one subscription; with the last of its filter goes an UNSUBSCRIBE.</summary>
    public void Unsubscribe(LocalSubscription subscription, object? waiter)
    {
        Routes.Remove(subscription);
        Subscriptions.Remove(subscription, waiter);
        PumpSubscriptions();
    }

    /// <summary>Command: end a filter, known or not. Returns the subscriptions that end with it.</summary>
    public IReadOnlyList<LocalSubscription> Unsubscribe(string filter, object waiter, long now)
    {
        var ended = Subscriptions.GiveUp(filter, waiter);
        foreach (var subscription in ended)
        {
            Routes.Remove(subscription);
        }

        PumpSubscriptions();
        ConnectOnFirstUse(now);
        return ended;
    }

    /// <summary>
    /// Command: DISCONNECT after what was published before, for as long as the drain timeout allows, then stay down; with <paramref name="final"/> for good.
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

    /// <summary>Command: no drain, no DISCONNECT, closed for good.</summary>
    public void Abort(long now)
    {
        _ending = new Ending(new DisconnectPacket(), now) { Final = true, Sent = true };
        if (_supervisor.IsLive)
        {
            EndAbruptly(new CloseReason(CloseKind.Requested, "The client was aborted."), now);
        }

        Finish(now);
    }

    /// <summary>Command: these handlers are done. Acknowledgements leave in the order of arrival.</summary>
    public void Complete(ReadOnlySpan<HandlerOutcome> outcomes, long now)
    {
        var ready = false;
        foreach (ref readonly var outcome in outcomes)
        {
            ready |= Ledger.Complete(outcome);
        }

        if (ready && IsConnected)
        {
            _reception.WriteReadyAcks();
            if (Ledger.Abandoned * 2 >= _settings.ReceiveMaximum)
            {
                EndWithDisconnect(
                    new CloseReason(CloseKind.Recycled, $"{Ledger.Abandoned} messages were left unacknowledged, half of Receive Maximum; a new connection makes the server send them again."),
                    ReasonCode.Success,
                    now);
            }
        }
    }

    /// <summary>The transport is open: CONNECT goes out.</summary>
    public void HandleDialed(int attempt, long now)
    {
        if (!_supervisor.HandleDialed(attempt))
        {
            Outputs.Enqueue(new EngineOutput.CloseTransport(attempt, AfterFlush: false));
            return;
        }

        _heardAnything = false;
        Inbound = new Inbound(_handshake.Version, _settings.MaximumPacketSize, _settings.TopicAliasMaximum);
        Outbound.WriteControl(_handshake.Request(), _handshake.Version);
    }

    /// <summary>The transport could not be opened.</summary>
    public void HandleDialFailed(int attempt, CloseReason reason, long now)
    {
        if (_supervisor.IsCurrent(attempt))
        {
            Lost(reason, now);
        }
    }

    /// <summary>The transport ended: the peer closed it, it failed, or it was closed as asked.</summary>
    public void HandleTransportLost(int attempt, CloseReason reason, long now)
    {
        if (_supervisor.IsCurrent(attempt))
        {
            Lost(reason, now);
        }
    }

    /// <summary>A chunk was parsed: everything in it takes effect. Of its PUBLISHes those marked Deliver are the host's to hand on.</summary>
    public void Apply(int attempt, InboundBatch batch, ReadOnlySpan<byte> chunk, long now)
    {
        if (!_supervisor.IsCurrent(attempt))
        {
            return;
        }

        _heardAnything = true;
        _link.Received(now);
        for (var i = 0; i < batch.Count && _supervisor.Phase is ConnectionPhase.Handshake or ConnectionPhase.Connected or ConnectionPhase.Disconnecting; i++)
        {
            Handle(ref batch[i], chunk, now);
        }

        if (!_supervisor.IsCurrent(attempt))
        {
            return;
        }

        if (batch.Violation is { } violation)
        {
            Violate(violation, now);
        }
        else if (IsConnected)
        {
            _reception.WriteReadyAcks();
            Outbound.Pump();
            ContinueEnding(now);
        }
    }

    /// <summary>Take: what the next flush writes.</summary>
    public bool TakeOutput(OutputBatch batch)
    {
        var any = Outbound.TakeOutput(batch);
        _link.Taken(Outbound);
        return any;
    }

    /// <summary>The batch taken last was handed to the transport.</summary>
    public void HandleWritten(int attempt, long now)
    {
        if (!_supervisor.IsCurrent(attempt))
        {
            return;
        }

        Outbound.Written();
        _link.Written(now);
        ContinueEnding(now);
    }

    /// <summary>The host does not read at the moment, so silence means nothing.</summary>
    public void HandlePaused(long now) => _link.Received(now);

    /// <summary>The log is committed up to this record.</summary>
    public void HandleCommitted(long lsn) => Outbound.Committed(lsn);

    /// <summary>Time passed; asking early is harmless.</summary>
    public void Advance(long now)
    {
        Outbound.Advance(now);
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

    private void ConnectOnFirstUse(long now)
    {
        if (_supervisor.State == ClientState.Idle && _ending is null)
        {
            _supervisor.Connect(now);
        }
    }

    private void PumpSubscriptions()
    {
        if (IsConnected && _ending is not { Sent: true })
        {
            Subscriptions.Pump(Outbound, Accepted!.Limits, Accepted.Version);
            _reception.DropDenied();
        }
    }

    private void Handle(ref InboundPacket packet, ReadOnlySpan<byte> chunk, long now)
    {
        if (packet.Type == PacketType.ConnAck)
        {
            HandleConnAck((ConnAckPacket)packet.Other!, now);
            return;
        }

        if (Accepted is null)
        {
            if (packet.Type != PacketType.None)
            {
                Violate(new ProtocolViolation(ReasonCode.ProtocolError, "MQTT5-3.2.0-1", $"The server sent {packet.Type} before CONNACK."), now);
            }

            return;
        }

        if (_supervisor.Phase == ConnectionPhase.Disconnecting && packet.Type is not (PacketType.PubAck or PacketType.PubComp or PacketType.Disconnect))
        {
            // Nothing may follow our DISCONNECT, so what wants an answer is left to the next connection.
            return;
        }

        if (packet.Type == PacketType.Disconnect)
        {
            HandleDisconnect((DisconnectPacket)packet.Other!, now);
        }
        else if (_reception.Handle(ref packet, chunk, Accepted.Version) is { } violation)
        {
            Violate(violation, now);
        }
        else if (packet.Type is PacketType.SubAck or PacketType.UnsubAck)
        {
            PumpSubscriptions();
        }
    }

    private void HandleConnAck(ConnAckPacket packet, long now)
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
        _link = new LinkWatch(accepted!.KeepAlive, now);
        _supervisor.HandleAccepted(now);
        Outputs.Enqueue(new EngineOutput.Connected(accepted));

        // The order on the wire: what is sent again, subscriptions (so that no answer to what follows is missed), what waits.
        // Only 5.0 tells the server our Receive Maximum; before it there are as many messages as identifiers.
        Ledger.Start(accepted.SessionPresent, accepted.Version == MqttVersion.Mqtt5 ? _settings.ReceiveMaximum : ushort.MaxValue);
        Outbound.Open(accepted.Version, accepted.Limits, accepted.SessionPresent);
        Subscriptions.Open(accepted.SessionPresent, isCertain: accepted.Version != MqttVersion.Mqtt31);
        PumpSubscriptions();
        Outbound.Pump();
    }

    private void HandleDisconnect(DisconnectPacket packet, long now) => EndAbruptly(
        new CloseReason(
            CloseKind.ServerDisconnected,
            $"The server closed the connection: {packet.ReasonCode} (0x{(byte)packet.ReasonCode:X2}){(packet.ReasonString is { } text ? $", \"{text}\"" : "")}.")
        {
            ReasonCode = packet.ReasonCode,
            ReasonString = packet.ReasonString,
            ServerReference = packet.ServerReference,
            UserProperties = packet.UserProperties,
            IsTransient = !packet.ReasonCode.IsFailure() || CloseReason.IsTransientRefusal(packet.ReasonCode),
        },
        now);

    private void CheckKeepAlive(long now)
    {
        if (!_link.Check(Outbound, Accepted!.Version, now))
        {
            EndAbruptly(
                new CloseReason(
                    CloseKind.KeepAliveTimeout,
                    $"The server stayed silent: it did not answer, or did not take, a PINGREQ (keep-alive {Accepted!.KeepAlive / TimeSpan.TicksPerSecond} s)."),
                now);
        }
    }

    private void Violate(in ProtocolViolation violation, long now)
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
    private void EndWithDisconnect(CloseReason reason, ReasonCode code, long now)
    {
        if (!_supervisor.Disconnecting(reason, now))
        {
            return;
        }

        Outbound.WriteLast(new DisconnectPacket { ReasonCode = code }, Accepted!.Version);
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
        reason = _supervisor.FirstCause ?? reason;
        Accepted = null;
        Inbound = null;
        if (Outbound.Close(reason) is > 0 and var dropped)
        {
            Outputs.Enqueue(new EngineOutput.Dropped(dropped));
        }

        Subscriptions.Close(Outbound.Session);
        if (wasConnected)
        {
            Outputs.Enqueue(new EngineOutput.Disconnected(reason));
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

    /// <summary>There will be no other attempt unless somebody asks: every wait ends.</summary>
    private void GiveUp(long now)
    {
        var reason = _supervisor.LastFailure!;
        Outbound.FailWaiting(reason, everything: true);
        Subscriptions.FailWaiting();
        Outputs.Enqueue(new EngineOutput.GaveUp(reason));
        ContinueEnding(now);
    }

    /// <summary>Goes on with an end that was asked for: once everything is through, or the time for that is over.</summary>
    private void ContinueEnding(long now)
    {
        if (_ending is not { Sent: false } ending)
        {
            return;
        }

        var mayDrain = IsConnected || (ending.Final && _supervisor.State is ClientState.Connecting or ClientState.Waiting);
        if (mayDrain && !Outbound.IsDrained && now < ending.Deadline)
        {
            return;
        }

        ending.Sent = true;
        if (IsConnected)
        {
            _supervisor.Disconnecting(new CloseReason(CloseKind.Requested, "Disconnected on request."), now);
            Outbound.WriteLast(ending.LastWord(_settings, Outbound), Accepted!.Version);
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
            Outbound.FailWaiting(new CloseReason(CloseKind.Requested, "The client was closed."), everything: true);
            Subscriptions.FailWaiting();
            Outputs.Enqueue(new EngineOutput.Closed());
            return;
        }

        _ending = null;
        _supervisor.Stop();
        Outputs.Enqueue(new EngineOutput.Stopped());
        if (ending.ConnectAfter)
        {
            _supervisor.Connect(now);
        }
    }
}
