using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Journal;
using Nightjar.Protocol.Packets;

namespace Nightjar.Testing.Simulation;

/// <summary>The host of the engine, and one process: it opens connections, moves bytes, runs handlers, and watches what the engine says.</summary>
internal sealed partial class SimulatedClient
{
    private readonly World _world;
    private readonly ClientEngine _engine;
    private readonly ClientWaits _waits;
    private readonly ClientOutput _output;
    private readonly DialHistory _dials;
    private readonly InboundBatch _inbound = new();
    private readonly List<SimulatedSubscription> _subscriptions = [];
    private SimulatedLink? _link;
    private SimulatedLink? _last;
    private Inbound? _decoder;
    private byte[] _unparsed = [];
    private int _attempt;
    private bool _closesAfterFlush;
    private bool _writing;
    private SessionJournal? _journal;
    private bool _ending;

    public SimulatedClient(World world)
    {
        _world = world;
        var traits = world.Traits;
        var jitter = new SeededRandom((long)world.Random.Next());
        _engine = new ClientEngine(new EngineSettings
        {
            Connect = new ConnectPacket { ClientId = "simulated", KeepAlive = (ushort)traits.KeepAlive, SessionExpiryInterval = 3600 },
            Version = traits.Version,
            AllowVersionFallback = traits.AllowVersionFallback,
            CleanStart = false,
            FirstConnect = FirstConnect.KeepTrying,
            ReceiveMaximum = traits.ClientReceiveMaximum,
            TopicAliasMaximum = traits.ClientAliases,
            Outbox = new OutboxSettings
            {
                MaximumInFlight = traits.MaximumInFlight,
                MaximumTopicAliases = traits.ServerAliases,
                MaximumMessages = traits.MaximumMessages,
                MaximumBytes = traits.MaximumBytes,
                Overflow = traits.Overflow,
            },
            HasStore = traits.HasStore,
            Random = () => DialHistory.LeastJitter + (jitter.Fraction() * (1 - DialHistory.LeastJitter)),
        });
        Version = traits.Version;
        _waits = new ClientWaits(world, _engine);
        _output = new ClientOutput(world, _engine);
        _dials = new DialHistory(world);
    }

    /// <summary>The connection in use.</summary>
    public SimulatedLink? Link => _link;

    /// <summary>The engine said so.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>Closed, and all that was written has arrived or is lost.</summary>
    public bool IsOver => IsClosed && _last is { IsBroken: true } or { ToServer.Underway: 0 };

    /// <summary>The process has ended.</summary>
    public bool IsDead { get; private set; }

    /// <summary>When the next one begins.</summary>
    public long BackAt { get; private set; }

    public long Deadline => IsDead ? long.MaxValue : _engine.Deadline;

    public bool IsConnected => !IsDead && _link is not null && _engine.Accepted is not null && _engine.State == ClientState.Connected;

    /// <summary>The version that was agreed on last.</summary>
    public MqttVersion Version { get; private set; }

    /// <summary>The server got DISCONNECT, unless the connection broke before.</summary>
    public bool SaidGoodbye => _last is { Connection.SawDisconnect: true } or { IsBroken: true };

    public ClientWaits Waits => _waits;

    /// <summary>Handlers are done with everything, and so is the outbound half.</summary>
    public bool IsAtRest => IsConnected && !_writing && _waits.Open == 0 && _engine.Outbound.IsDrained && _engine.Ledger.Waiting == 0 && !_engine.Outbound.HasOutput
        && _link!.ToServer.Underway == 0 && _link.ToClient.Underway == 0 && _subscriptions.TrueForAll(s => s.IsIdle)
        && _world.Log is null or { IsAtRest: true };

    /// <summary>What is not at rest, for people.</summary>
    public string Status => $"{_engine.State}, {_engine.Outbound.Queued} queued, {_engine.Outbound.Session.InFlight} in flight, {_engine.Ledger.Waiting} unacknowledged, "
        + $"{_waits.Open} waits, {_subscriptions.Count(s => !s.IsIdle)} handlers busy; {_engine.LastFailure?.Message}";

    /// <summary>At the end nothing is kept for anybody.</summary>
    public void CheckEmpty()
    {
        var session = _engine.Outbound.Session;
        _world.Require(session is { InFlight: 0, IdsInUse: 0 }, $"{session.InFlight} messages in flight and {session.IdsInUse} identifiers in use at the end");
        _world.Require(
            _engine.Outbound.Session.UnknownAcks == 0 || _world.Broker.SessionNumber > 1, $"{_engine.Outbound.Session.UnknownAcks} acknowledgements belonged to nothing");
        _world.Require(_engine.Outbound.Queued == 0, $"{_engine.Outbound.Queued} messages queued at the end");
        _world.Require(_engine.Outbound.Pending.Count == 0, $"{_engine.Outbound.Pending.Count} messages kept at the end");
    }

