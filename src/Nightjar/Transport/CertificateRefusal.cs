using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Nightjar.Transport;

/// <summary>Says why a server's certificate was refused, and what to do. The texts in it are the peer's, so they are shortened and stripped of control characters.</summary>
internal static class CertificateRefusal
{
    private const int MostNames = 8;
    private const int LongestText = 100;

    public static string Explain(string targetHost, X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is null)
        {
            return "the server showed no certificate";
        }

        var reasons = new List<string>();
        if ((errors & SslPolicyErrors.RemoteCertificateNameMismatch) != SslPolicyErrors.None)
        {
            reasons.Add($"the server's certificate is for {NamesOf(certificate)}, not for '{targetHost}'; connect to a name that it carries, or set TlsOptions.TargetHost or AllowNameMismatch");
        }

        if ((errors & SslPolicyErrors.RemoteCertificateChainErrors) != SslPolicyErrors.None && chain is not null)
        {
            reasons.AddRange(ChainReasons(chain));
        }

        return reasons.Count > 0 ? string.Join("; ", reasons) : $"the server's certificate was refused ({errors})";
    }

    private static IEnumerable<string> ChainReasons(X509Chain chain)
    {
        foreach (var element in chain.ChainElements)
        {
            foreach (var status in element.ChainElementStatus)
            {
                yield return Explain(element.Certificate, status);
            }
        }

        if (chain.ChainElements.Count == 0)
        {
            yield return $"no chain could be built for the server's certificate ({string.Join(", ", chain.ChainStatus.Select(status => status.Status))})";
        }
    }

    private static string Explain(X509Certificate2 certificate, X509ChainStatus status)
    {
        var name = Clean(certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false));
        var issuer = Clean(certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: true));
        return status.Status switch
        {
            X509ChainStatusFlags.NotTimeValid =>
                $"the certificate '{name}' is valid only from {Utc(certificate.NotBefore)} to {Utc(certificate.NotAfter)}; renew it, or set this machine's clock",
            X509ChainStatusFlags.UntrustedRoot =>
                $"the server's certificate comes from '{name}', an authority that is not trusted; name it with TlsOptions.CaFile if it should be",
            X509ChainStatusFlags.PartialChain =>
                $"the certificate '{name}' was issued by '{issuer}', which is neither trusted nor sent by the server; "
                + "name the authority with TlsOptions.CaFile, or let the server send its whole chain",
            X509ChainStatusFlags.NotSignatureValid => $"the signature of the certificate '{name}' is wrong",
            X509ChainStatusFlags.NotValidForUsage => $"the certificate '{name}' is not made for servers (its extended key usage lacks server authentication)",
            X509ChainStatusFlags.Revoked => $"the certificate '{name}' was revoked",
            _ => $"the certificate '{name}' was refused ({status.Status})",
        };
    }

    private static string NamesOf(X509Certificate2 certificate)
    {
        var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>()
            .SelectMany(extension => extension.EnumerateDnsNames().Concat(extension.EnumerateIPAddresses().Select(address => address.ToString())))
            .Take(MostNames + 1)
            .Select(name => $"'{Clean(name)}'")
            .ToList();
        if (names.Count == 0)
        {
            return $"'{Clean(certificate.GetNameInfo(X509NameType.DnsName, forIssuer: false))}'";
        }

        return names.Count > MostNames ? $"{string.Join(", ", names.Take(MostNames))} and more" : string.Join(", ", names);
    }

    private static string Utc(DateTime time) => time.ToUniversalTime().ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);

    private static string Clean(string text) =>
        string.Concat(text.Take(LongestText).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c)) + (text.Length > LongestText ? "..." : "");
}
