using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Tests.Engine.Simulated;

/// <summary>One scripted session.</summary>
internal sealed record SimulationPlan
{
    public MqttVersion Version { get; init; } = MqttVersion.Mqtt5;

    /// <summary>For the sizes of chunks and the delays of handlers.</summary>
    public int Seed { get; init; }

    /// <summary>How many messages in each direction at each of QoS 1 and 2.</summary>
    public int Messages { get; init; } = 4;

    /// <summary>Both sides' Receive Maximum.</summary>
    public int ReceiveMaximum { get; init; } = 3;

    /// <summary>Whether handlers end some steps after their message came, or at once.</summary>
    public bool DelayedHandlers { get; init; }

    /// <summary>How the first, the second, ... connection breaks; the one after the last does not.</summary>
    public IReadOnlyList<Cut> Cuts { get; init; } = [];
}

/// <summary>
/// The engine against the model broker over links that break, under virtual time: the client publishes and receives at QoS 1 and 2, one topic each, until everything has
/// its last word. <see cref="Verify"/> says what went wrong.
/// </summary>
internal sealed class Simulation
{
    private const long Step = TimeSpan.TicksPerMillisecond;

    // A session of some dozen packets and a few cuts takes far fewer; more means that something hangs.
    private const int MostSteps = 2_000;

    private readonly SimulationPlan _plan;
    private readonly Random _random;
    private readonly List<(long Due, AckToken Token)> _handlers = [];
    private readonly List<string> _published = [];
    private Link? _link;
    private int _toPublish;
    private int _toDeliver;

    public Simulation(SimulationPlan plan)
    {
        _plan = plan;
        _random = new Random(plan.Seed);
        _toPublish = _toDeliver = plan.Messages;
        Broker = new ModelBroker(plan.ReceiveMaximum);
        Driver = new EngineDriver(new EngineSettings
        {
            Connect = new ConnectPacket { ClientId = "simulated", KeepAlive = 60, SessionExpiryInterval = 3600 },
            Version = plan.Version,
            CleanStart = false,
            FirstConnect = FirstConnect.KeepTrying,
            ReceiveMaximum = plan.ReceiveMaximum,
            Random = _random.NextDouble,
        })
        {
            Handler = Handle,
        };
    }

    public EngineDriver Driver { get; }

    public ModelBroker Broker { get; }

    /// <summary>The links in the order of connecting.</summary>
    public List<Link> Links { get; } = [];

    /// <summary>Runs to the end; false if it does not come.</summary>
    public bool Run()
    {
        Driver.Subscribe("down/+");
        for (var step = 0; step < MostSteps; step++)
        {
            if (!RunStep())
            {
                if (IsDone)
                {
                    return true;
                }

                Driver.AdvanceTo(Math.Min(Driver.Engine.Deadline, _handlers.Count > 0 ? _handlers.Min(h => h.Due) : long.MaxValue));
                continue;
            }

            Driver.AdvanceTo(Driver.Now + Step);
        }

        return false;
    }

    /// <summary>What is wrong with how it ended; nothing if all is well.</summary>
    public IEnumerable<string> Verify()
    {
        foreach (var waiter in _published)
        {
            var ends = Driver.Ended.Where(e => ReferenceEquals(e.Waiter, waiter)).ToList();
            if (ends is not [{ End: PublishEnd.Answered, ReasonCode: ReasonCode.Success }])
            {
                yield return $"{waiter} ended {ends.Count} times: {string.Join(", ", ends)}";
            }
        }

        if (Links.Count > _plan.Cuts.Count + 1)
        {
            yield return $"{Links.Count} connections for {_plan.Cuts.Count} cuts: {Driver.Engine.LastFailure?.Message}";
        }

        var accepted = Broker.Accepted.ToLookup(m => m.Topic, m => m.Payload);
        var arrived = Driver.Arrived.ToLookup(a => a.Topic, a => a.Payload);
        foreach (var fault in AtLeastOnce(accepted, "up/1").Concat(ExactlyOnce(accepted, "up/2"))
            .Concat(AtLeastOnce(arrived, "down/1")).Concat(ExactlyOnce(arrived, "down/2")))
        {
            yield return fault;
        }

        if (Driver.Engine.Outbound.Session is not { InFlight: 0, UnknownAcks: 0 } session)
        {
            yield return $"{Driver.Engine.Outbound.Session.InFlight} in flight, {Driver.Engine.Outbound.Session.UnknownAcks} unknown acknowledgements";
        }
    }

