using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Nightjar.Transport;

/// <summary>
/// An <see cref="SslStream"/> that owns this client's certificate, and that explains the one TLS failure which comes late: in TLS 1.3 a server judges the client's
/// certificate after the client's handshake is over, so its refusal meets the first write or the first read. There it is an <see cref="MqttConnectException"/>.
/// </summary>
internal sealed class TlsStream(MqttServer server, Stream inner, ClientCertificate? certificate) : SslStream(inner, leaveInnerStreamOpen: false)
{
    private bool _certificateWanted;

    // Set by the reader, and also read by the writer: seen late, it costs a few more explained writes and nothing else.
    private bool _answered;

    /// <summary>The socket that it runs over; null over a stream of the caller's.</summary>
    public Socket? Socket => (InnerStream as NetworkStream)?.Socket;

    /// <summary>Whether this client's certificate, shown or missing, may be why the server broke off.</summary>
    public bool MayBlameCertificate => certificate is not null || _certificateWanted;

    /// <summary>For <see cref="SslClientAuthenticationOptions.LocalCertificateSelectionCallback"/> when there is no certificate: notes the wish, grants nothing.</summary>
    public X509Certificate SelectNone(object sender, string targetHost, X509CertificateCollection localCertificates, X509Certificate? remoteCertificate, string[] acceptableIssuers)
    {
        // Before the handshake it is asked without the server's certificate, in case the client volunteers one.
        _certificateWanted |= remoteCertificate is not null;
        return null!;
    }

    /// <summary>Whether the server itself said no, rather than that the connection broke or the bytes made no sense.</summary>
    public static bool IsAlert(Exception? error) => error is not null && error.GetBaseException() is not (SocketException or IOException or AuthenticationException);

    /// <summary>What to do if <see cref="MayBlameCertificate"/>.</summary>
    public MqttConnectException ExplainRefusal(Exception? error)
    {
        var said = error is null ? "" : $" ({error.GetBaseException().Message.TrimEnd('.')})";
        var why = certificate is null
            ? $"the server asks for a client certificate; set TlsOptions.CertificateFile and KeyFile{said}"
            : $"the server broke off before it answered, perhaps for this client's certificate{said}";

        // Some servers ask and do without, and connections also break for other reasons: only an alert proves that trying again is in vain.
        return IsAlert(error) ? ConnectFailure.Permanent(server, ConnectStage.Tls, why, error) : ConnectFailure.Transient(server, ConnectStage.Tls, why, error);
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        _answered || !MayBlameCertificate ? base.ReadAsync(buffer, cancellationToken) : ReadFirstAsync(buffer, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        _answered || !MayBlameCertificate ? base.WriteAsync(buffer, cancellationToken) : WriteFirstAsync(buffer, cancellationToken);

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
            return read > 0 || buffer.IsEmpty ? read : throw ExplainRefusal(error: null);
        }
        catch (IOException e)
        {
            throw ExplainRefusal(e);
        }
    }

    private async ValueTask WriteFirstAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            await base.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw ExplainRefusal(e);
        }
    }
}
