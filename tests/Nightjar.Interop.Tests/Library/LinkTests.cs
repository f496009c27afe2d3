using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Nightjar.Interop.Tests.Mosquitto;
using Xunit;

namespace Nightjar.Interop.Tests.Library;

/// <summary>What can be seen of the link to a real broker.</summary>
public sealed class LinkTests
{
    [Theory]
    [InlineData(MqttVersion.Mqtt31)]
    [InlineData(MqttVersion.Mqtt311)]
    [InlineData(MqttVersion.Mqtt5)]
    public async Task A_ping_takes_some_time_and_less_than_a_minute(MqttVersion version)
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var client = new MqttClient(new MqttClientOptions(broker.Uri) { Version = version, ClientId = "pinger" });
        await client.ConnectAsync();

        var roundTrip = await client.PingAsync();

        Assert.InRange(roundTrip, TimeSpan.FromTicks(1), TimeSpan.FromMinutes(1));
        await broker.LoggedAsync("Sending PINGRESP to pinger");
    }

    [Fact]
    public async Task Tls_shows_what_was_agreed()
    {
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { TlsHosts = ["localhost"] });
        var options = new MqttClientOptions(broker.Uri);
        options.Servers[0].Tls.CaFile = broker.Authority.CertificateFile;
        options.Servers[0].Tls.ApplicationProtocols.Add("mqtt");
        await using var client = new MqttClient(options);

        var transport = (await client.ConnectAsync()).Transport!;

        Assert.True(transport.TlsVersion >= SslProtocols.Tls12);
        Assert.NotNull(transport.CipherSuite);
        Assert.Equal(broker.Port, ((IPEndPoint)transport.RemoteEndPoint!).Port);
        Assert.Equal("localhost", transport.ServerCertificate!.GetNameInfo(X509NameType.DnsName, forIssuer: false));

        // A Mosquitto that is told nothing of ALPN chooses nothing.
        Assert.Equal(transport.ApplicationProtocol, client.Status.Connection!.Transport!.ApplicationProtocol);
        await client.PublishAsync("t", "x");
    }
}
