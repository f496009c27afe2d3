using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Engine;

/// <summary>What the outbound half is told; times in ticks of 100 ns, <see cref="long.MaxValue"/> for never.</summary>
internal sealed record OutboxSettings
{
    public int MaximumInFlight { get; init; } = ushort.MaxValue;

    public int MaximumTopicAliases { get; init; }

    public bool LowerQoS { get; init; }

    public QoS MaximumQoS { get; init; } = QoS.ExactlyOnce;

    public long PublishTimeout { get; init; } = long.MaxValue;

    public int MaximumMessages { get; init; } = int.MaxValue;

    public long MaximumBytes { get; init; } = long.MaxValue;

    public long MaximumAge { get; init; } = long.MaxValue;

    public OutboxOverflow Overflow { get; init; }

    public int RememberedIds { get; init; } = 100_000;

    public PaceSettings Pace { get; init; } = new();
}

/// <summary>What the engine is told once; times in ticks of 100 ns.</summary>
internal sealed record EngineSettings
{
    /// <summary>Everything of CONNECT that does not change: the engine fills in version, client identifier and clean start.</summary>
    public required ConnectPacket Connect { get; init; }

    public MqttVersion Version { get; init; } = MqttVersion.Mqtt5;

    public bool AllowVersionFallback { get; init; } = true;

    /// <summary>Whether the client identifier was generated: its session is nobody's after this client.</summary>
    public bool ClientIdIsGenerated { get; init; }

    /// <summary>What the application said about the first attempt; null: the default.</summary>
    public bool? CleanStart { get; init; }

    public long ConnectTimeout { get; init; } = 15 * TimeSpan.TicksPerSecond;

    public long DrainTimeout { get; init; } = 5 * TimeSpan.TicksPerSecond;

    public FirstConnect FirstConnect { get; init; }

    public bool Reconnect { get; init; } = true;

    public long MinimumDelay { get; init; } = TimeSpan.TicksPerSecond;

    public long MaximumDelay { get; init; } = 60 * TimeSpan.TicksPerSecond;

    public long StableAfter { get; init; } = 30 * TimeSpan.TicksPerSecond;

    public int ReceiveMaximum { get; init; } = 256;

    /// <summary>How long a handler may hold a message before that is reported.</summary>
    public long HandlerWarning { get; init; } = 30 * TimeSpan.TicksPerSecond;

    /// <summary>How long it may hold one before the message is left unacknowledged.</summary>
    public long HandlerTimeout { get; init; } = long.MaxValue;

    /// <summary>The most that is held of one packet.</summary>
    public int MaximumPacketSize { get; init; } = 1024 * 1024;

    /// <summary>The largest packet for subscriptions that take streams; 0: no larger than for others.</summary>
    public int MaximumStreamedPacketSize { get; init; }

    public OversizedPackets OversizedPackets { get; init; }

    /// <summary>What CONNECT says; null: nothing.</summary>
    public uint? AnnouncedPacketSize => OversizedPackets == OversizedPackets.Skip ? null : (uint)Math.Max(MaximumPacketSize, MaximumStreamedPacketSize);

    public int TopicAliasMaximum { get; init; } = 16;

    /// <summary>Whether overlapping filters are told apart by subscription identifiers, where the server can do that.</summary>
    public bool SubscriptionIdentifiers { get; init; } = true;

    public OutboxSettings Outbox { get; init; } = new();

    /// <summary>Whether the session outlives the process: nothing is dialled before it is restored.</summary>
    public bool HasStore { get; init; }

    /// <summary>How many requests may wait for their answer at once.</summary>
    public int MaximumRequests { get; init; } = 10_000;

    /// <summary>The servers to choose from; empty: one, which <see cref="Connect"/>, <see cref="ClientIdIsGenerated"/> and <see cref="CleanStart"/> describe.</summary>
    public IReadOnlyList<ServerSettings> Servers { get; init; } = [];

    /// <summary>The host's own object.</summary>
    public object? Tag { get; init; }

    public ReconnectSettings Retry { get; init; } = new();

    public ConnectionSettings Connection { get; init; } = new();

    /// <summary>At least one.</summary>
    public IReadOnlyList<ServerSettings> AllServers => Servers.Count > 0
        ? Servers
        : [new ServerSettings { Name = "the server", Connect = Connect, ClientIdIsGenerated = ClientIdIsGenerated, CleanStart = CleanStart }];

    /// <summary>A number from 0 (inclusive) to 1 (exclusive), for jitter.</summary>
    public required Func<double> Random { get; init; }
}
