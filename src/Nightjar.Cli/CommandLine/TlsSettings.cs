using System.Security.Authentication;

namespace Nightjar.Cli.CommandLine;

/// <summary>The flags of TLS, and whether there is any.</summary>
internal sealed class TlsSettings
{
    private readonly List<string> _alpn = [];
    private string? _caFile;
    private string? _certificate;
    private string? _key;
    private SslProtocols _protocols;
    private bool _insecure;

    public TlsSettings() => Flags = new FlagGroup("TLS (port 8883 unless -p says otherwise)",
    [
        new("--cafile", "FILE", "certificate authorities to trust instead of the system's (PEM)", value => (Enabled, _caFile) = (true, value)),
        new("--cert", "FILE", "certificate of this client (PEM)", value => (Enabled, _certificate) = (true, value)),
        new("--key", "FILE", "its private key (PEM)", value => (Enabled, _key) = (true, value)),
        new("--insecure", "accept a certificate that names another host; its chain is still verified", () => _insecure = true),
        new("--tls-version", "VERSION", "tlsv1.2 or tlsv1.3 (either)", value => (Enabled, _protocols) = (true, Protocol(value))),
        new("--tls-alpn", "PROTOCOL", "application protocol to ask for", value =>
        {
            Enabled = true;
            _alpn.Add(value);
        }),
        new("--tls-use-os-certs", "use TLS and trust the system's authorities, which is the default once TLS is used", () => Enabled = true),
    ]);

    public FlagGroup Flags { get; }

    /// <summary>A flag, the URL or the port asked for TLS.</summary>
    public bool Enabled { get; set; }

    /// <summary>Throws <see cref="UsageException"/> for flags that do not fit together.</summary>
    public void Validate()
    {
        if (_certificate is null != _key is null)
        {
            throw new UsageException("Both --cert and --key must be given if one of them is.");
        }

        foreach (var file in new[] { _caFile, _certificate, _key })
        {
            if (file is not null && !File.Exists(file))
            {
                throw new UsageException($"Unable to open file \"{file}\".");
            }
        }
    }

    public TlsOptions ToOptions()
    {
        var options = new TlsOptions
        {
            CaFile = _caFile,
            CertificateFile = _certificate,
            KeyFile = _key,
            Protocols = _protocols,
            AllowNameMismatch = _insecure,
        };
        _alpn.ForEach(options.ApplicationProtocols.Add);
        return options;
    }

    private static SslProtocols Protocol(string text) => text switch
    {
        "tlsv1.2" => SslProtocols.Tls12,
        "tlsv1.3" => SslProtocols.Tls13,
        "tlsv1" or "tlsv1.1" => throw new UsageException($"--tls-version {text}: anything below tlsv1.2 is broken, and refused."),
        _ => throw new UsageException($"--tls-version takes tlsv1.2 or tlsv1.3, not '{text}'."),
    };
}
