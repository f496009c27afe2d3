namespace Nightjar.Testing.Simulation;

/// <summary>What stays the same through a run: chosen by the seed where the options leave it open.</summary>
internal sealed class SimulationTraits
{
    public SimulationTraits(SimulationOptions options, SeededRandom random)
    {
        Version = options.Version ?? random.Below(20) switch
        {
            < 11 => MqttVersion.Mqtt5,
            < 16 => MqttVersion.Mqtt311,
            _ => MqttVersion.Mqtt31,
        };
        AllowVersionFallback = random.Chance(0.2);
        ClientReceiveMaximum = options.ReceiveMaximum ?? (int)random.Magnitude(1, 16);
        ServerReceiveMaximum = options.ReceiveMaximum ?? (int)random.Magnitude(1, 16);
        MaximumInFlight = random.Chance(0.5) ? 20 : (int)random.Magnitude(1, 20);
        KeepAlive = (int)random.Between(10, 60);
        ClientAliases = random.Chance(0.5) ? random.Below(5) : 0;
        ServerAliases = random.Chance(0.5) ? random.Below(5) : 0;
        Latency = random.Magnitude(VirtualTime.Millisecond / 2, 60 * VirtualTime.Millisecond);
        Span = random.Magnitude(VirtualTime.Second, 90 * VirtualTime.Second);
        HandlerConcurrency = random.Chance(0.7) ? 1 : 1 + random.Below(4);
        HandlerDelay = random.Chance(0.4) ? 0 : random.Magnitude(VirtualTime.Millisecond, 500 * VirtualTime.Millisecond);
        Cancels = random.Chance(0.3) ? 0.05 : 0;
    }

    public MqttVersion Version { get; }

    public bool AllowVersionFallback { get; }

    public int ClientReceiveMaximum { get; }

    public int ServerReceiveMaximum { get; }

    public int MaximumInFlight { get; }

    /// <summary>Seconds.</summary>
    public int KeepAlive { get; }

    /// <summary>How many the client takes from the server.</summary>
    public int ClientAliases { get; }

    /// <summary>How many the server takes from the client.</summary>
    public int ServerAliases { get; }

    public long Latency { get; }

    /// <summary>How long messages are published.</summary>
    public long Span { get; }

    public int HandlerConcurrency { get; }

    /// <summary>Of the slower handlers.</summary>
    public long HandlerDelay { get; }

    /// <summary>How many of the client's waits are cancelled.</summary>
    public double Cancels { get; }

    /// <summary>How many messages the client may have in flight on a connection of this version.</summary>
    public int Window(MqttVersion version) => version == MqttVersion.Mqtt5 ? Math.Min(MaximumInFlight, ServerReceiveMaximum) : MaximumInFlight;
}
