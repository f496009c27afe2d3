using Microsoft.Extensions.Logging;

namespace Nightjar;

/// <summary>
/// Everything that a client can be told. Set it, hand it to <see cref="MqttClient(MqttClientOptions)"/>: the constructor validates all of it at once (one
/// exception lists every conflict) and keeps a snapshot, so later changes have no effect. Not thread-safe while it is being set.
/// </summary>
public sealed class MqttClientOptions
{
    /// <summary>No server yet; add at least one.</summary>
    public MqttClientOptions()
    {
    }

    /// <summary>One server: <c>mqtt://user:p%40ss@host:1884</c>, <c>mqtts://host</c>. Throws <see cref="UriFormatException"/> for a URI that is none.</summary>
    public MqttClientOptions(string uri) => Servers.Add(new MqttServer(uri));

    /// <summary>Where to connect; at least one. <see cref="Reconnect"/> says which of several is tried when.</summary>
    public IList<MqttServer> Servers { get; private init; } = [];

    /// <summary>The version to speak. Default: 5.0.</summary>
    public MqttVersion Version { get; set; } = MqttVersion.Mqtt5;

    /// <summary>Whether to try 3.1.1 when a server does not know <see cref="Version"/>. Default: true.</summary>
    public bool AllowVersionFallback { get; set; } = true;

    /// <summary>
    /// The client identifier, at most 65,535 bytes of UTF-8; 1 to 23 characters in 3.1. Default: null, which means <c>nj-</c> and 80 random bits, kept for the
    /// client's life. Empty (<see cref="Nightjar.ClientId.None"/>): the server assigns one. <see cref="Nightjar.ClientId"/> has more, and the tokens that are replaced in it.
    /// </summary>
    public string? ClientId { get; set; }

    /// <summary>How often the link is proved alive. Default: 60 s; whole seconds, at most 65,535; zero turns it off.</summary>
    public TimeSpan KeepAlive { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// One deadline for name resolution, TCP, TLS and CONNACK together; with <see cref="Nightjar.FirstConnect.FailFast"/> also for all attempts to make the first connection.
    /// Default: 15 s; more than zero, at most 49 days.
    /// </summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// How long <see cref="MqttClient.DisposeAsync"/>, <see cref="MqttClient.DisconnectAsync"/> and whatever else ends a connection in order wait for what is on its way. Default:
    /// 5 s; zero to 49 days.
    /// </summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>What the server publishes if this client dies. Default: nothing.</summary>
    public WillMessage? Will { get; set; }

    /// <summary>How long the server keeps the session, and whether it starts anew.</summary>
    public SessionOptions Session { get; set; } = new();

    /// <summary>What happens when a connection fails or cannot be made.</summary>
    public ReconnectOptions Reconnect { get; set; } = new();

    /// <summary>When there is to be a connection, and what happens before each attempt.</summary>
    public ConnectionOptions Connection { get; set; } = new();

    /// <summary>What waits to be sent, and how.</summary>
    public OutboxOptions Outbox { get; set; } = new();

    /// <summary>What the server may send, and how it is handed on.</summary>
    public ReceiveOptions Receive { get; set; } = new();

    /// <summary>Requests and their answers.</summary>
    public RequestOptions Requests { get; set; } = new();

    /// <summary>Where handlers run. Default: <see cref="HandlerContext.Parallel"/>, on the thread pool, subscriptions beside each other.</summary>
    public HandlerContext HandlerContext { get; set; } = HandlerContext.Parallel;

    /// <summary>5.0: user properties of CONNECT.</summary>
    public IList<UserProperty> UserProperties { get; private init; } = [];

    /// <summary>Where logs go. Default: nowhere.</summary>
    public ILoggerFactory? LoggerFactory { get; set; }

    /// <summary>How the client shows itself to who measures and traces.</summary>
    public TelemetryOptions Telemetry { get; set; } = new();

    /// <summary>Sees every packet that goes either way. Default: null, nobody does, and then it costs nothing.</summary>
    public IMqttPacketInspector? PacketInspector { get; set; }

    /// <summary>The clock. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>One line for people; of credentials it says only that there are some, of the will only the topic.</summary>
    public override string ToString()
    {
        var parts = new List<string>
        {
            Servers.Count == 0 ? "no server" : string.Join(", ", Servers.Select(Describe)),
            Version switch { MqttVersion.Mqtt31 => "MQTT 3.1", MqttVersion.Mqtt311 => "MQTT 3.1.1", _ => "MQTT 5.0" },
            ClientId is null ? "generated client id" : $"client id '{ClientId}'",
            KeepAlive == TimeSpan.Zero ? "no keep-alive" : $"keep-alive {KeepAlive.TotalSeconds} s",
        };
        if (Will is not null)
        {
            parts.Add($"will on '{Will.Topic}'");
        }

        return string.Join("; ", parts);

        static string Describe(MqttServer? server) => server?.Credentials switch
        {
            null => $"{server}",
            { Password: null } => $"{server} with a user name",
            { UserName: null } => $"{server} with a password",
            _ => $"{server} with a user name and a password",
        };
    }

    /// <summary>
    /// A validated deep copy, which by convention nobody changes any more. Throws one <see cref="ArgumentException"/> that lists every conflict.
    /// </summary>
    internal MqttClientOptions Snapshot()
    {
        OptionsValidation.ThrowIfInvalid(this);
        return new MqttClientOptions
        {
            Servers = [.. Servers.Select(server => server.Snapshot())],
            Version = Version,
            AllowVersionFallback = AllowVersionFallback,
            ClientId = Nightjar.ClientId.Expand(ClientId),
            KeepAlive = KeepAlive,
            ConnectTimeout = ConnectTimeout,
            DrainTimeout = DrainTimeout,
            Will = Will?.Snapshot(),
            Session = Session.Snapshot(),
            Reconnect = Reconnect.Snapshot(),
            Connection = Connection.Snapshot(),
            Outbox = Outbox.Snapshot(),
            Receive = Receive.Snapshot(),
            Requests = Requests.Snapshot(),
            HandlerContext = HandlerContext,
            UserProperties = [.. UserProperties],
            LoggerFactory = LoggerFactory,
            Telemetry = Telemetry.Snapshot(),
            PacketInspector = PacketInspector,
            TimeProvider = TimeProvider,
        };
    }
}
