using Nightjar.Interop.Tests.Mosquitto;
using Xunit;

namespace Nightjar.Interop.Tests.Library;

public sealed class ConnectTests
{
    [Theory]
    [InlineData(MqttVersion.Mqtt31)]
    [InlineData(MqttVersion.Mqtt311)]
    [InlineData(MqttVersion.Mqtt5)]
    public async Task A_refused_login_is_an_exception_that_will_not_go_away_by_itself(MqttVersion version)
    {
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { User = ("heron", "right") });
        await using var client = new MqttClient(new MqttClientOptions($"mqtt://heron:wrong@127.0.0.1:{broker.Port}") { Version = version });

        var refused = await Assert.ThrowsAsync<MqttConnectException>(() => client.ConnectAsync());

        Assert.Equal(ReasonCode.NotAuthorized, refused.ReasonCode);
        Assert.Equal(ConnectStage.Connect, refused.Stage);
        Assert.False(refused.IsTransient);
        Assert.DoesNotContain("wrong", refused.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_of_an_authority_that_is_not_trusted_is_refused()
    {
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { TlsHosts = ["localhost"] });
        await using var client = new MqttClient(broker.Uri);

        var refused = await Assert.ThrowsAsync<MqttConnectException>(() => client.ConnectAsync());

        Assert.Equal(ConnectStage.Tls, refused.Stage);
    }

    [Fact]
    public async Task A_client_with_a_certificate_is_let_in()
    {
        var settings = new MosquittoSettings { TlsHosts = ["localhost"], RequireClientCertificate = true };
        await using var broker = await MosquittoBroker.StartAsync(settings);
        var issued = broker.Authority.Issue("heron");
        var options = new MqttClientOptions(broker.Uri);
        options.Servers[0].Tls = new TlsOptions
        {
            CaFile = broker.Authority.CertificateFile,
            CertificateFile = issued.CertificateFile,
            KeyFile = issued.KeyFile,
        };
        await using var client = new MqttClient(options);

        var result = await client.PublishAsync("a", "b");

        Assert.False(result.ReasonCode.IsFailure());
    }
}
