using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Nightjar.Transport;

/// <summary>TLS over another transport. Files are read before anything is dialled, so a wrong path costs no connection.</summary>
internal sealed class TlsTransport(MqttServer server, ITransport inner) : ITransport
{
    private readonly string _targetHost = server.Tls.TargetHost ?? WithoutZone(server.Host);

    public async ValueTask<Stream> ConnectAsync(Action<ConnectStage> atStage, CancellationToken cancellationToken)
    {
        var certificate = ClientCertificate.Load(server);
        X509Certificate2Collection ownAuthorities = [];
        TlsStream? stream = null;
        try
        {
            ownAuthorities = LoadAuthorities();
            var plain = await inner.ConnectAsync(atStage, cancellationToken).ConfigureAwait(false);
            stream = new TlsStream(server, plain, certificate);
            atStage(ConnectStage.Tls);
            await AuthenticateAsync(stream, certificate, ownAuthorities, cancellationToken).ConfigureAwait(false);
            return stream;
        }
        catch
        {
            if (stream is not null)
            {
                await stream.DisposeAsync().ConfigureAwait(false);
            }

            certificate?.Dispose();
            throw;
        }
        finally
        {
            PemFile.Dispose(ownAuthorities);
        }
    }

    /// <summary>Refuses what is older than TLS 1.2: a system may still speak it when the choice is left to it.</summary>
    internal static void ThrowIfOld(MqttServer server, SslProtocols negotiated)
    {
        if (negotiated < SslProtocols.Tls12)
        {
            throw ConnectFailure.Permanent(server, ConnectStage.Tls, $"the server speaks only {negotiated}, and TLS below 1.2 is not safe; let it offer TLS 1.2 or 1.3");
        }
    }

    // A zone says which of this machine's links leads to an address; it is no part of the server's name.
    private static string WithoutZone(string host) => host.IndexOf('%', StringComparison.Ordinal) is >= 0 and var zone ? host[..zone] : host;

    private X509Certificate2Collection LoadAuthorities() =>
        server.Tls.CaFile is { } file ? PemFile.ImportCertificates(server, file, PemFile.Read(server, file)) : [];

    private async ValueTask AuthenticateAsync(
        TlsStream stream, ClientCertificate? certificate, X509Certificate2Collection ownAuthorities, CancellationToken cancellationToken)
    {
        string? refusal = null;
        var certificateErrors = SslPolicyErrors.None;
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = _targetHost,
            EnabledSslProtocols = server.Tls.Protocols,
            AllowRenegotiation = false,
            CertificateChainPolicy = ChainPolicy(ownAuthorities),
            RemoteCertificateValidationCallback = (_, shown, chain, errors) => (refusal = Judge(shown, chain, certificateErrors = errors)) is null,
        };
        if (certificate is null)
        {
            options.LocalCertificateSelectionCallback = stream.SelectNone;
        }

        if (server.Tls.ApplicationProtocols.Count > 0)
        {
            options.ApplicationProtocols = [.. server.Tls.ApplicationProtocols.Select(protocol => new SslApplicationProtocol(protocol))];
        }

        try
        {
            options.ClientCertificateContext = certificate?.ToContext();
            Configure(options);
            await stream.AuthenticateAsClientAsync(options, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException and not MqttConnectException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw refusal is not null ? ConnectFailure.Permanent(server, ConnectStage.Tls, refusal, e, certificateErrors)
                : stream.MayBlameCertificate && TlsStream.IsAlert(e) ? stream.ExplainRefusal(e)
                : Explain(e);
        }

        ThrowIfOld(server, stream.SslProtocol);
    }

    private void Configure(SslClientAuthenticationOptions options)
    {
        try
        {
            server.Tls.Configure?.Invoke(options);
        }
        catch (Exception e)
        {
            throw ConnectFailure.Permanent(server, ConnectStage.Tls, $"TlsOptions.Configure failed ({e.Message.TrimEnd('.')})", e);
        }
    }

    /// <summary>Null when no authorities are given: then the system decides whom to trust.</summary>
    private X509ChainPolicy? ChainPolicy(X509Certificate2Collection ownAuthorities)
    {
        if (ownAuthorities.Count == 0 && server.Tls.CertificateAuthorities.Count == 0)
        {
            return null;
        }

        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,

            // Private authorities seldom publish revocations, and what a server's certificate asks us to fetch is not fetched.
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(ownAuthorities);
        policy.CustomTrustStore.AddRange(server.Tls.CertificateAuthorities);
        return policy;
    }

    /// <summary>Null if the certificate is accepted, else why not.</summary>
    private string? Judge(X509Certificate? shown, X509Chain? chain, SslPolicyErrors errors)
    {
        var tolerated = server.Tls switch
        {
            { AllowUntrusted: true } => SslPolicyErrors.RemoteCertificateChainErrors | SslPolicyErrors.RemoteCertificateNameMismatch,
            { AllowNameMismatch: true } => SslPolicyErrors.RemoteCertificateNameMismatch,
            _ => SslPolicyErrors.None,
        };
        errors &= ~tolerated;
        return errors == SslPolicyErrors.None ? null : CertificateRefusal.Explain(_targetHost, shown as X509Certificate2, chain, errors);
    }

    private MqttConnectException Explain(Exception error) => error is IOException
        ? ConnectFailure.Transient(server, ConnectStage.Tls, "the server closed the connection during the TLS handshake; perhaps this port speaks no TLS", error)
        : ConnectFailure.Permanent(server, ConnectStage.Tls, $"the TLS handshake failed; perhaps this port speaks no TLS ({error.GetBaseException().Message.TrimEnd('.')})", error);
}
