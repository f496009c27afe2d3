using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Nightjar;

/// <summary>
/// How a TLS connection is verified. The chain and the name are always checked unless <see cref="AllowUntrusted"/> says otherwise. Files are read at each
/// attempt to connect, so a renewed certificate is used from the next one on.
/// </summary>
public sealed class TlsOptions
{
    /// <summary>A PEM file of certificate authorities that are trusted instead of the system's. Default: null, the system's roots.</summary>
    public string? CaFile { get; set; }

    /// <summary>Certificate authorities that are trusted instead of the system's, beside <see cref="CaFile"/>. They stay the caller's to dispose.</summary>
    public X509Certificate2Collection CertificateAuthorities { get; private init; } = [];

    /// <summary>A PEM file with this client's certificate first, then its chain, if any. Default: null, none.</summary>
    public string? CertificateFile { get; set; }

    /// <summary>A PEM file with its private key. Default: null, it is in <see cref="CertificateFile"/>.</summary>
    public string? KeyFile { get; set; }

    /// <summary>The passphrase of an encrypted private key.</summary>
    public string? KeyPassword { get; set; }

    /// <summary>The name that the server's certificate must carry. Default: the host that is connected to.</summary>
    public string? TargetHost { get; set; }

    /// <summary>TLS 1.2, 1.3 or both. Default: <see cref="SslProtocols.None"/>, the system's choice; anything below 1.2 is refused.</summary>
    public SslProtocols Protocols { get; set; }

    /// <summary>Application protocols (ALPN), in order of preference; each 1 to 255 bytes. Default: none.</summary>
    public IList<string> ApplicationProtocols { get; private init; } = [];

    /// <summary>Whether a certificate that names another host is accepted (the tool's <c>--insecure</c>; the chain is still checked). Default: false.</summary>
    public bool AllowNameMismatch { get; set; }

    /// <summary>Whether any certificate at all is accepted: encryption without knowing with whom. For experiments only. Default: false.</summary>
    public bool AllowUntrusted { get; set; }

    /// <summary>
    /// Called before each handshake with what is going to be asked of it, for what there is no option for: cipher suites, resumption, a certificate out of a
    /// hardware key. It may replace everything, the verification too, and then answers for it; TLS below 1.2 is refused all the same. What it throws ends the attempt.
    /// Default: null.
    /// </summary>
    public Action<SslClientAuthenticationOptions>? Configure { get; set; }

    /// <summary>A copy; the authorities in it are the caller's own objects.</summary>
    internal TlsOptions Snapshot() => new()
    {
        CaFile = CaFile,
        CertificateAuthorities = [.. CertificateAuthorities],
        CertificateFile = CertificateFile,
        KeyFile = KeyFile,
        KeyPassword = KeyPassword,
        TargetHost = TargetHost,
        Protocols = Protocols,
        ApplicationProtocols = [.. ApplicationProtocols],
        AllowNameMismatch = AllowNameMismatch,
        AllowUntrusted = AllowUntrusted,
        Configure = Configure,
    };
}