    public void Start()
    {
        if (_world.Log is { } log)
        {
            var session = log.Read();
            _journal = new SessionJournal(log, _world.Traits.Slack);
            _engine.Restore(session, _journal, _world.Time.Now, Utc(_world.Time.Now));
            _engine.HandleCommitted(log.Committed);
            _pending = _engine.Outbound.Pending;
            CheckRestored(session);
        }

        foreach (var wanted in _world.Application.Wanted)
        {
            Subscribe(wanted);
        }

        EnqueueAgain();
        _engine.Connect(_world.Time.Now);
        Collect();
    }

    public void Subscribe(WantedFilter wanted)
    {
        var subscription = new SimulatedSubscription(_world, this, wanted);
        _subscriptions.Add(subscription);
        _waits.Subscribed(subscription);
        _engine.Subscribe(subscription, _world.Time.Now);
        Collect();
    }

    /// <summary>What the application wants is what the server has.</summary>
    public void CheckSubscriptions(ModelSession session)
    {
        var missing = _subscriptions.Where(s => !s.Wanted.IsOver && !session.Subscriptions.ContainsKey(s.TopicFilter.Text)).Select(s => s.TopicFilter.Text);
        var tooMuch = session.Subscriptions.Keys.Where(filter => !_subscriptions.Exists(s => !s.Wanted.IsOver && s.TopicFilter.Text == filter) && !_world.Application.MayBeLeft(filter));
        _world.Require(!missing.Any(), $"at rest the server has no subscription to {string.Join(", ", missing)}");
        _world.Require(!tooMuch.Any(), $"at rest the server has a subscription to {string.Join(", ", tooMuch)}, and nobody wants it");
    }

    public void Unsubscribe(WantedFilter wanted)
    {
        wanted.IsOver = true;
        if (_subscriptions.Find(subscription => subscription.Wanted == wanted) is { } subscription)
        {
            _engine.Unsubscribe(subscription, _waits.Unsubscribing(subscription));
            Collect();
        }
    }

    /// <summary>DISCONNECT, and closed for good.</summary>
    public void End()
    {
        _ending = true;
        _engine.End(new DisconnectPacket(), final: true, _world.Time.Now);
        Collect();
    }

    public void Complete(AckToken token, ReasonCode reason, bool abandoned)
    {
        _engine.Complete([new HandlerOutcome(token, reason, abandoned)], _world.Time.Now);
        Collect();
    }

    /// <summary>A handler of a stored message is done.</summary>
    public void CompleteStored(SimulatedSubscription by, long deliveryId, bool abandoned)
    {
        _engine.Complete([new HandlerOutcome(default, ReasonCode.Success, abandoned, by, deliveryId)], _world.Time.Now);
        Collect();
    }

    /// <summary>The log is committed up to this record.</summary>
    public void StoreCommitted(long sequence)
    {
        _engine.HandleCommitted(sequence);
        _subscriptions.ForEach(subscription => subscription.Next());
        Collect();
    }

    public void StoreFailed()
    {
        _engine.HandleStoreFailed();
        Collect();
    }

    public void StoreWentOn()
    {
        _engine.HandleStoreWentOn();
        Collect();
    }

    /// <summary>The process ends.</summary>
    public void Die(long backAt)
    {
        IsDead = true;
        BackAt = backAt;
        Disconnected();
        _attempt = -1;
    }

    /// <summary>Time has come to a deadline of the engine.</summary>
    public void Advance()
    {
        _engine.Advance(_world.Time.Now);
        Collect();
    }

    /// <summary>Bytes came.</summary>
    public void Receive(SimulatedLink link, byte[] bytes)
    {
        if (link != _link || _decoder is not { } decoder)
        {
            return;
        }

        var chunk = _unparsed.Length == 0 ? bytes : [.. _unparsed, .. bytes];
        var consumed = decoder.Parse(chunk, _inbound);
        _engine.Apply(_attempt, _inbound, chunk, _world.Time.Now);
        _unparsed = consumed == chunk.Length ? [] : chunk[consumed..];
        for (var i = 0; i < _inbound.Count; i++)
        {
            Deliver(_inbound[i], chunk);
            if (IsDead)
            {
                break;
            }
        }

        _inbound.Clear();
        Collect();
    }

    /// <summary>The connection broke, or the server ended it.</summary>
    public void Lose(SimulatedLink link, bool orderly)
    {
        if (link != _link)
        {
            return;
        }

        Disconnected();
        _engine.HandleTransportLost(_attempt, new CloseReason(CloseKind.TransportLost, "The connection broke.") { Cause = orderly ? null : "reset" }, _world.Time.Now);
        Collect();
    }

