using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;

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
internal sealed partial class ClientEngine
{
    private readonly Reception _reception;
    private readonly Lifecycle _lifecycle;
    private readonly HandlerWatch _watch;
    private StoredReplays? _replays;
    private long _subscribed;

    public ClientEngine(EngineSettings settings)
    {
        Outbound = new Outbound(settings.Outbox, Counters, settings.HasStore);
        Ledger = new AcknowledgementLedger();
        var wires = new WireTable();
        Identifiers = new SubscriptionIdentifiers(settings.Random);
        Subscriptions = new WantedSubscriptions(wires, Identifiers, settings.SubscriptionIdentifiers);
        Routes = new TopicRoutes(wires, Identifiers);
        Requests = new PendingRequests(settings.MaximumRequests);
        _watch = new HandlerWatch(settings, Ledger, Outputs);
        _reception = new Reception(settings, Outbound, Ledger, Subscriptions, Routes, Identifiers, Counters, Outputs);
        _lifecycle = new Lifecycle(settings, Outbound, Ledger, _watch, Subscriptions, Requests, _reception, Counters, Outputs);
    }

    /// <summary>What is to be done or known; the host takes them in order.</summary>
    public Queue<EngineOutput> Outputs { get; } = new();

    public EngineCounters Counters { get; } = new();

    public Outbound Outbound { get; }

    public AcknowledgementLedger Ledger { get; }

    public WantedSubscriptions Subscriptions { get; }

    public TopicRoutes Routes { get; }

    public PendingRequests Requests { get; }

    /// <summary>What a host that keeps the session keeps with it.</summary>
    public SubscriptionIdentifiers Identifiers { get; }

    /// <summary>The inbound half of the current connection; the receive loop parses with it, without the lock.</summary>
    public Inbound? Inbound => _lifecycle.Inbound;

    /// <summary>What was agreed with the server; null while not connected.</summary>
    public Accepted? Accepted => _lifecycle.Accepted;

    public string ClientId => _lifecycle.ClientId;

    /// <summary>The version in use, or to be tried next.</summary>
    public MqttVersion Version => _lifecycle.Version;

    /// <summary>The server of the current or last attempt.</summary>
    public ServerSettings Server => _lifecycle.Supervisor.Servers.Target;

    public ClientState State => _lifecycle.Supervisor.State;

    public CloseReason? LastFailure => _lifecycle.Supervisor.LastFailure;

    public int Failures => _lifecycle.Supervisor.Failures;

    /// <summary>When the next attempt is due; <see cref="long.MaxValue"/> if none waits.</summary>
    public long RetryAt => _lifecycle.Supervisor.RetryAt;

    /// <summary>When keep-alive sends its next PINGREQ if nothing else happens; <see cref="long.MaxValue"/> if never.</summary>
    public long PingDue => _lifecycle.PingDue;

    /// <summary>Received messages that were not stored because they were too large.</summary>
    public long SkippedMessages => _reception.Skipped;

    /// <summary>How far the host's dialling has come, for messages; the host sets it.</summary>
    public int DialStage
    {
        get => _lifecycle.DialStage;
        set => _lifecycle.DialStage = value;
    }

    /// <summary>When <see cref="Advance"/> must be called next; <see cref="long.MaxValue"/> if never.</summary>
    public long Deadline
    {
        get
        {
            var deadline = Math.Min(_lifecycle.Deadline, Math.Min(Outbound.Deadline, Requests.Deadline));
            return _lifecycle.IsConnected ? Math.Min(deadline, _watch.Deadline) : deadline;
        }
    }

    /// <summary>Whether there is anything to take but bytes.</summary>
    public bool HasNews => Outputs.Count > 0 || Outbound.Ended.Count > 0 || Outbound.Flushed.Count > 0 || Outbound.Quarantined.Count > 0
        || Outbound.Drops.Count > 0 || Outbound.Steps.Count > 0 || Outbound.CanGrant || Outbound.HasDrained
        || Subscriptions.Answers.Count > 0 || Subscriptions.UnsubscribeAnswers.Count > 0 || Requests.Ended.Count > 0;

    /// <summary>Command: there should be a connection, as soon as there may be one.</summary>
    public void Connect(long now) => _lifecycle.Connect(byHand: false, atOnce: false, now);

    /// <summary>Command: somebody asks for a connection by hand: no window is waited for, and with <paramref name="atOnce"/> no delay after a failure either.</summary>
    public void ConnectByHand(bool atOnce, long now) => _lifecycle.Connect(byHand: true, atOnce, now);

    /// <summary>Command: other settings. What the outbound half and the receive limits were told when the engine was made stays.</summary>
    public void Update(EngineSettings settings, long now) => _lifecycle.Update(settings, now);

