using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Nightjar.Tests.Transport;

/// <summary>A certificate authority made for one test.</summary>
internal sealed class TestAuthority : IDisposable
{
    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1");
    private static readonly Oid ClientAuthentication = new("1.3.6.1.5.5.7.3.2");
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();

    private TestAuthority(X509Certificate2 certificate) => Certificate = certificate;

    public X509Certificate2 Certificate { get; }

    public string Pem => Certificate.ExportCertificatePem();

    public static TestAuthority CreateRoot(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new TestAuthority(AuthorityRequest(name, key).CreateSelfSigned(Now.AddYears(-10), Now.AddYears(10)));
    }

    public static X509Certificate2 SelfSigned(string hostName)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = LeafRequest(hostName, [hostName], ServerAuthentication, key).CreateSelfSigned(Now.AddDays(-1), Now.AddDays(1));
        return Usable(certificate);
    }

    public TestAuthority CreateIntermediate(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var signed = AuthorityRequest(name, key).Create(Certificate, Now.AddYears(-5), Now.AddYears(5), Serial());
        return new TestAuthority(signed.CopyWithPrivateKey(key));
    }

    /// <summary>For a server: one that carries these names (addresses become address entries). Days count from today.</summary>
    public X509Certificate2 IssueServer(string[] names, int fromDay = -1, int toDay = 1) => Issue(names[0], names, ServerAuthentication, fromDay, toDay);

    public X509Certificate2 IssueClient(string name) => Issue(name, [], ClientAuthentication, fromDay: -1, toDay: 1);

    public void Dispose() => Certificate.Dispose();

    private X509Certificate2 Issue(string commonName, string[] names, Oid usage, int fromDay, int toDay)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var signed = LeafRequest(commonName, names, usage, key).Create(Certificate, Now.AddDays(fromDay), Now.AddDays(toDay), Serial());
        using var certificate = signed.CopyWithPrivateKey(key);
        return Usable(certificate);
    }

    // Schannel needs the private key in a container of its own; elsewhere the round trip does no harm.
    private static X509Certificate2 Usable(X509Certificate2 certificate) =>
        X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), password: null, X509KeyStorageFlags.Exportable);

    private static byte[] Serial() => RandomNumberGenerator.GetBytes(8);

    private static CertificateRequest AuthorityRequest(string name, ECDsa key)
    {
        var request = new CertificateRequest(Named(name), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        return request;
    }

    private static CertificateRequest LeafRequest(string commonName, string[] names, Oid usage, ECDsa key)
    {
        var request = new CertificateRequest(Named(commonName), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([usage], critical: false));
        if (names.Length > 0)
        {
            var alternatives = new SubjectAlternativeNameBuilder();
            foreach (var name in names)
            {
                if (IPAddress.TryParse(name, out var address))
                {
                    alternatives.AddIpAddress(address);
                }
                else
                {
                    alternatives.AddDnsName(name);
                }
            }

            request.CertificateExtensions.Add(alternatives.Build());
        }

        return request;
    }

    private static X500DistinguishedName Named(string commonName)
    {
        var name = new X500DistinguishedNameBuilder();
        name.AddCommonName(commonName);
        return name.Build();
    }
}
