using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Nightjar.Testing.Broker;

/// <summary>Accepts connections on the broker's port and hands over their streams, inside TLS if there is a certificate.</summary>
internal sealed class BrokerListener : IAsyncDisposable
{
    private readonly MqttTestBrokerOptions _options;
    private readonly Func<Stream, Task> _serve;
    private readonly Socket _socket;
    private readonly Task _accepting;

    /// <exception cref="SocketException">The address or port is not to be had.</exception>
    public BrokerListener(MqttTestBrokerOptions options, int port, Func<Stream, Task> serve)
    {
        _options = options;
        _serve = serve;
        _socket = new Socket(options.Address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            _socket.Bind(new IPEndPoint(options.Address, port));
            _socket.Listen();
        }
        catch (SocketException)
        {
            _socket.Dispose();
            throw;
        }

        EndPoint = (IPEndPoint)_socket.LocalEndPoint!;
        _accepting = AcceptAsync();
    }

    public IPEndPoint EndPoint { get; }

    public async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        await _accepting.ConfigureAwait(false);
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            Socket client;
            try
            {
                client = await _socket.AcceptAsync().ConfigureAwait(false);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted)
            {
                // That client is gone already.
                continue;
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }

            client.NoDelay = true;
            _ = ServeAsync(new NetworkStream(client, ownsSocket: true));
        }
    }

    private async Task ServeAsync(NetworkStream network)
    {
        if (_options.ServerCertificate is null)
        {
            await _serve(network).ConfigureAwait(false);
            return;
        }

        var tls = new SslStream(network);
        try
        {
            await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
            {
                ServerCertificate = _options.ServerCertificate,
                ClientCertificateRequired = _options.ValidateClientCertificate is not null,
                RemoteCertificateValidationCallback = _options.ValidateClientCertificate,
            }).ConfigureAwait(false);
        }
        catch (Exception e) when (e is AuthenticationException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The client does not trust the broker, or the broker not the client.
            await tls.DisposeAsync().ConfigureAwait(false);
            return;
        }

        await _serve(tls).ConfigureAwait(false);
    }
}
