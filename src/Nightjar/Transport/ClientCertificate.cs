using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Nightjar.Transport;

/// <summary>This client's certificate with its chain and private key, read from PEM files.</summary>
internal sealed class ClientCertificate : IDisposable
{
    private readonly X509Certificate2 _certificate;
    private readonly X509Certificate2Collection _chain;

    private ClientCertificate(X509Certificate2 certificate, X509Certificate2Collection chain)
    {
        _certificate = certificate;
        _chain = chain;
    }

    /// <summary>What <see cref="SslStream"/> takes. Offline: it fetches no missing certificates from the network.</summary>
    public SslStreamCertificateContext ToContext() => SslStreamCertificateContext.Create(_certificate, _chain, offline: true);

    /// <summary>Null if the options name none. Throws <see cref="MqttConnectException"/> for a file that cannot be used.</summary>
    public static ClientCertificate? Load(MqttServer server)
    {
        if (server.Tls.CertificateFile is not { } certificateFile)
        {
            return null;
        }

        var keyFile = server.Tls.KeyFile ?? certificateFile;
        var certificatePem = PemFile.Read(server, certificateFile);
        var keyPem = PemFile.Read(server, keyFile);
        var chain = PemFile.ImportCertificates(server, certificateFile, certificatePem);
        using var first = chain[0];
        chain.RemoveAt(0);
        try
        {
            return new ClientCertificate(Join(certificatePem, keyPem, server.Tls.KeyPassword), chain);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            PemFile.Dispose(chain);
            throw ConnectFailure.Permanent(server, ConnectStage.Tls, WhyNot(certificateFile, keyFile, keyPem, server.Tls.KeyPassword), e);
        }
    }

    public void Dispose()
    {
        _certificate.Dispose();
        PemFile.Dispose(_chain);
    }

    private static X509Certificate2 Join(string certificatePem, string keyPem, string? keyPassword)
    {
        var joined = IsEncrypted(keyPem) && keyPassword is not null
            ? X509Certificate2.CreateFromEncryptedPem(certificatePem, keyPem, keyPassword)
            : X509Certificate2.CreateFromPem(certificatePem, keyPem);
        if (!OperatingSystem.IsWindows())
        {
            return joined;
        }

        // Schannel cannot use a private key that lives in memory alone; a round trip through PKCS #12 gives it a key container.
        using (joined)
        {
            return X509CertificateLoader.LoadPkcs12(joined.Export(X509ContentType.Pkcs12), password: null);
        }
    }

    private static string WhyNot(string certificateFile, string keyFile, string keyPem, string? keyPassword) => IsEncrypted(keyPem)
        ? keyPassword is null
            ? $"the private key in '{keyFile}' is encrypted; set TlsOptions.KeyPassword"
            : $"the private key in '{keyFile}' could not be used: TlsOptions.KeyPassword does not open it, or it does not belong to the first certificate in '{certificateFile}'"
        : $"'{keyFile}' holds no private key in PEM (PKCS #8, or RSA and EC unencrypted) that belongs to the first certificate in '{certificateFile}'";

    private static bool IsEncrypted(string keyPem) => keyPem.Contains("-----BEGIN ENCRYPTED PRIVATE KEY-----", StringComparison.Ordinal);
}
