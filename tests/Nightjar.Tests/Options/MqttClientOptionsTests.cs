using System.Net;
using Xunit;

namespace Nightjar.Tests.Options;

public sealed class MqttClientOptionsTests
{
    [Fact]
    public void Defaults_are_valid()
    {
        var snapshot = new MqttClientOptions("mqtt://localhost").Snapshot();

        Assert.Equal(MqttVersion.Mqtt5, snapshot.Version);
        Assert.Equal(TimeSpan.FromSeconds(60), snapshot.KeepAlive);
        Assert.Equal("mqtt://localhost:1883", Assert.Single(snapshot.Servers).ToString());
    }

    [Fact]
    public void A_snapshot_is_not_changed_by_later_changes()
    {
        var payload = "gone"u8.ToArray();
        var willProperties = new List<UserProperty> { new("a", "b") };
        var options = new MqttClientOptions("mqtt://localhost")
        {
            ClientId = "me",
            Will = new WillMessage { Topic = "t", Payload = payload, CorrelationData = payload, UserProperties = willProperties },
        };
        options.UserProperties.Add(new UserProperty("c", "d"));

        var snapshot = options.Snapshot();
        payload.AsSpan().Clear();
        willProperties.Clear();
        options.ClientId = "you";
        options.KeepAlive = TimeSpan.Zero;
        options.Session.CleanStart = false;
        options.Reconnect.Enabled = false;
        options.Outbox.LowerQoS = true;
        options.Receive.ReceiveMaximum = 1;
        options.UserProperties.Clear();
        options.Servers[0].LocalAddress = IPAddress.Loopback;
        options.Servers.Clear();

        Assert.Equal("me", snapshot.ClientId);
        Assert.Equal(TimeSpan.FromSeconds(60), snapshot.KeepAlive);
        Assert.Equal("gone"u8.ToArray(), snapshot.Will!.Payload.ToArray());
        Assert.Equal("gone"u8.ToArray(), snapshot.Will.CorrelationData!.Value.ToArray());
        Assert.Equal([new UserProperty("a", "b")], snapshot.Will.UserProperties);
        Assert.Null(snapshot.Session.CleanStart);
        Assert.True(snapshot.Reconnect.Enabled);
        Assert.False(snapshot.Outbox.LowerQoS);
        Assert.Equal(256, snapshot.Receive.ReceiveMaximum);
        Assert.Equal([new UserProperty("c", "d")], snapshot.UserProperties);
        Assert.Null(Assert.Single(snapshot.Servers).LocalAddress);
    }

    [Fact]
    public void Every_setting_reaches_the_snapshot()
    {
        var time = new OtherTime();
        var options = new MqttClientOptions("mqtts://user:pass@localhost:1")
        {
            Version = MqttVersion.Mqtt311,
            AllowVersionFallback = false,
            ClientId = "me",
            KeepAlive = TimeSpan.FromSeconds(7),
            ConnectTimeout = TimeSpan.FromSeconds(8),
            DrainTimeout = TimeSpan.Zero,
            Will = new WillMessage { Topic = "t" },
            Session = new SessionOptions { CleanStart = false, ExpiryInterval = Timeout.InfiniteTimeSpan, Store = new MemorySessionStore() },
            Reconnect = new ReconnectOptions
            {
                FirstConnect = FirstConnect.KeepTrying,
                Enabled = false,
                MinimumDelay = TimeSpan.FromMilliseconds(1),
                MaximumDelay = TimeSpan.FromMilliseconds(2),
                StableAfter = TimeSpan.Zero,
                Policy = ReconnectPolicy.None,
                Jitter = 0.5,
                PermanentFailures = PermanentFailures.GiveUp,
                Takeover = Takeover.GiveUp,
                ServerOrder = ServerOrder.Random,
                FailBackAfter = TimeSpan.FromHours(1),
                AllowedRedirects = { "*.example" },
                NetworkChange = null,
            },
            Connection = new ConnectionOptions
            {
                MaximumAge = TimeSpan.FromHours(2),
                IdleTimeout = TimeSpan.FromMinutes(3),
                Schedule = ConnectionSchedule.Daily(TimeOnly.MinValue, TimeOnly.MaxValue),
                ReadinessGate = _ => default,
                BeforeConnect = (_, _) => default,
            },
            Outbox = new OutboxOptions { PublishTimeout = TimeSpan.FromSeconds(1), MaximumInFlight = 1, MaximumTopicAliases = 2, LowerQoS = true },
            Receive = new ReceiveOptions { ReceiveMaximum = 3, MaximumPacketSize = 16, TopicAliasMaximum = 0, Budget = 16, HandlerRetries = 0 },
            LoggerFactory = new Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory(),
            TimeProvider = time,
        };
        options.UserProperties.Add(new UserProperty("a", "b"));

        var snapshot = options.Snapshot();

        Assert.Equivalent(options, snapshot, strict: true);
        Assert.NotSame(options.Session, snapshot.Session);
        Assert.Same(options.Session.Store, snapshot.Session.Store);
        Assert.NotSame(options.Connection, snapshot.Connection);
        Assert.Same(time, snapshot.TimeProvider);
    }

