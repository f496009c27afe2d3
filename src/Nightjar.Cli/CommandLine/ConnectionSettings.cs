using System.Globalization;
using System.Net;

namespace Nightjar.Cli.CommandLine;

/// <summary>
/// What every verb that connects can be told, with the letters, defaults and meanings of mosquitto_pub and mosquitto_sub. A verb derives from it and adds
/// its own flags.
/// </summary>
internal abstract class ConnectionSettings : VerbSettings
{
    private const int DefaultPort = 1883;
    private const int DefaultTlsPort = 8883;

    // MQTT 5 is tried first and 3.1.1 after it, unless one version is asked for: so that no broker needs a flag.
    private static readonly Dictionary<string, MqttVersion> Versions = new(StringComparer.Ordinal)
    {
        ["mqttv31"] = MqttVersion.Mqtt31,
        ["31"] = MqttVersion.Mqtt31,
        ["mqttv311"] = MqttVersion.Mqtt311,
        ["311"] = MqttVersion.Mqtt311,
        ["mqttv5"] = MqttVersion.Mqtt5,
        ["5"] = MqttVersion.Mqtt5,
    };

    private int? _port;
    private string? _userName;
    private string? _password;
    private string? _passwordFile;
    private string? _clientId;
    private string? _idPrefix;
    private IPAddress? _localAddress;
    private int _keepAlive = 60;
    private int? _maximumInFlight;
    private TimeSpan? _expiry;
    private MqttVersion? _version;

    /// <summary>A name or an address.</summary>
    public string Host { get; private set; } = "localhost";

    /// <summary>Whether a flag said where to connect.</summary>
    public bool NamesServer { get; private set; }

    /// <summary>The port, with the default of the transport.</summary>
    public int Port => _port ?? (Tls.Enabled ? DefaultTlsPort : DefaultPort);

    public bool CleanSession { get; private set; } = true;

    /// <summary>Where the session lives; without a directory it ends with the process.</summary>
    public StoreFlags Store { get; } = new();

    /// <summary>How long to try to deliver what the store holds.</summary>
    public TimeSpan DeliveryTimeout { get; protected set; }

    /// <summary>Whether a connection that was lost is made again.</summary>
    public virtual bool Reconnects => true;

    /// <summary>The version that was asked for; null: the best that both know.</summary>
    public MqttVersion? Version => _version ?? (Properties.Any ? MqttVersion.Mqtt5 : null);

    public PropertySettings Properties { get; } = new();

    public WillSettings Will { get; } = new();

    public TlsSettings Tls { get; } = new();

    /// <summary>Whether a password would travel where others can read it.</summary>
    public bool ExposesPassword(MqttServer server) => server.Credentials?.Password is not null && !Tls.Enabled && !IsLoopback;

