using System.Text;
using Xunit;

namespace Nightjar.Tests.Options;

public sealed class MqttServerTests
{
    [Theory]
    [InlineData("mqtt://localhost", "localhost", 1883, false, "mqtt://localhost:1883")]
    [InlineData("mqtt://localhost/", "localhost", 1883, false, "mqtt://localhost:1883")]
    [InlineData("MQTT://Broker.Example", "Broker.Example", 1883, false, "mqtt://Broker.Example:1883")]
    [InlineData("mqtts://broker.example", "broker.example", 8883, true, "mqtts://broker.example:8883")]
    [InlineData("mqtts://broker.example:443", "broker.example", 443, true, "mqtts://broker.example:443")]
    [InlineData("mqtt://broker.example.:1", "broker.example.", 1, false, "mqtt://broker.example.:1")]
    [InlineData("mqtt://192.0.2.7:65535", "192.0.2.7", 65535, false, "mqtt://192.0.2.7:65535")]
    [InlineData("mqtt://my_host-1", "my_host-1", 1883, false, "mqtt://my_host-1:1883")]
    [InlineData("mqtt://[::1]", "::1", 1883, false, "mqtt://[::1]:1883")]
    [InlineData("mqtts://[2001:db8::1]:8884", "2001:db8::1", 8884, true, "mqtts://[2001:db8::1]:8884")]
    [InlineData("mqtt://[fe80::1%25eth0]:1884", "fe80::1%eth0", 1884, false, "mqtt://[fe80::1%eth0]:1884")]
    [InlineData("mqtt://[fe80::1%eth0]", "fe80::1%eth0", 1883, false, "mqtt://[fe80::1%eth0]:1883")]
    [InlineData("mqtt://[fe80::1%nope0]", "fe80::1%nope0", 1883, false, "mqtt://[fe80::1%nope0]:1883")]
    [InlineData("mqtt://bücher.example", "xn--bcher-kva.example", 1883, false, "mqtt://xn--bcher-kva.example:1883")]
    public void A_uri_names_scheme_host_and_port(string uri, string host, int port, bool tls, string text)
    {
        var server = new MqttServer(uri);

        Assert.Equal(host, server.Host);
        Assert.Equal(port, server.Port);
        Assert.Equal(tls, server.UsesTls);
        Assert.Null(server.Credentials);
        Assert.Equal(text, server.ToString());
    }

    [Theory]
    [InlineData("mqtt://user@host", "user", null)]
    [InlineData("mqtt://user:@host", "user", "")]
    [InlineData("mqtt://user:p%40ss@host:1884", "user", "p@ss")]
    [InlineData("mqtts://u%40x:p%3A@[::1]:8884", "u@x", "p:")]
    [InlineData("mqtt://user:a:b@host", "user", "a:b")]
    [InlineData("mqtt://a%2Fb:%25+%3f@host/", "a/b", "%+?")]
    [InlineData("mqtt://j%C3%BCrgen:stra%c3%9fe@host", "jürgen", "straße")]
    [InlineData("mqtt://jürgen:🔑@host", "jürgen", "🔑")]
    [InlineData("mqtt://:secret@host", null, "secret")]
    public void Credentials_are_percent_decoded(string uri, string? userName, string? password)
    {
        var credentials = new MqttServer(uri).Credentials;

        Assert.NotNull(credentials);
        Assert.Equal(userName, credentials.UserName);
        Assert.Equal(password, credentials.Password is { } bytes ? Encoding.UTF8.GetString(bytes.Span) : null);
    }

    [Fact]
    public void A_password_may_be_bytes_that_are_no_text() =>
        Assert.Equal([0xFF, 0x00], new MqttServer("mqtt://user:%FF%00@host").Credentials!.Password!.Value.ToArray());

    [Fact]
    public void Nothing_before_the_at_sign_means_no_credentials() => Assert.Null(new MqttServer("mqtt://@host").Credentials);

