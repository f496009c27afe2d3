using System.Security.Authentication;
using System.Text;
using Nightjar.Cli.CommandLine;
using Xunit;

namespace Nightjar.Cli.Tests.CommandLine;

/// <summary>What the flags of the connection become.</summary>
public sealed class ClientOptionsTests
{
    private static readonly Invocation Nothing = Given([]);

    [Fact]
    public void Without_flags_it_is_a_clean_session_of_the_best_version_with_one_attempt()
    {
        var options = Read().ToClientOptions(Nothing);

        Assert.Equal((MqttVersion.Mqtt5, true), (options.Version, options.AllowVersionFallback));
        Assert.Equal((true, TimeSpan.Zero), (options.Session.CleanStart, options.Session.ExpiryInterval));
        Assert.Equal(FirstConnect.SingleAttempt, options.Reconnect.FirstConnect);
        Assert.True(options.Reconnect.Enabled);
        Assert.Equal(TimeSpan.FromSeconds(60), options.KeepAlive);
        Assert.Null(options.ClientId);
        Assert.Null(options.Will);
        Assert.Equal(("localhost", 1883, false), (options.Servers[0].Host, options.Servers[0].Port, options.Servers[0].UsesTls));
        Assert.Null(options.Servers[0].Credentials);
    }

    [Theory]
    [InlineData("31", MqttVersion.Mqtt31)]
    [InlineData("mqttv31", MqttVersion.Mqtt31)]
    [InlineData("311", MqttVersion.Mqtt311)]
    [InlineData("mqttv311", MqttVersion.Mqtt311)]
    [InlineData("5", MqttVersion.Mqtt5)]
    [InlineData("mqttv5", MqttVersion.Mqtt5)]
    public void A_version_that_was_asked_for_is_the_only_one(string text, MqttVersion version)
    {
        var options = Read("-V", text).ToClientOptions(Nothing);

        Assert.Equal((version, false), (options.Version, options.AllowVersionFallback));
    }

    [Fact]
    public void A_persistent_session_lives_for_ever_unless_told_otherwise()
    {
        Assert.Equal(Timeout.InfiniteTimeSpan, Read("-c", "-i", "x").ToClientOptions(Nothing).Session.ExpiryInterval);
        Assert.Equal(TimeSpan.FromSeconds(30), Read("-c", "-i", "x", "-x", "30").ToClientOptions(Nothing).Session.ExpiryInterval);
        Assert.False(Read("-c", "-i", "x").ToClientOptions(Nothing).Session.CleanStart);
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("4294967294", 4_294_967_294)]
    [InlineData("4294967295", -1)]
    [InlineData("-1", -1)]
    [InlineData("∞", -1)]
    public void Session_expiry_is_seconds_or_never(string text, long seconds)
    {
        var expected = seconds < 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(seconds);

        Assert.Equal(expected, Read("-i", "x", "-x", text).ToClientOptions(Nothing).Session.ExpiryInterval);
    }

    [Fact]
    public void The_client_identifier_is_given_or_made_of_prefix_and_process()
    {
        Assert.Equal("me", Read("-i", "me").ToClientOptions(Nothing).ClientId);
        Assert.Equal($"me-{Environment.ProcessId}", Read("-I", "me-").ToClientOptions(Nothing).ClientId);
    }

    [Theory]
    [InlineData("joe", "secret", "-u", "joe", "-P", "secret")]
    [InlineData("joe", "from variable", "-u", "joe")]
    [InlineData("joe", "", "-u", "joe", "-P", "")]
    [InlineData(null, "secret", "-P", "secret")]
    [InlineData("joe", "p@ss", "-L", "mqtt://joe:p%40ss@h/t")]
    public void Credentials_come_from_flags_or_the_variable(string? user, string password, params string[] arguments)
    {
        var credentials = Read(arguments).ToClientOptions(Given(new() { ["NIGHTJAR_PASSWORD"] = "from variable" })).Servers[0].Credentials!;

        Assert.Equal(user, credentials.UserName);
        Assert.Equal(password, Encoding.UTF8.GetString(credentials.Password!.Value.Span));
    }

