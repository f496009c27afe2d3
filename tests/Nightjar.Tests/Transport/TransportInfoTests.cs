using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using Nightjar.Testing;
using Nightjar.Transport;
using Xunit;

namespace Nightjar.Tests.Transport;

public sealed class TransportInfoTests
{
    [Fact]
    public async Task A_socket_shows_both_ends()
    {
        await using var broker = new MqttTestBroker(new MqttTestBrokerOptions { Patience = Deadline.Patience });
        await using var client = new MqttClient(broker.Uri);
        var result = await client.ConnectAsync().Soon();

        Assert.Equal(new IPEndPoint(IPAddress.Loopback, broker.Port), result.Transport!.RemoteEndPoint);
        Assert.Equal(IPAddress.Loopback, ((IPEndPoint)result.Transport.LocalEndPoint!).Address);
        Assert.Equal(SslProtocols.None, result.Transport.TlsVersion);
        Assert.Null(result.Transport.ServerCertificate);
    }

    [Fact]
    public async Task TLS_shows_what_was_agreed()
    {
        using var authority = TestAuthority.CreateRoot("Test Authority");
        using var certificate = authority.IssueServer(["localhost"]);
        await using var peer = new TlsPeer(certificate, options => options.ApplicationProtocols = [new SslApplicationProtocol("mqtt")]);
        var configured = 0;
        var server = new MqttServer($"mqtts://localhost:{peer.Port}")
        {
            Tls =
            {
                CertificateAuthorities = { authority.Certificate },
                Protocols = SslProtocols.Tls12,
                ApplicationProtocols = { "mqtt" },
                Configure = options =>
                {
                    configured++;
                    Assert.Equal("localhost", options.TargetHost);
                    options.AllowTlsResume = false;
                },
            },
        };

        await using var stream = await TransportFactory.For(server).ConnectAsync(_ => { }, CancellationToken.None);
        var info = TransportDescription.Of(stream);
        stream.WriteByte(1);
        Assert.Equal(1, stream.ReadByte());

        Assert.Equal(1, configured);
        Assert.Equal((SslProtocols.Tls12, "mqtt", peer.Port), (info.TlsVersion, info.ApplicationProtocol, ((IPEndPoint)info.RemoteEndPoint!).Port));
        Assert.NotNull(info.CipherSuite);
        Assert.Equal(certificate.Thumbprint, info.ServerCertificate!.Thumbprint);
    }

    [Fact]
    public async Task What_the_application_throws_before_a_handshake_ends_the_attempt()
    {
        using var authority = TestAuthority.CreateRoot("Test Authority");
        await using var peer = new TlsPeer(authority.IssueServer(["localhost"]));
        var server = new MqttServer($"mqtts://localhost:{peer.Port}") { Tls = { Configure = _ => throw new NotSupportedException("No such suite.") } };

        var error = await Assert.ThrowsAsync<MqttConnectException>(async () => await TransportFactory.For(server).ConnectAsync(_ => { }, CancellationToken.None));

        Assert.Equal((ConnectStage.Tls, false), (error.Stage, error.IsTransient));
        Assert.Contains("TlsOptions.Configure failed (No such suite)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_of_the_callers_shows_nothing()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));

        Assert.Equal(new TransportInfo(), (await client.ConnectAsync().Soon()).Transport);
    }
}
