using System.Security.Authentication;
using Xunit;

namespace Nightjar.Tests.Options;

public sealed class OptionConflictsTests
{
    private const string Secret = "s3cret";

    [Theory]
    [MemberData(nameof(Expected))]
    public void A_conflict_is_named(string expected)
    {
        var options = new MqttClientOptions("mqtts://localhost");
        Conflicts[expected](options);

        var exception = Assert.Throws<ArgumentException>(options.Snapshot);

        var conflict = Assert.Single(exception.Message.Split(Environment.NewLine), line => line.StartsWith("- ", StringComparison.Ordinal));
        Assert.Contains(expected, conflict, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, exception.ToString(), StringComparison.Ordinal);
    }

    public static TheoryData<string> Expected => [.. Conflicts.Keys];

    private static Dictionary<string, Action<MqttClientOptions>> Conflicts { get; } = new()
    {
        ["Servers is empty"] = o => o.Servers.Clear(),
        ["Servers[1] is null"] = o => o.Servers.Add(null!),
        ["Version is 6"] = o => o.Version = (MqttVersion)6,
        ["ClientId holds U+0000 or a lone surrogate"] = o => o.ClientId = "a\0b",
        ["ClientId holds U+0000 or a lone surrogate, which"] = o => o.ClientId = "a\udc00b",
        ["ClientId is 65536 bytes long as UTF-8"] = o => o.ClientId = new string('ä', 32_768),
        ["ClientId has 24 characters; MQTT 3.1 wants 1 to 23"] = o => (o.Version, o.ClientId) = (MqttVersion.Mqtt31, new string('x', 24)),
        ["ClientId has 0 characters; MQTT 3.1 wants 1 to 23"] = o => (o.Version, o.ClientId) = (MqttVersion.Mqtt31, ""),
        ["ClientId is empty and Session.CleanStart false"] = o => (o.Version, o.ClientId, o.Session.CleanStart) = (MqttVersion.Mqtt311, "", false),
        ["KeepAlive is 1.5 s"] = o => o.KeepAlive = TimeSpan.FromSeconds(1.5),
        ["KeepAlive is 65536 s"] = o => o.KeepAlive = TimeSpan.FromSeconds(65_536),
        ["KeepAlive is infinite"] = o => o.KeepAlive = Timeout.InfiniteTimeSpan,
        ["ConnectTimeout is infinite"] = o => o.ConnectTimeout = Timeout.InfiniteTimeSpan,
        ["ConnectTimeout is 4320000 s"] = o => o.ConnectTimeout = TimeSpan.FromDays(50),
        ["DrainTimeout is -5 s"] = o => o.DrainTimeout = TimeSpan.FromSeconds(-5),
        ["TimeProvider is null"] = o => o.TimeProvider = null!,
        ["Session is null"] = o => o.Session = null!,
        ["Reconnect is null"] = o => o.Reconnect = null!,
        ["Outbox is null"] = o => o.Outbox = null!,
        ["Receive is null"] = o => o.Receive = null!,
        ["Session.ExpiryInterval is 0.1 s"] = o => o.Session.ExpiryInterval = TimeSpan.FromSeconds(0.1),
        ["Session.ExpiryInterval is 4294967295 s"] = o => o.Session.ExpiryInterval = TimeSpan.FromSeconds(4_294_967_295),
        ["Reconnect.FirstConnect is 3"] = o => o.Reconnect.FirstConnect = (FirstConnect)3,
        ["Reconnect.MinimumDelay is 0 s"] = o => o.Reconnect.MinimumDelay = TimeSpan.Zero,
        ["Reconnect.MinimumDelay is longer than Reconnect.MaximumDelay"] = o => o.Reconnect.MaximumDelay = TimeSpan.FromSeconds(0.5),
        ["Reconnect.MaximumDelay is 8640000 s"] = o => o.Reconnect.MaximumDelay = TimeSpan.FromDays(100),
        ["Reconnect.StableAfter is infinite"] = o => o.Reconnect.StableAfter = Timeout.InfiniteTimeSpan,
        ["Reconnect.Jitter is 1.5; it must be from 0 to 1"] = o => o.Reconnect.Jitter = 1.5,
        ["Reconnect.PermanentFailures is 2"] = o => o.Reconnect.PermanentFailures = (PermanentFailures)2,
        ["Reconnect.Takeover is 2"] = o => o.Reconnect.Takeover = (Takeover)2,
        ["Reconnect.ServerOrder is 2"] = o => o.Reconnect.ServerOrder = (ServerOrder)2,
        ["Reconnect.FailBackAfter is 0 s"] = o =>
        {
            o.Servers.Add(new MqttServer("mqtt://backup"));
            o.Reconnect.FailBackAfter = TimeSpan.Zero;
        },
        ["Reconnect.FailBackAfter is set, and there is one server"] = o => o.Reconnect.FailBackAfter = TimeSpan.FromMinutes(1),
        ["Reconnect.Policy is set, and with Enabled false and FirstConnect SingleAttempt"] = o =>
            (o.Reconnect.Enabled, o.Reconnect.FirstConnect, o.Reconnect.Policy) = (false, FirstConnect.SingleAttempt, ReconnectPolicy.Delays(TimeSpan.Zero)),
        ["Reconnect.Policy: delay 1 is -1 s"] = o => o.Reconnect.Policy = ReconnectPolicy.Delays(TimeSpan.Zero, TimeSpan.FromSeconds(-1)),
        ["Reconnect.AllowedRedirects[0] is no host"] = o => o.Reconnect.AllowedRedirects.Add("http://host"),
        ["Connection is null"] = o => o.Connection = null!,
        ["Connection.MaximumAge is 0 s"] = o => o.Connection.MaximumAge = TimeSpan.Zero,
        ["Connection.IdleTimeout is -1 s"] = o => o.Connection.IdleTimeout = TimeSpan.FromSeconds(-1),
        ["Connection.Schedule.Jitter is -1 s"] = o => o.Connection.Schedule = ConnectionSchedule.From(_ => null, TimeSpan.FromSeconds(-1)),
        ["Servers[0].ClientId holds"] = o => o.Servers[0].ClientId = "a\0b",
        ["Servers[0] has an empty ClientId and a CleanStart of false"] = o =>
            (o.Version, o.ClientId, o.Servers[0].Session) = (MqttVersion.Mqtt311, "", new SessionOptions { CleanStart = false }),
        ["Servers[0].Session.ExpiryInterval is 0.1 s"] = o => o.Servers[0].Session = new SessionOptions { ExpiryInterval = TimeSpan.FromSeconds(0.1) },
        ["Outbox.PublishTimeout is 0 s"] = o => o.Outbox.PublishTimeout = TimeSpan.Zero,
        ["Outbox.MaximumInFlight is 0; it must be from 1 to 65535"] = o => o.Outbox.MaximumInFlight = 0,
        ["Outbox.MaximumTopicAliases is 65536"] = o => o.Outbox.MaximumTopicAliases = 65_536,
        ["Receive.ReceiveMaximum is 0"] = o => o.Receive.ReceiveMaximum = 0,
        ["Receive.ReceiveMaximum is 65536"] = o => o.Receive.ReceiveMaximum = 65_536,
        ["Receive.MaximumPacketSize is 15"] = o => o.Receive.MaximumPacketSize = 15,
        ["Receive.MaximumPacketSize is 268435461"] = o => (o.Receive.MaximumPacketSize, o.Receive.Budget) = (268_435_461, int.MaxValue),
        ["Receive.MaximumStreamedPacketSize is -1"] = o => o.Receive.MaximumStreamedPacketSize = -1,
        ["Receive.MaximumStreamedPacketSize is 1048576, no more than Receive.MaximumPacketSize (1048576)"] = o => o.Receive.MaximumStreamedPacketSize = 1024 * 1024,
        ["Outbox.Pace.Burst is 5, and without a rate"] = o => o.Outbox.Pace.Burst = 5,
        ["Receive.MaximumStreamedPacketSize is 268435461"] = o => o.Receive.MaximumStreamedPacketSize = 268_435_461,
        ["Receive.OversizedPackets is 2"] = o => o.Receive.OversizedPackets = (OversizedPackets)2,
        ["Receive.TopicAliasMaximum is -1"] = o => o.Receive.TopicAliasMaximum = -1,
        ["Receive.Budget is 1000"] = o => o.Receive.Budget = 1000,
        ["Receive.HandlerRetries is -1"] = o => o.Receive.HandlerRetries = -1,
        ["UserProperties[1].Value is null"] = o => Add(o, new("a", "b"), new("c", null!)),
        ["UserProperties[0].Name holds U+0000"] = o => Add(o, new UserProperty("a\0", "b")),
        ["UserProperties[0].Value is 65536 bytes long"] = o => Add(o, new UserProperty("a", new string('x', 65_536))),
        ["Will.Topic: It is null"] = o => o.Will = new WillMessage { Topic = null! },
        ["Will.Topic: The topic name 'a/+' has the wildcard"] = o => o.Will = new WillMessage { Topic = "a/+" },
        ["Will.Payload is 65536 bytes long"] = o => o.Will = new WillMessage { Topic = "t", Payload = new byte[65_536] },
        ["Will.Payload is no UTF-8 text"] = o => o.Will = new WillMessage { Topic = "t", Payload = new byte[] { 0xFF }, PayloadFormat = PayloadFormat.Utf8 },
        ["Will.QoS is 3"] = o => o.Will = new WillMessage { Topic = "t", QoS = (QoS)3 },
        ["Will.Delay is 0.5 s"] = o => o.Will = new WillMessage { Topic = "t", Delay = TimeSpan.FromSeconds(0.5) },
        ["Will.TimeToLive is -1 s"] = o => o.Will = new WillMessage { Topic = "t", TimeToLive = TimeSpan.FromSeconds(-1) },
        ["Will.PayloadFormat is 2"] = o => o.Will = new WillMessage { Topic = "t", PayloadFormat = (PayloadFormat)2 },
        ["Will.ContentType holds"] = o => o.Will = new WillMessage { Topic = "t", ContentType = "\0" },
        ["Will.ResponseTopic: The topic name '#'"] = o => o.Will = new WillMessage { Topic = "t", ResponseTopic = "#" },
        ["Will.CorrelationData is 65536 bytes long"] = o => o.Will = new WillMessage { Topic = "t", CorrelationData = new byte[65_536] },
        ["Will.UserProperties is null"] = o => o.Will = new WillMessage { Topic = "t", UserProperties = null! },
        ["Will.UserProperties[0].Name holds"] = o => o.Will = new WillMessage { Topic = "t", UserProperties = [new("\ud800", "")] },
        ["Servers[0].Credentials.UserName holds"] = o => o.Servers[0].Credentials = new MqttCredentials("u\0", Secret),
        ["Servers[0].Credentials.Password is 65536 bytes long"] = o => o.Servers[0].Credentials = new MqttCredentials("u", new byte[65_536]),
        ["a password and no user name, which only MQTT 5.0 can send"] = o =>
            (o.Version, o.Servers[0].Credentials) = (MqttVersion.Mqtt311, new MqttCredentials(null, Secret)),
        ["Servers[0].Tls is null"] = o => o.Servers[0].Tls = null!,
        ["Servers[1].Tls is set, but a connection to mqtt://localhost:1883 is not encrypted"] = o =>
            o.Servers.Add(new MqttServer($"mqtt://user:{Secret}@localhost") { Tls = { CaFile = "ca.pem" } }),
#pragma warning disable CA5397, SYSLIB0039 // the old versions are what must be refused
        ["Servers[0].Tls.Protocols is Tls, Tls12"] = o => o.Servers[0].Tls.Protocols = SslProtocols.Tls | SslProtocols.Tls12,
        ["Servers[0].Tls.Protocols is Tls11"] = o => o.Servers[0].Tls.Protocols = SslProtocols.Tls11,
#pragma warning restore CA5397, SYSLIB0039
        ["Servers[0].Tls.KeyFile is set without CertificateFile"] = o => o.Servers[0].Tls.KeyFile = "key.pem",
        ["Servers[0].Tls.KeyPassword is set without CertificateFile"] = o => o.Servers[0].Tls.KeyPassword = Secret,
        ["Servers[0].Tls.CaFile is blank"] = o => o.Servers[0].Tls.CaFile = "",
        ["Servers[0].Tls.TargetHost is blank"] = o => o.Servers[0].Tls.TargetHost = " ",
        ["Servers[0].Tls.ApplicationProtocols[0] must be 1 to 255"] = o => o.Servers[0].Tls.ApplicationProtocols.Add(""),
        ["Servers[0].Tls.ApplicationProtocols[1] must be 1 to 255"] = o =>
        {
            o.Servers[0].Tls.ApplicationProtocols.Add("mqtt");
            o.Servers[0].Tls.ApplicationProtocols.Add(new string('x', 256));
        },
    };

