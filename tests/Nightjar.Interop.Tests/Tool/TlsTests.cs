using Nightjar.Interop.Tests.Mosquitto;
using Nightjar.Interop.Tests.Processes;
using Xunit;

namespace Nightjar.Interop.Tests.Tool;

public sealed class TlsTests
{
    private static readonly MosquittoSettings ForLocalhost = new() { TlsHosts = ["localhost"] };

    [Theory]
    [InlineData("nightjar", "mosquitto", "mqttv31", "2")]
    [InlineData("nightjar", "mosquitto", "mqttv311", "1")]
    [InlineData("nightjar", "mosquitto", "mqttv5", "0")]
    [InlineData("mosquitto", "nightjar", "mqttv31", "0")]
    [InlineData("mosquitto", "nightjar", "mqttv311", "2")]
    [InlineData("mosquitto", "nightjar", "mqttv5", "1")]
    [InlineData("nightjar", "nightjar", "mqttv5", "2")]
    public async Task Messages_are_exchanged_over_tls(string publisher, string subscriber, string version, string qos)
    {
        await using var broker = await MosquittoBroker.StartAsync(ForLocalhost);
        string[] common = ["--cafile", broker.Authority.CertificateFile, "-q", qos, "-V", version];

        await using var receiving = await CommandLineClient.Named(subscriber)
            .SubscribeAsync(broker, "listener", ["-t", "a/#", "-v", "-C", "3", .. common]);
        var sent = await CommandLineClient.Named(publisher).PublishAsync(broker, ["-t", "a/b", "-l", .. common], "one\ntwo\nthree\n");
        var received = await receiving.ExitAsync();

        Assert.True(sent.Code == 0, sent.ToString());
        Assert.Equal("a/b one\na/b two\na/b three\n", received.Output);
    }

    [Fact]
    public async Task A_uri_with_mqtts_is_enough()
    {
        await using var broker = await MosquittoBroker.StartAsync(ForLocalhost);

        var sent = await CommandLineClient.Nightjar.PublishAsync(
            ["-L", $"{broker.Uri}/a", "--cafile", broker.Authority.CertificateFile, "-m", "b", "-q", "1"]);

        Assert.True(sent.Code == 0, sent.ToString());
        Assert.Contains("'a', ... (1 bytes)", broker.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--insecure")]
    [InlineData]
    public async Task A_broker_of_another_authority_is_refused(params string[] more)
    {
        await using var broker = await MosquittoBroker.StartAsync(ForLocalhost);
        using var directory = new TemporaryDirectory();
        using var stranger = new CertificateAuthority(directory.Path, "stranger");

        // --insecure gives up the check of the name, not that of the chain, as with Mosquitto's tools.
        var sent = await CommandLineClient.Nightjar.PublishAsync(broker, ["--cafile", stranger.CertificateFile, "-t", "a", "-m", "secret", .. more]);

        AssertRefused(sent, broker, "certificate", "trust");
    }

    [Fact]
    public async Task A_broker_whose_certificate_names_another_host_is_refused()
    {
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { TlsHosts = ["broker.example"] });

        var sent = await PublishToLoopbackAsync(broker);

        AssertRefused(sent, broker, "certificate", "127.0.0.1");
    }

    [Fact]
    public async Task Another_host_is_accepted_with_insecure()
    {
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { TlsHosts = ["broker.example"] });

        var sent = await PublishToLoopbackAsync(broker, "--insecure");

        Assert.True(sent.Code == 0, sent.ToString());
        Assert.Contains("Received PUBLISH", broker.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_certificate_opens_the_door()
    {
        await using var broker = await MosquittoBroker.StartAsync(ForLocalhost with { RequireClientCertificate = true });
        var issued = broker.Authority.Issue("heron");
        string[] message = ["--cafile", broker.Authority.CertificateFile, "-t", "a", "-m", "b", "-q", "1"];

        var with = await CommandLineClient.Nightjar.PublishAsync(broker, [.. message, "--cert", issued.CertificateFile, "--key", issued.KeyFile]);
        var without = await CommandLineClient.Nightjar.PublishAsync(broker, message);

        Assert.True(with.Code == 0, with.ToString());
        Assert.NotEqual(0, without.Code);
        Assert.DoesNotContain("   at ", without.Errors, StringComparison.Ordinal);
    }

    private static Task<Exit> PublishToLoopbackAsync(MosquittoBroker broker, params string[] more) =>
        CommandLineClient.Nightjar.PublishAsync(
            ["-L", $"mqtts://127.0.0.1:{broker.Port}/a", "--cafile", broker.Authority.CertificateFile, "-m", "secret", "-q", "1", .. more]);

    private static void AssertRefused(Exit ended, MosquittoBroker broker, params string[] reason)
    {
        Assert.NotEqual(0, ended.Code);
        Assert.All(reason, word => Assert.Contains(word, ended.Errors, StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain("   at ", ended.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("Received PUBLISH", broker.Log, StringComparison.Ordinal);
    }
}
