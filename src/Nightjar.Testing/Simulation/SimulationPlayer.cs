namespace Nightjar.Testing.Simulation;

/// <summary>Plays one run from its seed: messages and faults, then rest, then whether both windows are whole, then the end.</summary>
internal sealed class SimulationPlayer
{
    // A run of some hundred messages and a dozen faults takes some thousand; more means that something turns in circles.
    private const int MostEventsPerMessage = 2_000;

    // Blocked handlers come back after half an hour at the most.
    private const long Patience = 7_200 * VirtualTime.Second;

    private readonly World _world;
    private readonly FaultPlayer _faults;
    private int _scheduled;
    private long _loadedAt = -1;
    private Act _act;

    public SimulationPlayer(World world)
    {
        _world = world;
        _faults = new FaultPlayer(world);
    }

    private enum Act
    {
        Load,
        OutboundWindow,
        InboundWindow,
        Ending,
        Over,
    }

    private VirtualTime Time => _world.Time;

    private SeededRandom Random => _world.Random;

    public void Play()
    {
        try
        {
            PlayToTheEnd();
        }
        catch (Exception error)
        {
            // Nothing here throws on purpose: neither the engine, whatever a server sends, nor the model.
            _world.Violate($"{error}");
        }

        if (_world.Violations.Count == 0)
        {
            FinalChecks.Check(_world);
        }
    }

    private void PlayToTheEnd()
    {
        foreach (var filter in _world.Options.Filters)
        {
            _world.Application.Want(filter);
        }

        _world.Client.Start();
        Schedule();
        var most = MostEventsPerMessage * (100 + _world.Options.Publishes);
        for (var events = 0; _act != Act.Over && _world.Violations.Count == 0; events++)
        {
            Step();
            if (events > most || (_loadedAt >= 0 && Time.Now > _loadedAt + Patience))
            {
                _world.Violate($"it does not come to rest: {Unfinished()}");
            }

            Continue();
        }
    }

    private void Step()
    {
        var deadline = _world.Client.Deadline;
        var next = Time.Next;
        if (deadline == long.MaxValue && next == long.MaxValue)
        {
            _world.Violate($"nothing will happen any more: {Unfinished()}");
        }
        else if (deadline <= next)
        {
            Time.MoveTo(deadline);
            _world.Client.Advance();
        }
        else
        {
            Time.Step();
        }
    }

    private string Unfinished() => $"{_act}; {_world.Client.Status}; the broker has {_world.Broker.Session?.Deliveries.Count ?? 0} to deliver, "
        + $"{_world.Broker.Session?.Received.Count ?? 0} not released, and {_world.Broker.Session?.Subscriptions.Count ?? 0} subscriptions";

    /// <summary>All that is known before it begins.</summary>
    private void Schedule()
    {
        var span = _world.Traits.Span;
        var options = _world.Options;
        for (var i = 0; i < options.Publishes; i++)
        {
            AtProcess(Moment(span), Publish);
            At(Moment(span), PublishToClient);
        }

        for (var i = Random.Below(4); i > 0; i--)
        {
            AtProcess(Random.Between(0, span), () => _world.Client.Flush());
            SubscribeForAWhile(span, $"extra/{i}");
        }

        var kinds = options.FaultKinds.Where(_faults.CanPlay).ToList();
        if (kinds.Count > 0)
        {
            for (var i = options.Faults + Random.Below(6); i > 0; i--)
            {
                var fault = Random.Of(kinds);
                At(Random.Between(0, span), () => _faults.Play(fault));
            }
        }
    }

    /// <summary>Mostly anywhere, sometimes together with many others.</summary>
    private long Moment(long span) => Random.Chance(0.3) ? span / 4 * Random.Below(4) : Random.Between(0, span);

    private void At(long ticks, Action action)
    {
        _scheduled++;
        Time.At(ticks, () =>
        {
            action();
            _scheduled--;
        });
    }

    /// <summary>What the client does: if it is down, when it is back.</summary>
    private void AtProcess(long ticks, Action action) => At(ticks, () =>
    {
        if (_world.Client.IsDead)
        {
            AtProcess(_world.Client.BackAt, action);
        }
        else
        {
            action();
        }
    });

    private void Publish()
    {
        var topics = _world.Options.PublishedTopics;
        var record = _world.Client.Publish(Random.Of(topics), (QoS)Random.Below(3), Random.Chance(0.1));
        if (Random.Chance(_world.Traits.Cancels))
        {
            AtProcess(Time.Now + Random.Between(0, VirtualTime.Second), () => _world.Client.Cancel(record));
        }
    }