    [Fact]
    public void The_variable_alone_sends_no_password() =>
        Assert.Null(Read().ToClientOptions(Given(new() { ["NIGHTJAR_PASSWORD"] = "secret" })).Servers[0].Credentials);

    [Fact]
    public async Task A_password_file_is_read_up_to_its_first_line_feed()
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, "from file\nmore\n", TestContext.Current.CancellationToken);

            var credentials = Read("-u", "joe", "--password-file", file).ToClientOptions(Nothing).Servers[0].Credentials!;

            Assert.Equal("from file", Encoding.UTF8.GetString(credentials.Password!.Value.Span));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void A_password_file_that_is_not_there_is_a_usage_error() =>
        Assert.Throws<UsageException>(() => Read("-u", "joe", "--password-file", "/no/such/file").ToClientOptions(Nothing));

    [Theory]
    [InlineData(false, 1883)]
    [InlineData(true, 8883, "--tls-use-os-certs")]
    [InlineData(true, 8883, "--tls-version", "tlsv1.3")]
    [InlineData(true, 8883, "--tls-alpn", "mqtt")]
    [InlineData(true, 8883, "-p", "8883")]
    [InlineData(true, 1884, "--tls-use-os-certs", "-p", "1884")]
    [InlineData(true, 8883, "-L", "mqtts://h/t")]
    [InlineData(true, 9, "-L", "mqtts://h:9/t")]
    [InlineData(false, 1883, "-L", "mqtt://h/t")]
    [InlineData(false, 1883, "--insecure")]
    public void TLS_follows_from_its_flags_the_port_and_the_URL(bool tls, int port, params string[] arguments)
    {
        var server = Read(arguments).ToClientOptions(Nothing).Servers[0];

        Assert.Equal((tls, port), (server.UsesTls, server.Port));
    }

    [Fact]
    public void Insecure_lets_another_name_pass_and_nothing_else()
    {
        var tls = Read("--insecure", "--tls-use-os-certs", "--tls-version", "tlsv1.2", "--tls-alpn", "mqtt").ToClientOptions(Nothing).Servers[0].Tls;

        Assert.Equal((true, false), (tls.AllowNameMismatch, tls.AllowUntrusted));
        Assert.Equal(SslProtocols.Tls12, tls.Protocols);
        Assert.Equal(["mqtt"], tls.ApplicationProtocols);
    }

    [Fact]
    public void An_IPv6_address_is_a_host() => Assert.Equal(("::1", 1883), Read("-h", "::1").ToClientOptions(Nothing).Servers[0] is var server ? (server.Host, server.Port) : default);

    [Theory]
    [InlineData("a b")]
    [InlineData("h/path")]
    [InlineData("")]
    public void What_is_no_host_is_a_usage_error(string host) => Assert.Throws<UsageException>(() => Read("-h", host).ToClientOptions(Nothing));

    [Fact]
    public void The_will_has_everything_that_was_said()
    {
        var will = Read(
            "--will-topic", "w", "--will-payload", "gone", "--will-qos", "1", "--will-retain",
            "-D", "will", "will-delay-interval", "5", "-D", "will", "content-type", "text/plain").ToClientOptions(Nothing).Will!;

        Assert.Equal(("w", "gone", QoS.AtLeastOnce, true), (will.Topic, Encoding.UTF8.GetString(will.Payload.Span), will.QoS, will.Retain));
        Assert.Equal((TimeSpan.FromSeconds(5), "text/plain"), (will.Delay, will.ContentType));
    }

    [Fact]
    public void A_will_has_QoS_0_and_no_payload_unless_told()
    {
        var will = Read("--will-topic", "w").ToClientOptions(Nothing).Will!;

        Assert.Equal((QoS.AtMostOnce, false, 0), (will.QoS, will.Retain, will.Payload.Length));
    }

    [Theory]
    [InlineData("Will payload given, but no will topic given.", "--will-payload", "x")]
    [InlineData("Will retain given, but no will topic given.", "--will-retain")]
    [InlineData("Will QoS given, but no will topic given.", "--will-qos", "1")]
    [InlineData("Will properties given, but no will topic given.", "-D", "will", "content-type", "x")]
    public void Parts_of_a_will_need_a_topic(string message, params string[] arguments) =>
        Assert.Equal(message, Assert.Throws<UsageException>(() => Read(arguments).ToClientOptions(Nothing)).Message);

    [Fact]
    public void Properties_of_CONNECT_become_options()
    {
        var options = Read(
            "-M", "7", "-A", "127.0.0.1", "-k", "5", "-D", "connect", "receive-maximum", "9", "-D", "connect", "topic-alias-maximum", "3",
            "-D", "connect", "maximum-packet-size", "1000", "-D", "connect", "session-expiry-interval", "60", "-D", "connect", "user-property", "k", "v").ToClientOptions(Nothing);

        Assert.Equal(7, options.Outbox.MaximumInFlight);
        Assert.Equal("127.0.0.1", options.Servers[0].LocalAddress!.ToString());
        Assert.Equal(TimeSpan.FromSeconds(5), options.KeepAlive);
        Assert.Equal((9, 3, 1000), (options.Receive.ReceiveMaximum, options.Receive.TopicAliasMaximum, options.Receive.MaximumPacketSize));
        Assert.Equal(TimeSpan.FromSeconds(60), options.Session.ExpiryInterval);
        Assert.Equal([new UserProperty("k", "v")], options.UserProperties);
    }

    [Fact]
    public void A_time_limit_holds_for_connecting_too()
    {
        Assert.Equal(TimeSpan.FromSeconds(5), Read("-W", "5").ToClientOptions(Nothing).ConnectTimeout);
        Assert.Equal(TimeSpan.FromSeconds(15), Read("-W", "50").ToClientOptions(Nothing).ConnectTimeout);
    }

    [Fact]
    public void The_tool_sets_no_limits_of_its_own()
    {
        var receive = Read("-C", "3").ToClientOptions(Nothing).Receive;

        Assert.Equal((65_535, 268_435_460), (receive.ReceiveMaximum, receive.MaximumPacketSize));
    }

    [Fact]
    public void One_message_is_not_worth_a_second_connection_and_a_stream_is()
    {
        Assert.False(ReadPub("-m", "x").Reconnect.Enabled);
        Assert.True(ReadPub("-l").Reconnect.Enabled);
        Assert.True(ReadPub("-m", "x", "--repeat", "2").Reconnect.Enabled);
    }

    [Theory]
    [InlineData(false, "-h", "localhost", "-u", "joe", "-P", "x")]
    [InlineData(false, "-h", "127.0.0.9", "-u", "joe", "-P", "x")]
    [InlineData(false, "-h", "::1", "-u", "joe", "-P", "x")]
    [InlineData(false, "-h", "example.org", "-u", "joe")]
    [InlineData(false, "-h", "example.org", "-u", "joe", "-P", "x", "--tls-use-os-certs")]
    [InlineData(true, "-h", "example.org", "-u", "joe", "-P", "x")]
    public void A_password_that_leaves_this_machine_unencrypted_is_noticed(bool exposed, params string[] arguments)
    {
        var settings = Read(arguments);

        Assert.Equal(exposed, settings.ExposesPassword(settings.ToClientOptions(Nothing).Servers[0]));
    }

    [Fact]
    public void DISCONNECT_says_what_it_was_given()
    {
        var options = Read("-D", "disconnect", "session-expiry-interval", "0", "-D", "disconnect", "reason-string", "bye", "-D", "disconnect", "user-property", "k", "v")
            .ToDisconnectOptions();

        Assert.Equal((TimeSpan.Zero, "bye"), (options.SessionExpiryInterval, options.ReasonString));
        Assert.Equal([new UserProperty("k", "v")], options.UserProperties);
    }

    private static SubSettings Read(params string[] arguments)
    {
        var settings = new SubSettings();
        settings.Read(["-t", "a", .. arguments]);
        return settings;
    }

    private static MqttClientOptions ReadPub(params string[] arguments)
    {
        var settings = new PubSettings();
        settings.Read(["-t", "a", .. arguments]);
        return settings.ToClientOptions(Nothing);
    }

    private static Invocation Given(Dictionary<string, string> variables) => new()
    {
        Input = Stream.Null,
        Output = Stream.Null,
        Error = TextWriter.Null,
        Variable = name => variables.GetValueOrDefault(name),
    };
}