    /// <summary>The network changed, which may make a failed attempt worth repeating.</summary>
    public void HandleNetworkChange(long now)
    {
        _lifecycle.Supervisor.HandleNetworkChange(now);
        _lifecycle.Advance(now);
    }

    /// <summary>The host prepared an attempt, for another server perhaps (null: as it was).</summary>
    public void HandlePrepared(int attempt, ServerSettings? target, long now) => _lifecycle.HandlePrepared(attempt, target, now);

    /// <summary>The host's answer to AskDelay; null: no more attempts.</summary>
    public void HandleDelay(int question, long? delay, long now)
    {
        _lifecycle.HandleDelay(question, delay, now);
        _lifecycle.Advance(now);
    }

    /// <summary>The host's answer to AskWindow: the window that is open or opens next.</summary>
    public void HandleWindow(int question, long opens, long closes, long now)
    {
        _lifecycle.Supervisor.HandleWindow(question, opens, closes, now);
        _lifecycle.Advance(now);
    }

    /// <summary>
    /// Command: DISCONNECT after what was published before, for as long as the drain timeout allows, then stay down; with <paramref name="final"/> for good.
    /// </summary>
    public void End(DisconnectPacket packet, bool final, long now) => _lifecycle.End(packet, final, now);

    /// <summary>Command: no drain, no DISCONNECT, closed for good.</summary>
    public void Abort(long now) => _lifecycle.Abort(now);

    /// <summary>Command: publish at QoS 0 without waiting. See <see cref="Outbound.TryBuffer"/>.</summary>
    public PublishStart TryBuffer(in OutgoingPublish message, out SendLimit? refusal) => Outbound.TryBuffer(message, out refusal);

    /// <summary>Command: publish. See <see cref="Outbound.Accept"/>.</summary>
    public MessageTicket Accept(in OutgoingPublish message, object? waiter, long now)
    {
        var ticket = Outbound.Accept(message, waiter, now);
        Outbound.Session.Journal?.Compact(now);
        _lifecycle.ConnectOnFirstUse(now);
        return ticket;
    }

    /// <summary>Command: somebody waits for what is in the outbox already, left there by an earlier process perhaps. That is a use of the client like any other.</summary>
    public void AwaitPending(long now) => _lifecycle.ConnectOnFirstUse(now);

    /// <summary>Command: may this message come in? See <see cref="Outbound.Admit"/>. Whatever the answer, the client is used by it.</summary>
    public OutboxAdmission Admit(in OutgoingPublish message, WhenOffline whenOffline, long now)
    {
        var admission = Outbound.Admit(message, whenOffline);
        if (admission != OutboxAdmission.Admitted)
        {
            _lifecycle.ConnectOnFirstUse(now);
        }

        return admission;
    }

    /// <summary>Command: PINGREQ, or a share in the one that is on its way. False: there is no connection.</summary>
    public bool Ping(object waiter, long now) => _lifecycle.Ping(waiter, now);

    /// <summary>Command: more space between messages. See <see cref="PublishPace.Throttle"/>.</summary>
    public void Throttle(long delay, long now) => Outbound.Pace.Throttle(delay, now);

    /// <summary>Command: something is about to be asked of the server; a client that rests, or never connected, does so now.</summary>
    public void ConnectForUse(long now) => _lifecycle.ConnectOnFirstUse(now);

    /// <summary>Command: these handlers are done. Acknowledgements leave in the order of arrival.</summary>
    public void Complete(ReadOnlySpan<HandlerOutcome> outcomes, long now)
    {
        var ready = false;
        var left = false;
        foreach (ref readonly var outcome in outcomes)
        {
            if (outcome.DeliveryId != 0 && Outbound.Session.Journal is { } journal && journal.Done(outcome.DeliveryId, outcome.Abandoned, outcome.By?.Number ?? 0))
            {
                _replays!.Add(outcome.DeliveryId);
                left = true;
            }

            ready |= Ledger.Complete(outcome);
        }

        if (left)
        {
            // Somebody who subscribed while it was still with another may wait for it.
            Outputs.Enqueue(new EngineOutput.Replay());
        }

        if (ready && _lifecycle.IsConnected)
        {
            _reception.WriteReadyAcks();
            RecycleFor(_watch.Notice(now), now);
        }

        Outbound.Session.Journal?.Compact(now);
    }

    /// <summary>Which handlers hold messages for longer than they should.</summary>
    public List<HeldAcknowledgement> Held(long now) => _lifecycle.IsConnected ? _watch.Held(now) : [];

    /// <summary>The transport is open: CONNECT goes out.</summary>
    public void HandleDialed(int attempt) => _lifecycle.HandleDialed(attempt);

