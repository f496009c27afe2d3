using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Xunit;

namespace Nightjar.Tests.Transport;

/// <summary>A server on loopback that takes one TLS connection, reads a byte and sends it back.</summary>
internal sealed class TlsPeer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, port: 0);
    private readonly SslServerAuthenticationOptions _options;
    private readonly Task _served;

    public TlsPeer(X509Certificate2 certificate, Action<SslServerAuthenticationOptions>? configure = null)
    {
        _options = new SslServerAuthenticationOptions { ServerCertificateContext = SslStreamCertificateContext.Create(certificate, [], offline: true) };
        configure?.Invoke(_options);
        _listener.Start();
        _served = ServeAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>What the client showed and what was agreed to, once a byte was echoed.</summary>
    public string? ClientSubject { get; private set; }

    public SslApplicationProtocol Protocol { get; private set; }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        try
        {
            await _served;
        }
        catch (Exception e) when (e is IOException or SocketException or System.Security.Authentication.AuthenticationException or ObjectDisposedException)
        {
            // Half of the tests want exactly that.
        }

        _listener.Dispose();
    }

    private async Task ServeAsync()
    {
        using var socket = await _listener.AcceptSocketAsync();
        await using var stream = new SslStream(new NetworkStream(socket, ownsSocket: false));
        await stream.AuthenticateAsServerAsync(_options);
        var buffer = new byte[1];
        await stream.ReadExactlyAsync(buffer);
        ClientSubject = stream.RemoteCertificate?.Subject;
        Protocol = stream.NegotiatedApplicationProtocol;
        await stream.WriteAsync(buffer);
        Assert.Equal(0, await stream.ReadAsync(buffer));
    }
}