    /// <summary>Writes what there is, if nothing is being written.</summary>
    public void Write()
    {
        if (_link is not { } link || _writing)
        {
            return;
        }

        if (_engine.Outbound.HasOutput && _output.Take(link) is { Length: > 0 } bytes)
        {
            _writing = true;
            link.ToServer.Send(bytes);
            var time = _world.Time;
            var delay = _world.Random.Below(4) == 0 ? _world.Random.Below((int)VirtualTime.Millisecond) : 0;
            time.At(Math.Max(time.Now + delay, _world.Network.WritesBlockedUntil), () => Written(link));
        }
        else if (_closesAfterFlush)
        {
            Close(link);
        }
    }

    private void Written(SimulatedLink link)
    {
        if (link != _link)
        {
            return;
        }

        _writing = false;
        _engine.HandleWritten(_attempt, _world.Time.Now);
        Collect();
    }

    /// <summary>As the engine asked.</summary>
    private void Close(SimulatedLink link)
    {
        Disconnected();
        link.CloseByClient();
        _engine.HandleTransportLost(_attempt, new CloseReason(CloseKind.TransportLost, "Closed as asked."), _world.Time.Now);
        Collect();
    }

    private void Disconnected()
    {
        _link = null;
        _decoder = null;
        _unparsed = [];
        _writing = false;
        _closesAfterFlush = false;
        _output.Lost();
    }

    private void Deliver(in InboundPacket packet, byte[] chunk)
    {
        if (packet.Type != PacketType.Publish || packet.Route is null)
        {
            return;
        }

        var number = Payload.Number(chunk.AsSpan(packet.PayloadOffset, packet.PayloadLength));
        var record = _world.Incoming[number];
        if (packet.Route.Subscriptions.Length == 0)
        {
            // Nobody wants it any more: the engine answers it at once.
            record.Unwanted = true;
            record.IsOver = record.QoS == QoS.AtMostOnce;
        }

        if (packet.Deliver)
        {
            _world.Require(packet.QoS == record.QoS && packet.Route.Name == record.Topic, $"{record} came from {packet.Route.Name} at {packet.QoS}");
            _world.Require(packet.DeliveryId != 0 == (_journal is not null && packet.QoS != QoS.AtMostOnce), $"{record} came as {packet.DeliveryId}");
            foreach (var subscription in packet.Route.Subscriptions)
            {
                if (!(packet.WasStored && subscription.StoresMessages))
                {
                    ((SimulatedSubscription)subscription).Deliver(record, packet.Token, packet.DeliveryId);
                }
            }
        }
    }

    /// <summary>What an earlier process stored and did not handle.</summary>
    private void Replay()
    {
        while (_engine.TakeReplay(out var replay))
        {
            var record = _world.Incoming[Payload.Number(replay.Payload)];
            _world.Require(replay.QoS == record.QoS && replay.Route.Name == record.Topic, $"{record} lay in the store as one from {replay.Route.Name} at {replay.QoS}");
            foreach (var subscription in replay.Route.Subscriptions)
            {
                if (subscription.StoresMessages)
                {
                    ((SimulatedSubscription)subscription).Deliver(record, token: default, replay.DeliveryId);
                }
            }
        }
    }

    private void Collect()
    {
        LetIn();
        _waits.Collect();
        CheckBudget();
        while (_engine.Outputs.TryDequeue(out var output))
        {
            Handle(output);
        }

        Write();
    }

    private void Handle(EngineOutput output)
    {
        switch (output)
        {
            case EngineOutput.Dial dial:
                Dial(dial.Attempt);
                break;
            case EngineOutput.Replay:
                Replay();
                break;
            case EngineOutput.CloseTransport { AfterFlush: true } close when close.Attempt == _attempt && _link is not null:
                _closesAfterFlush = true;
                break;
            case EngineOutput.CloseTransport close when close.Attempt == _attempt && _link is { } link:
                Disconnected();
                link.CloseByClient();
                break;
            case EngineOutput.Connected connected:
                Accepted(connected.Accepted);
                break;
            case EngineOutput.Disconnected lost:
                _world.Note($"the client lost its connection: {lost.Reason.Message}");
                _dials.Disconnected(lost.Reason, _last);
                break;
            case EngineOutput.AttemptFailed failed:
                _world.Note($"the attempt failed: {failed.Reason.Message}");
                break;
            case EngineOutput.GaveUp or EngineOutput.Stopped when !_ending:
                _world.Time.After(VirtualTime.Second, () => _engine.Connect(_world.Time.Now));
                break;
            case EngineOutput.Closed:
                IsClosed = true;
                break;
        }
    }
}