    private void PublishToClient()
    {
        if (!_world.Broker.Publish(Random.Of(_world.Options.ReceivedTopics), (QoS)Random.Below(3), Random.Chance(0.1)))
        {
            // Nobody is there to get it: another one goes when somebody may be.
            At(Time.Now + Random.Between(20 * VirtualTime.Millisecond, VirtualTime.Second), PublishToClient);
        }
    }

    private void SubscribeForAWhile(long span, string topic)
    {
        var begin = Random.Between(0, span);
        var end = Random.Between(begin, span);
        AtProcess(begin, () =>
        {
            var wanted = _world.Application.Want(topic);
            _world.Client.Subscribe(wanted);
            for (var i = 0; i < 3; i++)
            {
                At(Random.Between(begin, span), () => _world.Broker.Publish(topic, (QoS)Random.Below(3), retain: false));
            }

            AtProcess(end, () => _world.Client.Unsubscribe(wanted));
        });
    }

    private void Continue()
    {
        if (_act == Act.Ending)
        {
            _act = _world.Client.IsOver ? Act.Over : Act.Ending;
            return;
        }

        if (_scheduled > 0)
        {
            return;
        }

        if (_loadedAt < 0)
        {
            _loadedAt = Time.Now;
        }

        if (!_world.Client.IsAtRest || _world.Network.IsStalled(Time.Now))
        {
            return;
        }

        if (!_world.Broker.IsDrained)
        {
            RecycleIfAbandoned();
            return;
        }

        _world.Client.CheckSubscriptions(_world.Broker.Session!);
        _act++;
        switch (_act)
        {
            case Act.OutboundWindow:
                ProbeOutboundWindow();
                break;
            case Act.InboundWindow:
                ProbeInboundWindow();
                break;
            case Act.Ending:
                _world.Client.End();
                break;
        }
    }

    /// <summary>What handlers left unacknowledged comes again on the next connection only.</summary>
    private void RecycleIfAbandoned()
    {
        if (_world.Client.Link is { Connection.IsConnected: true } link
            && _world.Broker.Session!.Deliveries.TrueForAll(d => d.Record.AbandonedOn == link.Number))
        {
            link.Break();
        }
    }

    /// <summary>While no acknowledgement comes, exactly as many messages as the window allows may leave.</summary>
    private void ProbeOutboundWindow()
    {
        const long Long = 3 * VirtualTime.Second;
        var window = _world.Traits.Window(_world.Client.Version);
        var before = _world.Broker.ReliableReceived;
        var link = _world.Client.Link;
        CalmDown();
        _world.Client.BeginProbe();
        _world.Broker.HoldAcks(2 * Long);
        for (var i = 0; i < window + 2; i++)
        {
            _world.Client.Publish(_world.Options.PublishedTopics[0], i % 2 == 0 ? QoS.AtLeastOnce : QoS.ExactlyOnce, retain: false, isProbe: true);
        }

        At(Time.Now + Long, () =>
        {
            var sent = _world.Broker.ReliableReceived - before;
            _world.Require(sent == window || _world.Client.Link != link, $"the client has {sent} messages on their way at rest, and its window is {window}: quota was lost or made up");
        });
    }

    /// <summary>While no handler ends, the client takes as many messages as it said.</summary>
    private void ProbeInboundWindow()
    {
        CalmDown();
        _world.Handlers.BlockedUntil = Time.Now + (3 * VirtualTime.Second);
        for (var i = 0; i < _world.Traits.ClientReceiveMaximum + 2; i++)
        {
            _world.Broker.Publish(_world.Options.ReceivedTopics[0], i % 2 == 0 ? QoS.AtLeastOnce : QoS.ExactlyOnce, retain: false);
        }

        At(_world.Handlers.BlockedUntil, () => { });
    }

    /// <summary>Faults that found nothing to hit are over.</summary>
    private void CalmDown()
    {
        _world.Broker.LosesNextAck = false;
        _world.Broker.Refusals.Clear();
        if (_world.Client.Link is { } link && link.BreaksBy is not null)
        {
            link.ToServer.StayWhole();
            link.ToClient.StayWhole();
        }

        _world.Network.DelayedUntil = _world.Network.SplitUntil = 0;
        _world.Handlers.SlowUntil = _world.Handlers.ThrowingUntil = 0;
        _world.Log?.CalmDown();
    }
}
