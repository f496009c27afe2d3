using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Nightjar.Transport;
using Xunit;

namespace Nightjar.Tests.Transport;

public sealed class ClientCertificateTests : IDisposable
{
    private const string Passphrase = "s3cret";

    private static readonly CancellationToken None = CancellationToken.None;

    private readonly TestAuthority _authority = TestAuthority.CreateRoot("Test Authority");
    private readonly DirectoryInfo _files = Directory.CreateTempSubdirectory("nightjar-");
    private readonly X509Certificate2 _client;

    public ClientCertificateTests() => _client = _authority.IssueClient("device 7");

    public void Dispose()
    {
        _client.Dispose();
        _authority.Dispose();
        _files.Delete(recursive: true);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task It_is_shown_to_a_server_that_asks(SslProtocols version)
    {
        await using var peer = PeerThatAsks(version);
        var server = ServerOf(peer);
        server.Tls.CertificateFile = FileWith(_client.ExportCertificatePem());
        server.Tls.KeyFile = FileWith(KeyPem());

        await EchoAsync(server);

        Assert.Equal("CN=device 7", peer.ClientSubject);
    }

    [Fact]
    public async Task Certificate_and_key_may_share_a_file()
    {
        await using var peer = PeerThatAsks();
        var server = ServerOf(peer);
        server.Tls.CertificateFile = FileWith($"{KeyPem()}\n{_client.ExportCertificatePem()}");

        await EchoAsync(server);

        Assert.Equal("CN=device 7", peer.ClientSubject);
    }

    [Fact]
    public async Task An_encrypted_key_is_opened_with_its_passphrase()
    {
        await using var peer = PeerThatAsks();
        var server = ServerOf(peer);
        server.Tls.CertificateFile = FileWith(_client.ExportCertificatePem());
        server.Tls.KeyFile = FileWith(EncryptedKeyPem());
        server.Tls.KeyPassword = Passphrase;

        await EchoAsync(server);

        Assert.Equal("CN=device 7", peer.ClientSubject);
    }

    [Fact]
    public async Task Its_chain_is_sent_too()
    {
        using var intermediate = _authority.CreateIntermediate("Device Authority");
        using var device = intermediate.IssueClient("device 8");
        await using var peer = PeerThatAsks(); // knows the root alone
        var server = ServerOf(peer);
        server.Tls.CertificateFile = FileWith($"{device.ExportCertificatePem()}\n{intermediate.Pem}\n");
        server.Tls.KeyFile = FileWith(KeyPem(device));

        await EchoAsync(server);

        Assert.Equal("CN=device 8", peer.ClientSubject);
    }

    [Fact]
    public async Task A_server_that_does_not_ask_is_shown_none()
    {
        using var certificate = _authority.IssueServer(["localhost"]);
        await using var peer = new TlsPeer(certificate);
        var server = ServerOf(peer);
        server.Tls.CertificateFile = FileWith(_client.ExportCertificatePem());
        server.Tls.KeyFile = FileWith(KeyPem());

        await EchoAsync(server);

        Assert.Null(peer.ClientSubject);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)] // where the refusal comes after the handshake
    public async Task A_server_that_demands_one_in_vain_is_explained(SslProtocols version)
    {
        await using var peer = PeerThatAsks(version);

        var exception = await FailsAsync(ServerOf(peer));

        Assert.Equal(ConnectStage.Tls, exception.Stage);
        Assert.Contains("the server asks for a client certificate; set TlsOptions.CertificateFile", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_are_read_anew_for_each_attempt()
    {
        using var renewed = _authority.IssueClient("device 7, renewed");
        await using var before = PeerThatAsks();
        await using var after = PeerThatAsks();
        var path = FileWith($"{_client.ExportCertificatePem()}\n{KeyPem()}");
        var first = ServerOf(before);
        first.Tls.CertificateFile = path;
        var second = ServerOf(after);
        second.Tls.CertificateFile = path;

        await EchoAsync(first);
        await File.WriteAllTextAsync(path, $"{renewed.ExportCertificatePem()}\n{KeyPem(renewed)}", None);
        await EchoAsync(second);

        Assert.Equal("CN=device 7", before.ClientSubject);
        Assert.Equal("CN=\"device 7, renewed\"", after.ClientSubject);
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_named_and_nothing_is_dialled()
    {
        var missing = Path.Combine(_files.FullName, "missing.pem");

        Assert.Contains($"'{missing}' cannot be read", await WhyNotAsync(tls => tls.CaFile = missing), StringComparison.Ordinal);
        Assert.Contains($"'{missing}' cannot be read", await WhyNotAsync(tls => tls.CertificateFile = missing), StringComparison.Ordinal);
        Assert.Contains($"'{missing}' cannot be read", await WhyNotAsync(tls => (tls.CertificateFile, tls.KeyFile) = (CertificateFile(), missing)), StringComparison.Ordinal);
        Assert.Contains("cannot be read", await WhyNotAsync(tls => tls.CaFile = _files.FullName), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("no PEM")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")]
    public async Task A_file_without_certificate_is_named(string text)
    {
        var path = FileWith(text);

        Assert.Contains($"'{path}' holds no certificate in PEM", await WhyNotAsync(tls => tls.CaFile = path), StringComparison.Ordinal);
        Assert.Contains($"'{path}' holds no certificate in PEM", await WhyNotAsync(tls => tls.CertificateFile = path), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_cannot_be_used_is_explained()
    {
        using var other = _authority.IssueClient("other");
        var encrypted = FileWith(EncryptedKeyPem());

        Assert.Contains("holds no private key in PEM", await WhyNotAsync(tls => tls.CertificateFile = CertificateFile()), StringComparison.Ordinal);
        Assert.Contains("that belongs to the first certificate", await WhyNotAsync(tls => (tls.CertificateFile, tls.KeyFile) = (CertificateFile(), FileWith(KeyPem(other)))), StringComparison.Ordinal);
        Assert.Contains("is encrypted; set TlsOptions.KeyPassword", await WhyNotAsync(tls => (tls.CertificateFile, tls.KeyFile) = (CertificateFile(), encrypted)), StringComparison.Ordinal);
        Assert.Contains(
            "KeyPassword does not open it",
            await WhyNotAsync(tls => (tls.CertificateFile, tls.KeyFile, tls.KeyPassword) = (CertificateFile(), encrypted, "wr0ng")),
            StringComparison.Ordinal);
    }

    private async Task<string> WhyNotAsync(Action<TlsOptions> configure)
    {
        var server = new MqttServer("mqtts://localhost");
        configure(server.Tls);
        var stages = new List<ConnectStage>();

        var exception = await Assert.ThrowsAsync<MqttConnectException>(
            async () => await TransportFactory.For(server).ConnectAsync(stages.Add, None));

        Assert.Empty(stages);
        Assert.Equal(ConnectStage.Tls, exception.Stage);
        Assert.False(exception.IsTransient);
        Assert.DoesNotContain("wr0ng", exception.ToString(), StringComparison.Ordinal);
        return exception.Message;
    }

    private TlsPeer PeerThatAsks(SslProtocols version = SslProtocols.None) => new(_authority.IssueServer(["localhost"]), options =>
    {
        options.EnabledSslProtocols = version;
        options.ClientCertificateRequired = true;
        options.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        options.CertificateChainPolicy.CustomTrustStore.Add(_authority.Certificate);
        options.RemoteCertificateValidationCallback = (_, certificate, _, errors) => certificate is not null && errors == SslPolicyErrors.None;
    });

    private MqttServer ServerOf(TlsPeer peer)
    {
        var server = new MqttServer($"mqtts://localhost:{peer.Port}");
        server.Tls.CertificateAuthorities.Add(_authority.Certificate);
        return server;
    }

    private string CertificateFile() => FileWith(_client.ExportCertificatePem());

    private string KeyPem() => KeyPem(_client);

    private static string KeyPem(X509Certificate2 certificate)
    {
        using var key = certificate.GetECDsaPrivateKey()!;
        return key.ExportPkcs8PrivateKeyPem();
    }

    private string EncryptedKeyPem()
    {
        using var key = _client.GetECDsaPrivateKey()!;
        return key.ExportEncryptedPkcs8PrivateKeyPem(Passphrase, new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, iterationCount: 1000));
    }

    private string FileWith(string text)
    {
        var path = Path.Combine(_files.FullName, $"{Guid.NewGuid():N}.pem");
        File.WriteAllText(path, text);
        return path;
    }

    private static async Task<MqttConnectException> FailsAsync(MqttServer server) =>
        await Assert.ThrowsAsync<MqttConnectException>(() => EchoAsync(server));

    private static async Task EchoAsync(MqttServer server)
    {
        await using var stream = await TransportFactory.For(server).ConnectAsync(_ => { }, None);
        var buffer = new byte[] { 42 };
        await stream.WriteAsync(buffer, None);
        await stream.ReadExactlyAsync(buffer, None);
        Assert.Equal(42, buffer[0]);
    }
}
