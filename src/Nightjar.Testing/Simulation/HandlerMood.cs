namespace Nightjar.Testing.Simulation;

/// <summary>What becomes of a message whose handler keeps throwing.</summary>
internal enum PoisonVerdict
{
    Acknowledge,
    Abandon,
    Refuse,
}

/// <summary>What handlers do at the moment: as the options or the seed say, and worse while a fault lasts.</summary>
internal sealed class HandlerMood(World world)
{
    public long SlowUntil { get; set; }

    public long ThrowingUntil { get; set; }

    public long BlockedUntil { get; set; }

    public SimulatedHandling Choose(SimulatedMessage message)
    {
        var now = world.Time.Now;
        var handling = world.Options.Handler?.Invoke(message) ?? Usual();
        if (BlockedUntil > now)
        {
            return handling with { Duration = TimeSpan.FromTicks(BlockedUntil - now) };
        }

        if (SlowUntil > now && world.Random.Chance(0.5))
        {
            handling = handling with { Duration = handling.Duration + TimeSpan.FromTicks(world.Random.Magnitude(VirtualTime.Second, 10 * VirtualTime.Second)) };
        }

        return ThrowingUntil > now && world.Random.Chance(0.6) ? handling with { Throws = true } : handling;
    }

    public PoisonVerdict Poison() => world.Random.Below(world.Client.Version == MqttVersion.Mqtt5 ? 3 : 2) switch
    {
        0 => PoisonVerdict.Acknowledge,
        1 => PoisonVerdict.Abandon,
        _ => PoisonVerdict.Refuse,
    };

    private SimulatedHandling Usual() => world.Traits.HandlerDelay > 0 && world.Random.Chance(0.3)
        ? new SimulatedHandling(TimeSpan.FromTicks(world.Random.Below((int)world.Traits.HandlerDelay)))
        : SimulatedHandling.AtOnce;
}