    [Theory]
    [InlineData("", "starts with no scheme")]
    [InlineData("localhost", "starts with no scheme")]
    [InlineData("localhost:1883", "starts with no scheme")]
    [InlineData("user:s3cret://host", "starts with no scheme")]
    [InlineData("user:s3cret@host", "starts with no scheme")]
    [InlineData("1mqtt://host", "starts with no scheme")]
    [InlineData("://host", "starts with no scheme")]
    [InlineData("tcp://host", "no scheme 'tcp'")]
    [InlineData("ssl://user:s3cret@host", "no scheme 'ssl'")]
    [InlineData("http://host", "mqtt (TCP, port 1883) and mqtts (TLS, port 8883)")]
    [InlineData("mqtt://", "names no host")]
    [InlineData("mqtt:///", "names no host")]
    [InlineData("mqtt://user:s3cret@", "names no host")]
    [InlineData("mqtt://:1883", "names no host")]
    [InlineData("mqtt://host:", "no port")]
    [InlineData("mqtt://host:0", "no port")]
    [InlineData("mqtt://host:65536", "no port")]
    [InlineData("mqtt://host:-1", "no port")]
    [InlineData("mqtt://host:+1", "no port")]
    [InlineData("mqtt://host: 1", "no port")]
    [InlineData("mqtt://user:s3cret", "no port")]
    [InlineData("mqtt://[::1]s3cret", "no port")]
    [InlineData("mqtt://host/topic", "goes on after host and port")]
    [InlineData("mqtt://host?s3cret", "goes on after host and port")]
    [InlineData("mqtt://user:s3cret/x@host", "%2F")]
    [InlineData("mqtt://user:s3cret#@host", "%23")]
    [InlineData("mqtt://user:s3cret@x@host", "%40")]
    [InlineData("mqtt://user:s3cret%@host", "%25")]
    [InlineData("mqtt://user:s3cret%4@host", "%25")]
    [InlineData("mqtt://user:s3cret%4G@host", "%25")]
    [InlineData("mqtt://user:s3cret%+4@host", "%25")]
    [InlineData("mqtt://user:s3cret \t@host", "%20")]
    [InlineData("mqtt://us%FFer:s3cret@host", "user name")]
    [InlineData("mqtt://us%00er:s3cret@host", "U+0000")]
    [InlineData("mqtt://::1", "in brackets")]
    [InlineData("mqtt://[::1", "not closed")]
    [InlineData("mqtt://[host]", "no IPv6 address")]
    [InlineData("mqtt://[192.0.2.1]", "no IPv6 address")]
    [InlineData("mqtt://a..b", "neither a host name nor an address")]
    [InlineData("mqtt://.", "neither a host name nor an address")]
    [InlineData("mqtt://ho st", "neither a host name nor an address")]
    [InlineData(" mqtt://host", "starts with no scheme")]
    [InlineData("mqtt://host ", "neither a host name nor an address")]
    [InlineData("mqtt://ho%73t", "neither a host name nor an address")]
    [InlineData("mqtt://host\u0001", "neither a host name nor an address")]
    public void A_wrong_uri_is_refused_with_what_to_do_and_without_its_password(string uri, string expected)
    {
        var exception = Assert.Throws<UriFormatException>(() => new MqttServer(uri));

        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
        Assert.Matches("Please (write|encode|remove) ", exception.Message);
        Assert.DoesNotContain("s3cret", exception.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_lone_surrogate_is_refused() => // an attribute cannot hold one
        Assert.Contains("lone surrogate", Assert.Throws<UriFormatException>(() => new MqttServer("mqtt://user:\ud800@host")).Message, StringComparison.Ordinal);

    [Fact]
    public void A_host_name_has_limits()
    {
        var label = new string('a', 63);

        Assert.Equal(label, new MqttServer($"mqtt://{label}").Host);
        Assert.Throws<UriFormatException>(() => new MqttServer($"mqtt://{label}a"));
        Assert.Throws<UriFormatException>(() => new MqttServer($"mqtt://{label}.{label}.{label}.{label}"));
    }

    [Fact]
    public void Null_is_misuse()
    {
        Assert.Throws<ArgumentNullException>(() => new MqttServer(null!));
        Assert.Throws<ArgumentNullException>(() => MqttServer.FromStream("pair", null!));
        Assert.Throws<ArgumentException>(() => MqttServer.FromStream(" ", _ => default));
    }

    [Fact]
    public void A_stream_has_a_name_and_no_port()
    {
        var server = MqttServer.FromStream("serial line", _ => throw new InvalidOperationException());

        Assert.Equal("serial line", server.Host);
        Assert.Equal("serial line", server.ToString());
        Assert.Equal(0, server.Port);
        Assert.False(server.UsesTls);
    }

    [Fact]
    public void ToString_never_shows_credentials()
    {
        var server = new MqttServer("mqtts://alice:s3cret@host");

        Assert.Equal("mqtts://host:8883", server.ToString());
        Assert.Equal("alice:***", server.Credentials!.ToString());
    }

    [Fact]
    public void A_snapshot_shares_nothing_that_can_change()
    {
        var password = "s3cret"u8.ToArray();
        var server = new MqttServer("mqtts://host") { Credentials = new MqttCredentials("alice", password), AllowPlaintextCredentials = true };
        server.Tls.CaFile = "ca.pem";
        server.Tls.ApplicationProtocols.Add("mqtt");

        var snapshot = server.Snapshot();
        password.AsSpan().Clear();
        server.Tls.CaFile = null;
        server.Tls.ApplicationProtocols.Clear();
        server.AllowPlaintextCredentials = false;

        Assert.Equal("mqtts://host:8883", snapshot.ToString());
        Assert.Equal("s3cret"u8.ToArray(), snapshot.Credentials!.Password!.Value.ToArray());
        Assert.Equal("ca.pem", snapshot.Tls.CaFile);
        Assert.Equal(["mqtt"], snapshot.Tls.ApplicationProtocols);
        Assert.True(snapshot.AllowPlaintextCredentials);
    }
}
