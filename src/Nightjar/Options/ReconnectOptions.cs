namespace Nightjar;

/// <summary>
/// What happens when a connection fails or cannot be made: how long to wait, which server comes next, and what is done about failures that waiting does not cure.
/// </summary>
/// <remarks>
/// With several servers, one is tried until its delays are used up (until <see cref="MaximumDelay"/> is reached), then the next one, and round again. A server that works is kept. Only
/// while the first connection is awaited (<see cref="FirstConnect.FailFast"/>), and with <see cref="ReconnectPolicy.From"/>, the attempt after each failure is for the next server.
/// </remarks>
public sealed class ReconnectOptions
{
    /// <summary>Before the first connection. Default: <see cref="FirstConnect.FailFast"/>.</summary>
    public FirstConnect FirstConnect { get; set; }

    /// <summary>
    /// Whether a connection that was lost is made again. Default: true. False is <see cref="ReconnectPolicy.None"/>: any other <see cref="Policy"/> then only times the attempts up to the first
    /// connection.
    /// </summary>
    public bool Enabled { get; set; } = true;

    /// <summary>
    /// How long to wait after a failure. Default: null, exponential from <see cref="MinimumDelay"/> to <see cref="MaximumDelay"/>, of which <see cref="Jitter"/> is left to
    /// chance.
    /// </summary>
    public ReconnectPolicy? Policy { get; set; }

    /// <summary>The range of the first delay; it doubles with each failure. Default: 1 s; more than zero, at most <see cref="MaximumDelay"/>.</summary>
    public TimeSpan MinimumDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The range stops growing here. Default: 60 s; at most 49 days.</summary>
    public TimeSpan MaximumDelay { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// How much of a delay is left to chance, from 0 to 1. Default: 1, anything from nothing to the whole range, so that the clients of a restarted server do not come
    /// back in step. 0.1: from nine tenths of it to all.
    /// </summary>
    public double Jitter { get; set; } = 1;

    /// <summary>How long a connection must live before the delay starts over. Default: 30 s; zero to 49 days.</summary>
    public TimeSpan StableAfter { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// About failures that trying again does not cure: bad credentials, a ban, another version, a certificate for another name. They are always reported at once. Default:
    /// <see cref="PermanentFailures.RetrySlowly"/>. With several servers it applies once all of them fail so.
    /// </summary>
    public PermanentFailures PermanentFailures { get; set; }

    /// <summary>When another client connects with the same client identifier. Default: <see cref="Takeover.RetrySlowly"/>; see there.</summary>
    public Takeover Takeover { get; set; }

    /// <summary>In which order several servers are tried. Default: <see cref="ServerOrder.AsListed"/>.</summary>
    public ServerOrder ServerOrder { get; set; }

    /// <summary>
    /// After how long on another server the first one is tried again: the connection ends in order, and if the first server does not take us, the other one has us back at once.
    /// Default: null, never: a server that works is kept. More than zero, at most 49 days; it needs a second server, or <see cref="AllowedRedirects"/>.
    /// </summary>
    public TimeSpan? FailBackAfter { get; set; }

    /// <summary>
    /// 5.0: the hosts besides those of <see cref="MqttClientOptions.Servers"/> that a server may send this client to (0x9C, 0x9D): <c>host</c>, <c>host:port</c>,
    /// <c>*.domain</c>. Default: none. Credentials and client certificates are not sent there: they belong to the host that they were given for; a
    /// <see cref="ConnectionOptions.BeforeConnect"/> may add some. An encrypted link is never left for an open one.
    /// </summary>
    public IList<string> AllowedRedirects { get; private init; } = [];

    /// <summary>
    /// What says that the network changed, which cuts a wait short (to no less than <see cref="MinimumDelay"/> after the last attempt). Default:
    /// <see cref="NetworkChangeSource.OperatingSystem"/>; null: nothing does.
    /// </summary>
    public NetworkChangeSource? NetworkChange { get; set; } = NetworkChangeSource.OperatingSystem;

    /// <summary>A copy.</summary>
    internal ReconnectOptions Snapshot() => new()
    {
        FirstConnect = FirstConnect,
        Enabled = Enabled,
        Policy = Policy,
        MinimumDelay = MinimumDelay,
        MaximumDelay = MaximumDelay,
        Jitter = Jitter,
        StableAfter = StableAfter,
        PermanentFailures = PermanentFailures,
        Takeover = Takeover,
        ServerOrder = ServerOrder,
        FailBackAfter = FailBackAfter,
        AllowedRedirects = [.. AllowedRedirects],
        NetworkChange = NetworkChange,
    };
}