    [Fact]
    public void A_store_of_one_server_is_refused()
    {
        var options = new MqttClientOptions("mqtt://localhost");
        options.Servers[0].Session = new SessionOptions { Store = new MemorySessionStore() };

        var exception = Assert.Throws<ArgumentException>(options.Snapshot);

        Assert.Contains("Servers[0].Session.Store is set", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_exception_lists_every_conflict()
    {
        var options = new MqttClientOptions { KeepAlive = TimeSpan.FromSeconds(-1), ConnectTimeout = TimeSpan.Zero };

        var exception = Assert.Throws<ArgumentException>(options.Snapshot);

        Assert.Equal("options", exception.ParamName);
        var lines = exception.Message.Split(Environment.NewLine).Where(line => line.StartsWith("- ", StringComparison.Ordinal)).ToList();
        Assert.Equal(3, lines.Count);
        Assert.StartsWith("- KeepAlive is -1 s; it must be whole seconds from 0 to 65535.", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("- ConnectTimeout is 0 s;", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("- Servers is empty; add one", lines[2], StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Limits))]
    public void A_value_at_its_limit_is_accepted(string name)
    {
        var options = new MqttClientOptions("mqtts://localhost");
        AtTheLimit[name](options);

        Assert.NotNull(options.Snapshot());
    }

    public static TheoryData<string> Limits => [.. AtTheLimit.Keys];

    private static Dictionary<string, Action<MqttClientOptions>> AtTheLimit { get; } = new()
    {
        ["keep-alive off"] = o => o.KeepAlive = TimeSpan.Zero,
        ["longest keep-alive"] = o => o.KeepAlive = TimeSpan.FromSeconds(65_535),
        ["client id assigned by the server"] = o => o.ClientId = "",
        ["longest client id"] = o => o.ClientId = new string('x', 65_535),
        ["client id of 23 characters in 3.1"] = o => (o.Version, o.ClientId) = (MqttVersion.Mqtt31, new string('x', 23)),
        ["long client id in 3.1.1"] = o => (o.Version, o.ClientId) = (MqttVersion.Mqtt311, new string('x', 24)),
        ["supplementary character"] = o => o.ClientId = "🌙",
        ["connect timeout of 49 days"] = o => o.ConnectTimeout = TimeSpan.FromDays(49),
        ["no drain"] = o => o.DrainTimeout = TimeSpan.Zero,
        ["session for ever"] = o => o.Session.ExpiryInterval = Timeout.InfiniteTimeSpan,
        ["session of no time"] = o => o.Session.ExpiryInterval = TimeSpan.Zero,
        ["longest session that ends"] = o => o.Session.ExpiryInterval = TimeSpan.FromSeconds(4_294_967_294),
        ["equal delays"] = o => o.Reconnect.MinimumDelay = o.Reconnect.MaximumDelay,
        ["no jitter"] = o => o.Reconnect.Jitter = 0,
        ["delays of no time"] = o => o.Reconnect.Policy = ReconnectPolicy.Delays(TimeSpan.Zero),
        ["redirects"] = o => o.Reconnect.AllowedRedirects.Add("*.example:1883"),
        ["largest in flight"] = o => o.Outbox.MaximumInFlight = 65_535,
        ["no aliases"] = o => (o.Outbox.MaximumTopicAliases, o.Receive.TopicAliasMaximum) = (0, 0),
        ["largest packet"] = o => (o.Receive.MaximumPacketSize, o.Receive.Budget) = (268_435_460, 268_435_460),
        ["largest streams"] = o => (o.Receive.MaximumStreamedPacketSize, o.Receive.OversizedPackets) = (268_435_460, OversizedPackets.Skip),
        ["largest will"] = o => o.Will = new WillMessage { Topic = "t", Payload = new byte[65_535], CorrelationData = new byte[65_535] },
        ["will with everything"] = o => o.Will = new WillMessage
        {
            Topic = "t",
            Payload = "text"u8.ToArray(),
            PayloadFormat = PayloadFormat.Utf8,
            Delay = TimeSpan.FromSeconds(1),
            TimeToLive = TimeSpan.FromSeconds(1),
            ContentType = "text/plain",
            ResponseTopic = "r",
            UserProperties = [new("a", "b")],
        },
        ["password alone in 5.0"] = o => o.Servers[0].Credentials = new MqttCredentials(null, "p"),
        ["user name alone in 3.1.1"] = o => (o.Version, o.Servers[0].Credentials) = (MqttVersion.Mqtt311, new MqttCredentials("u")),
        ["longest user property"] = o => o.UserProperties.Add(new UserProperty("", new string('ä', 32_767))),
        ["certificate and key in one file"] = o => o.Servers[0].Tls.CertificateFile = "both.pem",
        ["encrypted key"] = o => (o.Servers[0].Tls.CertificateFile, o.Servers[0].Tls.KeyFile, o.Servers[0].Tls.KeyPassword) = ("c.pem", "k.pem", "p"),
        ["TLS 1.2 and 1.3"] = o => o.Servers[0].Tls.Protocols = System.Security.Authentication.SslProtocols.Tls12 | System.Security.Authentication.SslProtocols.Tls13,
        ["longest ALPN"] = o => o.Servers[0].Tls.ApplicationProtocols.Add(new string('x', 255)),
        ["stream"] = o => o.Servers[0] = MqttServer.FromStream("pair", _ => default),
        ["permissions without TLS"] = o => o.Servers[0] = new MqttServer("mqtt://localhost") { Tls = { AllowNameMismatch = true, AllowUntrusted = true } },
        ["two servers"] = o => o.Servers.Add(new MqttServer("mqtt://second")),
    };

    private sealed class OtherTime : TimeProvider;
}
