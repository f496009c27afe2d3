using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Nightjar.Transport;

/// <summary>Certificates from PEM files, with errors that name the file.</summary>
internal static class PemFile
{
    public static string Read(MqttServer server, string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw ConnectFailure.Permanent(server, ConnectStage.Tls, $"the file '{path}' cannot be read ({e.Message.TrimEnd('.')})", e);
        }
    }

    /// <summary>All certificates in the text, at least one; the caller disposes them.</summary>
    public static X509Certificate2Collection ImportCertificates(MqttServer server, string path, string pem)
    {
        var certificates = new X509Certificate2Collection();
        CryptographicException? error = null;
        try
        {
            certificates.ImportFromPem(pem);
        }
        catch (CryptographicException e)
        {
            error = e;
        }

        return certificates.Count > 0 && error is null
            ? certificates
            : throw ConnectFailure.Permanent(server, ConnectStage.Tls, $"the file '{path}' holds no certificate in PEM (a block that begins with -----BEGIN CERTIFICATE-----)", error);
    }

    public static void Dispose(X509Certificate2Collection certificates)
    {
        foreach (var certificate in certificates)
        {
            certificate.Dispose();
        }
    }
}
