using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Nightjar;

/// <summary>How a TLS connection is verified. The chain and the name are always checked unless <see cref="AllowUntrusted"/> says otherwise.</summary>
public sealed class TlsOptions
{
    /// <summary>A PEM file of certificate authorities that are trusted instead of the system's. Default: null, the system's roots.</summary>
    public string? CaFile { get; set; }

    /// <summary>Certificate authorities that are trusted instead of the system's, beside <see cref="CaFile"/>.</summary>
    public X509Certificate2Collection CertificateAuthorities { get; } = [];

    /// <summary>A PEM file with this client's certificate (and its chain, if any).</summary>
    public string? CertificateFile { get; set; }

    /// <summary>A PEM file with its private key; may be the same file.</summary>
    public string? KeyFile { get; set; }

    /// <summary>The passphrase of an encrypted <see cref="KeyFile"/>.</summary>
    public string? KeyPassword { get; set; }

    /// <summary>The name that the server's certificate must carry. Default: the host that is connected to.</summary>
    public string? TargetHost { get; set; }

    /// <summary>TLS 1.2, 1.3 or both. Default: <see cref="SslProtocols.None"/>, the system's choice; anything below 1.2 is refused.</summary>
    public SslProtocols Protocols { get; set; }

    /// <summary>Application protocols (ALPN), in order of preference. Default: none.</summary>
    public IList<string> ApplicationProtocols { get; } = [];

    /// <summary>Whether a certificate that names another host is accepted (the tool's <c>--insecure</c>; the chain is still checked). Default: false.</summary>
    public bool AllowNameMismatch { get; set; }

    /// <summary>Whether any certificate at all is accepted: encryption without knowing with whom. For experiments only. Default: false.</summary>
    public bool AllowUntrusted { get; set; }
}