    /// <summary>The transport could not be opened, or ended: the peer closed it, it failed, or it was closed as asked.</summary>
    public void HandleTransportLost(int attempt, CloseReason reason, long now) => _lifecycle.HandleLost(attempt, reason, now);

    /// <summary>A chunk was parsed: everything in it takes effect. Of its PUBLISHes those marked Deliver are the host's to hand on.</summary>
    public void Apply(int attempt, InboundBatch batch, ReadOnlySpan<byte> chunk, long now)
    {
        if (!_lifecycle.Supervisor.IsCurrent(attempt))
        {
            return;
        }

        _lifecycle.HandleBytes(onlyPing: batch.Count == 1 && batch[0].Type == PacketType.PingResp, now);
        Ledger.Now = now;
        Counters.LastReceived = now;
        Outbound.At(now);
        for (var i = 0; i < batch.Count && _lifecycle.Supervisor.Phase is ConnectionPhase.Handshake or ConnectionPhase.Connected or ConnectionPhase.Disconnecting; i++)
        {
            Handle(ref batch[i], chunk, now);
        }

        if (!_lifecycle.Supervisor.IsCurrent(attempt))
        {
            return;
        }

        if (batch.Violation is { } violation)
        {
            _lifecycle.Violate(violation, now);
        }
        else if (_lifecycle.IsConnected)
        {
            _reception.WriteReadyAcks();
            Outbound.Pump();
            RecycleFor(_watch.Notice(now), now);
            _lifecycle.ContinueEnding(now);
        }

        Outbound.Session.Journal?.Compact(now);
    }

    /// <summary>Take: what the next flush writes.</summary>
    public bool TakeOutput(OutputBatch batch)
    {
        var any = Outbound.TakeOutput(batch);
        Counters.BytesSent += batch.Length;
        _lifecycle.HandleTaken();
        return any;
    }

    /// <summary>The batch taken last was handed to the transport.</summary>
    public void HandleWritten(int attempt, long now)
    {
        if (!_lifecycle.Supervisor.IsCurrent(attempt))
        {
            return;
        }

        Counters.LastSent = now;
        Outbound.At(now);
        Outbound.Written();
        _lifecycle.HandleWritten(now);
    }

    /// <summary>The host does not read at the moment, so silence means nothing.</summary>
    public void HandlePaused(long now) => _lifecycle.HandlePaused(now);

    /// <summary>Time passed; asking early is harmless.</summary>
    public void Advance(long now)
    {
        Outbound.Advance(now);
        Requests.Advance(now);
        _lifecycle.Advance(now);
        if (_lifecycle.IsConnected && now >= _watch.Deadline)
        {
            var recycle = _watch.Advance(now);
            _reception.WriteReadyAcks();
            RecycleFor(_watch.Notice(now) ?? recycle, now);
        }
    }

    private void RecycleFor(CloseReason? reason, long now)
    {
        if (reason is not null)
        {
            _lifecycle.EndWithDisconnect(reason, ReasonCode.Success, now);
        }
    }

    private void Handle(ref InboundPacket packet, ReadOnlySpan<byte> chunk, long now)
    {
        if (packet.Part <= PublishPart.Begin)
        {
            // What comes in pieces is counted whole when it begins.
            Counters.PacketsReceived[(int)packet.Type]++;
            Counters.BytesReceived += packet.Size;
        }

        if (packet.Type == PacketType.ConnAck)
        {
            _lifecycle.HandleConnAck((ConnAckPacket)packet.Other!, now);
            return;
        }

        if (Accepted is null)
        {
            // Whoever was told DISCONNECT before its CONNACK may have said more after that.
            if (packet.Type != PacketType.None && _lifecycle.Supervisor.Phase != ConnectionPhase.Disconnecting)
            {
                _lifecycle.Violate(new ProtocolViolation(ReasonCode.ProtocolError, "MQTT5-3.2.0-1", $"The server sent {packet.Type} before CONNACK."), now);
            }

            return;
        }

        if (_lifecycle.Supervisor.Phase == ConnectionPhase.Disconnecting && packet.Type is not (PacketType.PubAck or PacketType.PubComp or PacketType.Disconnect))
        {
            // Nothing may follow our DISCONNECT, so what wants an answer is left to the next connection.
            return;
        }

        if (packet.Type == PacketType.PingResp)
        {
            _lifecycle.HandlePingResp(now); // mutant: ResendOnLiveLink
        }
        else if (packet.Type == PacketType.Disconnect)
        {
            _lifecycle.HandleDisconnect((DisconnectPacket)packet.Other!, now);
        }
        else if (_reception.Handle(ref packet, chunk, Accepted) is { } violation)
        {
            _lifecycle.Violate(violation, now);
        }
        else if (packet.Type is PacketType.SubAck or PacketType.UnsubAck)
        {
            _lifecycle.PumpSubscriptions();
        }
    }
}