    private bool IsDone => _toPublish == 0 && _toDeliver == 0 && Broker.IsDrained && _handlers.Count == 0 && Driver.Engine.Outbound.IsDrained
        && Driver.Engine.Ledger.Waiting == 0 && Broker.Session is { Received.Count: 0 };

    private IEnumerable<string> AtLeastOnce(ILookup<string, string> messages, string topic) =>
        Complete(messages[topic].Distinct(StringComparer.Ordinal), topic);

    private IEnumerable<string> ExactlyOnce(ILookup<string, string> messages, string topic) => Complete(messages[topic], topic);

    private IEnumerable<string> Complete(IEnumerable<string> payloads, string topic)
    {
        var actual = payloads.ToList();
        var expected = Enumerable.Range(0, _plan.Messages).Select(i => $"{topic}#{i}");
        if (!actual.SequenceEqual(expected, StringComparer.Ordinal))
        {
            yield return $"{topic}: {string.Join(' ', actual)}";
        }
    }

    /// <summary>A little of everything; false if nothing moved.</summary>
    private bool RunStep()
    {
        var moved = Publish();
        if (Driver.WantsDial)
        {
            Connect();
            moved = true;
        }

        moved |= Complete();
        if (_link is not { } link)
        {
            return moved;
        }

        link.Send(LinkDirection.ToServer, Driver.Flush());
        moved |= Carry(link, LinkDirection.ToServer);
        if (!BreakIfCut(link))
        {
            moved |= Carry(link, LinkDirection.ToClient);
            BreakIfCut(link);
        }

        return moved;
    }

    private bool Publish()
    {
        if (_toPublish > 0)
        {
            Publish($"up/1#{_plan.Messages - _toPublish}", QoS.AtLeastOnce);
            Publish($"up/2#{_plan.Messages - _toPublish}", QoS.ExactlyOnce);
            _toPublish--;
            return true;
        }

        // A broker delivers to whom it knows.
        if (_toDeliver > 0 && Broker.Session is { Subscriptions.Count: > 0 })
        {
            Broker.Publish(new ModelMessage("down/1", $"down/1#{_plan.Messages - _toDeliver}", QoS.AtLeastOnce));
            Broker.Publish(new ModelMessage("down/2", $"down/2#{_plan.Messages - _toDeliver}", QoS.ExactlyOnce));
            _toDeliver--;
            return true;
        }

        return false;
    }

    private void Publish(string payload, QoS qos)
    {
        Driver.Publish(payload[..payload.IndexOf('#', StringComparison.Ordinal)], payload, qos, out _);
        _published.Add(payload);
    }

    private void Connect()
    {
        _link = new Link(Links.Count < _plan.Cuts.Count ? _plan.Cuts[Links.Count] : null);
        Links.Add(_link);
        Broker.Open();
        Driver.Dial();
    }

    private bool Carry(Link link, LinkDirection direction)
    {
        if (direction == LinkDirection.ToClient)
        {
            link.Send(direction, Broker.Take());
        }

        // Most chunks end where packets end, some within one.
        var underway = link.Underway(direction);
        var bytes = link.Arrive(direction, _random.Next(4) == 0 ? _random.Next(underway + 1) : underway);
        if (direction == LinkDirection.ToServer)
        {
            Broker.Receive(bytes);
        }
        else if (bytes.Length > 0)
        {
            Driver.Receive(bytes);
        }

        return underway > 0;
    }

    private bool BreakIfCut(Link link)
    {
        if (!link.IsCut && Driver.Open != 0)
        {
            return false;
        }

        _link = null;
        Broker.Lose();
        if (Driver.Open != 0)
        {
            Driver.Lose();
        }

        return true;
    }

    private void Handle(Arrival arrival)
    {
        var delay = _plan.DelayedHandlers ? _random.Next(12) : 0;
        _handlers.Add((Driver.Now + (delay * Step), arrival.Token));
    }

    private bool Complete()
    {
        var due = _handlers.Where(h => h.Due <= Driver.Now).ToList();
        _handlers.RemoveAll(h => h.Due <= Driver.Now);
        foreach (var (_, token) in due)
        {
            Driver.Complete(token);
        }

        return due.Count > 0;
    }
}
