using System.Net;
using System.Net.Sockets;

namespace Nightjar.Transport;

/// <summary>What <see cref="TcpTransport"/> asks of the network, so that a test can play it.</summary>
internal class TcpSeams
{
    public static readonly TcpSeams System = new();

    protected TcpSeams()
    {
    }

    public virtual Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken) => Dns.GetHostAddressesAsync(host, cancellationToken);

    /// <summary>Connects the socket, which is set up and bound; the stream owns it. On failure the caller disposes it.</summary>
    public virtual async Task<Stream> ConnectAsync(Socket socket, IPEndPoint remote, CancellationToken cancellationToken)
    {
        await socket.ConnectAsync(remote, cancellationToken).ConfigureAwait(false);
        return new NetworkStream(socket, ownsSocket: true);
    }
}
