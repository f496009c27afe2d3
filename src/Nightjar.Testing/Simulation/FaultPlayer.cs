namespace Nightjar.Testing.Simulation;

/// <summary>Carries faults out.</summary>
internal sealed class FaultPlayer(World world)
{
    private const long Second = VirtualTime.Second;

    /// <summary>The last connection whose client is gone; the server may not know.</summary>
    private SimulatedLink? _orphan;

    private VirtualTime Time => world.Time;

    private SeededRandom Random => world.Random;

    /// <summary>Whether this run has what the fault concerns.</summary>
    public bool CanPlay(SimulatedFault fault) => fault switch
    {
        SimulatedFault.ProcessCrash or SimulatedFault.PowerLoss or SimulatedFault.FullDisk or SimulatedFault.SlowDisk => world.Log is not null,
        SimulatedFault.FullOutbox => world.Traits.HasBudget,
        _ => true,
    };

    public void Play(SimulatedFault fault)
    {
        switch (fault)
        {
            case SimulatedFault.CutToServer or SimulatedFault.CutToClient:
                Cut(fault);
                return;
            case SimulatedFault.LostAcknowledgement:
                world.Broker.LosesNextAck = true; // covered when it happens
                return;
            case SimulatedFault.ProcessCrash or SimulatedFault.PowerLoss or SimulatedFault.FullOutbox when world.Client.IsDead:
                return;
        }

        world.Cover(fault);
        switch (fault)
        {
            case SimulatedFault.Delay:
                world.Network.ExtraLatency = Random.Magnitude(50 * VirtualTime.Millisecond, 2 * Second);
                world.Network.DelayedUntil = Time.Now + Random.Magnitude(Second, 30 * Second);
                break;
            case SimulatedFault.Split:
                world.Network.SplitUntil = Time.Now + Random.Magnitude(Second, 10 * Second);
                break;
            case SimulatedFault.HalfClose:
                world.Client.Link?.ToClient.End();
                break;
            case SimulatedFault.Stall:
                Stall(Random.Magnitude(VirtualTime.Millisecond * 100, world.Traits.KeepAlive * Second / 3));
                break;
            case SimulatedFault.Silence:
                Stall(Random.Between(world.Traits.KeepAlive * Second * 3 / 2, world.Traits.KeepAlive * Second * 3));
                break;
            case SimulatedFault.TakenOver:
                world.Broker.TakeOver();
                break;
            case SimulatedFault.BrokerRestart:
                Restart(keepsSessions: true);
                break;
            case SimulatedFault.BrokerRestartWithoutSessions:
                Restart(keepsSessions: false);
                break;
            case SimulatedFault.RefusedConnect:
                Refuse();
                break;
            case SimulatedFault.LateAcknowledgement:
                world.Broker.HoldAcks(Random.Magnitude(Second, 2 * world.Traits.KeepAlive * Second));
                break;
            case SimulatedFault.SlowHandler:
                world.Handlers.SlowUntil = Time.Now + Random.Magnitude(Second, 20 * Second);
                break;
            case SimulatedFault.ThrowingHandler:
                world.Handlers.ThrowingUntil = Time.Now + Random.Magnitude(Second, 20 * Second);
                break;
            case SimulatedFault.BlockedHandler:
                world.Handlers.BlockedUntil = Time.Now + Random.Magnitude(10 * Second, 1800 * Second);
                break;
            case SimulatedFault.ProcessCrash:
                Crash();
                break;
            case SimulatedFault.PowerLoss:
                LosePower();
                break;
            case SimulatedFault.FullDisk:
                world.Log!.FullUntil = Time.Now + Random.Magnitude(100 * VirtualTime.Millisecond, 120 * Second);
                break;
            case SimulatedFault.SlowDisk:
                world.Log!.SlowUntil = Time.Now + Random.Magnitude(Second, 30 * Second);
                break;
            case SimulatedFault.FullOutbox:
                for (var i = Math.Min(world.Traits.MaximumMessages, 60); i >= 0; i--)
                {
                    world.Client.Publish(Random.Of(world.Options.PublishedTopics), (QoS)Random.Below(3), retain: false);
                }

                break;
        }
    }

    /// <summary>Within what is on its way, or within what comes next.</summary>
    private void Cut(SimulatedFault fault)
    {
        if (world.Client.Link is { } link)
        {
            var pipe = fault == SimulatedFault.CutToServer ? link.ToServer : link.ToClient;
            link.BreaksBy = fault;
            pipe.Break(pipe.Carried + Random.Below(pipe.Underway + 40));
        }
    }

    /// <summary>What was handed to the network arrives, or the system resets the connection.</summary>
    private void Crash()
    {
        var link = world.Client.Link;
        End(Random.Chance(0.4) ? 1 : Random.Fraction(), Random.Magnitude(10 * VirtualTime.Millisecond, 10 * Second));
        if (Random.Chance(0.6))
        {
            link?.CloseByClient();
        }
        else
        {
            link?.Break();
        }
    }

    /// <summary>Nothing more arrives, and the server may not notice.</summary>
    private void LosePower()
    {
        var link = world.Client.Link;
        End(Random.Chance(0.6) ? 0 : Random.Fraction(), Random.Magnitude(Second, 60 * Second));
        if (Random.Chance(0.5))
        {
            link?.Break();
        }
        else
        {
            link?.ToServer.Close();
        }
    }

    private void End(double survival, long downtime)
    {
        _orphan = world.Client.Link ?? _orphan;
        world.Application.Crash(survival, downtime);
        Time.After(downtime, world.Application.Restart);
    }

    private void Stall(long duration)
    {
        world.Network.StalledUntil = Time.Now + duration;
        if (Random.Chance(0.5))
        {
            world.Network.WritesBlockedUntil = world.Network.StalledUntil;
        }
    }

    private void Restart(bool keepsSessions)
    {
        world.Network.RefusedUntil = Time.Now + Random.Magnitude(Second / 10, 30 * Second);
        world.Broker.Stop(keepsSessions);
        world.Client.Link?.Break();
        _orphan?.CloseByServer();
    }

    private void Refuse()
    {
        if (Random.Chance(0.5))
        {
            world.Network.RefusedUntil = Time.Now + Random.Magnitude(Second / 10, 120 * Second);
        }
        else
        {
            for (var i = Random.Below(4); i >= 0; i--)
            {
                world.Broker.Refusals.Enqueue(Random.Chance(0.7));
            }
        }

        world.Client.Link?.Break();
    }
}