    private bool IsLoopback =>
        Host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(Host, out var address) && IPAddress.IsLoopback(address));

    /// <summary>The options of the client that these settings ask for. Throws <see cref="UsageException"/>.</summary>
    public virtual MqttClientOptions ToClientOptions(Invocation invocation)
    {
        var connect = Properties.Connect;
        var options = new MqttClientOptions
        {
            Version = Version ?? MqttVersion.Mqtt5,
            AllowVersionFallback = Version is null,
            ClientId = _clientId ?? (_idPrefix is null ? null : $"{_idPrefix}{Environment.ProcessId}"),
            KeepAlive = TimeSpan.FromSeconds(_keepAlive),
            Will = Will.ToWill(Properties.Will),
            TimeProvider = invocation.Clock,
        };
        options.Servers.Add(ToServer(invocation));
        options.Session.CleanStart = CleanSession;
        options.Session.ExpiryInterval = _expiry ?? connect.Seconds("session-expiry-interval") ?? (CleanSession ? TimeSpan.Zero : Timeout.InfiniteTimeSpan);
        options.Session.Store = Store.Directory is null ? null : Store.Open(Durability);
        options.Reconnect.FirstConnect = FirstConnect.SingleAttempt;
        options.Reconnect.Enabled = Reconnects;
        options.Outbox.MaximumInFlight = _maximumInFlight ?? options.Outbox.MaximumInFlight;
        // Mosquitto 2.0.11 sends up to a thousand messages more than it was allowed; a limit would end every connection that is busy.
        options.Receive.ReceiveMaximum = (int)(connect.Number("receive-maximum") ?? ushort.MaxValue);
        options.Receive.TopicAliasMaximum = (int?)connect.Number("topic-alias-maximum") ?? options.Receive.TopicAliasMaximum;
        options.Receive.MaximumPacketSize = (int)Math.Min(connect.Number("maximum-packet-size") ?? MessageLimit.Packet, MessageLimit.Packet);
        // No less, or the largest message would never fit.
        options.Receive.Budget = Math.Max(options.Receive.Budget, options.Receive.MaximumPacketSize);
        foreach (var property in connect.UserProperties)
        {
            options.UserProperties.Add(property);
        }

        return options;
    }

    /// <summary>The DISCONNECT that <c>-D DISCONNECT</c> asks for.</summary>
    public DisconnectOptions ToDisconnectOptions() => new()
    {
        ReasonString = Properties.Disconnect.Text("reason-string"),
        SessionExpiryInterval = Properties.Disconnect.Seconds("session-expiry-interval"),
        UserProperties = Properties.Disconnect.UserProperties,
    };

    /// <summary>What the store calls stored.</summary>
    protected virtual Durability Durability => Durability.Grouped;

    /// <summary>As <see cref="ToClientOptions"/>, for a verb that delivers what its store holds, and ends: it keeps trying for <see cref="DeliveryTimeout"/>, unless trying does not help.</summary>
    public MqttClientOptions ToDeliveryOptions(Invocation invocation)
    {
        var options = ToClientOptions(invocation);
        options.ConnectTimeout = DeliveryTimeout;
        options.Reconnect.Enabled = true;
        options.Reconnect.FirstConnect = FirstConnect.FailFast;
        options.Reconnect.PermanentFailures = PermanentFailures.GiveUp;
        options.Reconnect.MaximumDelay = TimeSpan.FromSeconds(5);
        // What is not delivered when the time is over stays in the store; there is nothing to wait for once more.
        options.DrainTimeout = TimeSpan.Zero;
        return options;
    }

    /// <summary>Connects there; TLS too is asked for by its flags.</summary>
    protected void UseServer(string host, int port, bool usesTls)
    {
        (Host, _port) = (host, port > 0 ? port : null);
        Tls.Enabled |= usesTls;
    }

    /// <summary>Connects as this client, unless a flag gives an identifier.</summary>
    protected void UseClientId(string? clientId) => _clientId ??= _idPrefix is null ? clientId : null;

    /// <summary>The flag of the verbs that can keep their session.</summary>
    protected Flag StoreFlag(string help) => new("--store", "DIR", help, value => Store.Directory = value);

    /// <summary>The flag of the verbs that deliver what their store holds.</summary>
    protected Flag TimeoutFlag(string help) =>
        new("--timeout", "SECONDS", help, value => DeliveryTimeout = TimeSpan.FromSeconds(FlagValue.Number("--timeout", value, 0.001, 1_000_000)));

    /// <summary>Takes the topic of <c>-t</c> or <c>-L</c>.</summary>
    protected abstract void AddTopic(string flag, string text);

    /// <summary>Adds the flags of the connection, after the verb's own.</summary>
    protected void AddConnection() => Add(
        new FlagGroup("Connection",
        [
            new("-h --host", "HOST", "name or address of the broker (localhost)", value => (Host, NamesServer) = (value, true)),
            new("-p --port", "PORT", "port of the broker (1883, with TLS 8883)", value =>
                (_port, NamesServer) = (FlagValue.Integer("-p", value, 1, 65_535), true)),
            new("-L --url", "URL", "all at once: mqtt(s)://[user[:password]@]host[:port]/topic", TakeUrl),
            new("-u --username", "NAME", "user name", value => _userName = value),
            new("-P --pw", "PASSWORD", "password; others on this machine can see it here, so prefer one of:", value => _password = value),
            new("--password-file", "FILE", "file whose first line is the password; or the variable NIGHTJAR_PASSWORD, with -u", value => _passwordFile = value),
            new("-V --protocol-version", "VERSION", "31, 311 or 5, also mqttv31 ... (5, and 311 if the broker does not know it)", value =>
                _version = Versions.TryGetValue(value, out var version) ? version : throw new UsageException($"-V takes 31, 311 or 5, not '{value}'.")),
            new("-A", "ADDRESS", "local address to connect from", value =>
                _localAddress = IPAddress.TryParse(value, out var address) ? address : throw new UsageException($"-A takes an IP address, not '{value}'.")),
            new("-k --keepalive", "SECONDS", "keep-alive, 5 to 65535 (60)", value => _keepAlive = FlagValue.Integer("-k", value, 5, 65_535)),
            new("-M", "COUNT", "most QoS 1 and 2 messages in flight (what the broker allows)", value =>
                _maximumInFlight = FlagValue.Integer("-M", value, 1, 65_535)),
            new("--nodelay", string.Empty, () => { }),
        ]),
        new FlagGroup("Session",
        [
            new("-i --id", "ID", "client identifier (a random one)", value => _clientId = value),
            new("-I --id-prefix", "PREFIX", "client identifier: this and the process id", value => _idPrefix = value),
            new("-c --disable-clean-session", "keep the session: do not start anew, and never expire; needs -i", () => CleanSession = false),
            new("-x", "SECONDS", "MQTT 5: how long the broker keeps the session; -1: for ever (0, with -c and --store -1)", value => _expiry = FlagValue.SessionExpiry("-x", value)),
            Properties.Flag,
        ]),
        Will.Flags,
        Tls.Flags,
        UnsupportedFlags.Group);

    protected override void Validate()
    {
        if (_port == DefaultTlsPort)
        {
            Tls.Enabled = true;
        }

        Tls.Validate();
        if (_clientId is not null && _idPrefix is not null)
        {
            throw new UsageException("-i and -I argument cannot be used together.");
        }

        if (Store.Directory is not null)
        {
            // A session that outlives the process here must outlive the connection there; and without -i the store remembers the identifier.
            CleanSession = false;
            return;
        }

        if (_clientId is null && (!CleanSession || _expiry == Timeout.InfiniteTimeSpan))
        {
            throw new UsageException($"You must provide a client id (-i) if you are using {(CleanSession ? "an infinite session expiry interval" : "the -c option")}.");
        }
    }

    private void TakeUrl(string text)
    {
        var url = BrokerUrl.Parse(text);
        (Host, NamesServer) = (url.Host, true);
        _port = url.Port ?? (url.UsesTls ? DefaultTlsPort : DefaultPort);
        _userName = url.UserName ?? _userName;
        _password = url.Password ?? _password;
        Tls.Enabled |= url.UsesTls;
        AddTopic("-L", url.Topic);
    }

    private MqttServer ToServer(Invocation invocation)
    {
        var host = Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host;
        MqttServer server;
        try
        {
            server = new MqttServer(string.Create(CultureInfo.InvariantCulture, $"{(Tls.Enabled ? "mqtts" : "mqtt")}://{host}:{Port}"));
        }
        catch (UriFormatException error)
        {
            throw new UsageException($"-h: '{Host}' is not a name or an address: {error.Message}", error);
        }

        if (_userName is not null || _password is not null || _passwordFile is not null)
        {
            server.Credentials = new MqttCredentials(_userName, Password(invocation));
        }

        server.Tls = Tls.ToOptions();
        server.LocalAddress = _localAddress;
        // Whoever writes -u and -P for a plain connection means it, as with mosquitto_pub; the verb warns.
        server.AllowPlaintextCredentials = true;
        return server;
    }

    private string? Password(Invocation invocation)
    {
        if (_password is not null || _passwordFile is null)
        {
            return _password ?? invocation.Variable("NIGHTJAR_PASSWORD");
        }

        try
        {
            return File.ReadLines(_passwordFile).FirstOrDefault(string.Empty);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"--password-file: {error.Message}", error);
        }
    }
}
