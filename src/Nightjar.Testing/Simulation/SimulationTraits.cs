namespace Nightjar.Testing.Simulation;

/// <summary>What stays the same through a run: chosen by the seed where the options leave it open.</summary>
internal sealed class SimulationTraits
{
    // With its topic.
    private const long LargestMessage = 1_800;

    private static readonly OutboxOverflow[] Policies = Enum.GetValues<OutboxOverflow>();

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
        HasStore = options.Store ?? random.Chance(0.6);
        CommitDelay = random.Magnitude(VirtualTime.Millisecond / 20, 20 * VirtualTime.Millisecond);
        Slack = random.Chance(0.3) ? 0 : random.Magnitude(500, 30_000);
        StoringFilters = HasStore ? random.Of([0, 0.4, 0.4, 1]) : 0;
        HasBudget = random.Chance(0.5);
        Overflow = HasBudget ? random.Of(Policies) : OutboxOverflow.Wait;
        MaximumMessages = HasBudget ? MaximumInFlight + 3 + (int)random.Magnitude(1, 30) : int.MaxValue;
        MaximumBytes = HasBudget && random.Chance(0.3) ? random.Magnitude(LargestMessage, 5 * LargestMessage) : long.MaxValue;
        Expiring = random.Chance(0.3) ? 0.2 : 0;
        Impatient = random.Chance(0.2) ? 0.1 : 0;
        Receipts = random.Of([0, 0.7, 0.7, 1]);
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

    /// <summary>Whether the session outlives the process.</summary>
    public bool HasStore { get; }

    /// <summary>The longest that a commit takes on a disk that is well.</summary>
    public long CommitDelay { get; }

    /// <summary>How much log may lie behind the oldest live record before it is written anew, in bytes.</summary>
    public long Slack { get; }

    /// <summary>How many subscriptions store their messages.</summary>
    public double StoringFilters { get; }

    /// <summary>Whether the outbox is small.</summary>
    public bool HasBudget { get; }

    public OutboxOverflow Overflow { get; }

    /// <summary>A few more than may be in flight.</summary>
    public int MaximumMessages { get; }

    public long MaximumBytes { get; }

    /// <summary>How many messages have a time to live.</summary>
    public double Expiring { get; }

    /// <summary>How many messages do not wait for a connection.</summary>
    public double Impatient { get; }

    /// <summary>How many messages are enqueued for a receipt; the sender of any other waits for its end.</summary>
    public double Receipts { get; }

    /// <summary>How many messages the client may have in flight on a connection of this version.</summary>
    public int Window(MqttVersion version) => version == MqttVersion.Mqtt5 ? Math.Min(MaximumInFlight, ServerReceiveMaximum) : MaximumInFlight;
}
