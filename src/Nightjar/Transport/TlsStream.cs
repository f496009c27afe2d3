using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Nightjar.Transport;

/// <summary>
/// An <see cref="SslStream"/> that owns this client's certificates, and that explains the one TLS failure which comes late: in TLS 1.3 a server judges the client's
/// certificate after the client's handshake is over, so its refusal arrives with the first read.
/// </summary>
internal sealed class TlsStream(MqttServer server, Stream inner, ClientCertificate? certificate) : SslStream(inner, leaveInnerStreamOpen: false)
{
    private bool _answered;

    /// <summary>The server asked for a certificate.</summary>
    public bool CertificateWanted { get; private set; }

    /// <summary>For <see cref="SslClientAuthenticationOptions.LocalCertificateSelectionCallback"/> when there is no certificate: notes the wish, grants nothing.</summary>
    public X509Certificate SelectNone(object sender, string targetHost, X509CertificateCollection localCertificates, X509Certificate? remoteCertificate, string[] acceptableIssuers)
    {
        // Before the handshake it is asked without the server's certificate, in case the client volunteers one.
        CertificateWanted |= remoteCertificate is not null;
        return null!;
    }

    /// <summary>
    /// Whether a failure has to do with this client's certificate: one was wanted and there is none, or one was shown and an alert came back. A connection that merely
    /// broke says nothing about it.
    /// </summary>
    public bool BlamesCertificate(Exception error) =>
        certificate is null ? CertificateWanted : error.GetBaseException() is not (SocketException or IOException);

    /// <summary>What to do about a failure of that kind.</summary>
    public MqttConnectException ExplainRefusal(Exception error) => ConnectFailure.Permanent(
        server,
        ConnectStage.Tls,
        certificate is null
            ? "the server asks for a client certificate; set TlsOptions.CertificateFile and KeyFile"
            : $"the server refused the TLS handshake, perhaps for this client's certificate ({error.GetBaseException().Message.TrimEnd('.')})",
        error);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        _answered ? base.ReadAsync(buffer, cancellationToken) : ReadFirstAsync(buffer, cancellationToken);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync().ConfigureAwait(false);
        certificate?.Dispose();
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            certificate?.Dispose();
        }
    }

    private async ValueTask<int> ReadFirstAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            var read = await base.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            _answered = read > 0;
            return read;
        }
        catch (IOException e) when (BlamesCertificate(e))
        {
            throw ExplainRefusal(e);
        }
    }
}