    [Theory]
    [InlineData(0u)]
    [InlineData(268_435_456u)]
    public void A_subscription_identifier_has_a_range(uint identifier)
    {
        var options = new SubscribeOptions { SubscriptionIdentifier = identifier };

        Assert.Contains("SubscriptionIdentifier", Assert.Throws<ArgumentException>(() => options.ThrowIfInvalid("options")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Subscribe_options_list_every_conflict()
    {
        new SubscribeOptions { SubscriptionIdentifier = 268_435_455 }.ThrowIfInvalid("options");
        var options = new SubscribeOptions { QoS = (QoS)3, RetainHandling = (RetainHandling)3, UserProperties = [new("\0", "")] };

        var message = Assert.Throws<ArgumentException>(() => options.ThrowIfInvalid("options")).Message;

        Assert.Contains("QoS is 3", message, StringComparison.Ordinal);
        Assert.Contains("RetainHandling is 3", message, StringComparison.Ordinal);
        Assert.Contains("UserProperties[0].Name", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Disconnect_options_list_every_conflict()
    {
        new DisconnectOptions { SessionExpiryInterval = Timeout.InfiniteTimeSpan }.ThrowIfInvalid("options");
        var options = new DisconnectOptions
        {
            ReasonCode = (ReasonCode)0x7F,
            ReasonString = "\0",
            SessionExpiryInterval = TimeSpan.FromSeconds(0.5),
            UserProperties = [new("\0", "")],
        };

        var message = Assert.Throws<ArgumentException>(() => options.ThrowIfInvalid("options")).Message;

        Assert.Contains("ReasonCode is 127", message, StringComparison.Ordinal);
        Assert.Contains("ReasonString holds", message, StringComparison.Ordinal);
        Assert.Contains("SessionExpiryInterval is 0.5 s", message, StringComparison.Ordinal);
        Assert.Contains("UserProperties[0].Name", message, StringComparison.Ordinal);
    }

    [Fact]
    public void ToString_is_one_line_without_secrets()
    {
        var options = new MqttClientOptions("mqtts://alice:s3cret@host")
        {
            ClientId = "me",
            Version = MqttVersion.Mqtt311,
            Will = new WillMessage { Topic = "gone", Payload = "s3cret"u8.ToArray() },
        };
        options.Servers[0].Tls.KeyPassword = Secret;
        options.Servers.Add(new MqttServer("mqtt://second"));

        Assert.Equal(
            "mqtts://host:8883 with a user name and a password, mqtt://second:1883; MQTT 3.1.1; client id 'me'; keep-alive 60 s; will on 'gone'",
            options.ToString());
        Assert.Equal("no server; MQTT 5.0; generated client id; no keep-alive", new MqttClientOptions { KeepAlive = TimeSpan.Zero }.ToString());
    }

    private static void Add(MqttClientOptions options, params UserProperty[] properties)
    {
        foreach (var property in properties)
        {
            options.UserProperties.Add(property);
        }
    }

    [Fact]
    public async Task What_only_a_handler_can_do_is_refused_for_a_sequence()
    {
        await using var client = new MqttClient("mqtt://localhost");
        var options = new SubscribeOptions { MaxConcurrency = 2, OnPoison = (_, _) => MessageOutcome.Acknowledge };

        var message = Assert.Throws<ArgumentException>("options", () => client.Subscribe("t", options)).Message;

        Assert.Contains("MaxConcurrency is 2", message, StringComparison.Ordinal);
        Assert.Contains("OnPoison is set", message, StringComparison.Ordinal);
        options.ThrowIfInvalid("options");
    }
}
