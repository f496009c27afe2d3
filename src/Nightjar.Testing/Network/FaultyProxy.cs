using System.Net;
using System.Net.Sockets;

namespace Nightjar.Testing;

/// <summary>The proxy of a <see cref="FaultyNetwork"/>: copies between accepted sockets and wrapped connections to the target.</summary>
internal sealed class FaultyProxy(FaultyNetwork network, string targetHost, int targetPort) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _disposed = new();
    private readonly List<Task> _running = [];
    private Socket? _listener;

    public int Port { get; private set; }

    /// <summary>Listens, on the same port as before if it did before; does nothing if it listens.</summary>
    public void Start()
    {
        lock (_gate)
        {
            if (_listener is not null)
            {
                return;
            }

            var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new IPEndPoint(IPAddress.Loopback, Port));
            listener.Listen();
            Port = ((IPEndPoint)listener.LocalEndPoint!).Port;
            _listener = listener;
            _running.Add(AcceptAsync(listener));
        }
    }

    public void Stop()
    {
        lock (_gate)
        {
            _listener?.Dispose();
            _listener = null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Stop();
        await _disposed.CancelAsync().ConfigureAwait(false);
        Task[] running;
        lock (_gate)
        {
            running = [.. _running];
        }

        await Task.WhenAll(running).ConfigureAwait(false);
        _disposed.Dispose();
    }

    private async Task AcceptAsync(Socket listener)
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptAsync(_disposed.Token).ConfigureAwait(false);
                lock (_gate)
                {
                    _running.RemoveAll(task => task.IsCompleted);
                    _running.Add(RelayAsync(client));
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Stopped.
        }
    }

    private async Task RelayAsync(Socket clientSocket)
    {
        clientSocket.NoDelay = true;
        var client = new NetworkStream(clientSocket, ownsSocket: true);
        await using var ownedClient = client.ConfigureAwait(false);
        var target = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await target.ConnectAsync(targetHost, targetPort, _disposed.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            target.Dispose();
            return;
        }

        var server = network.WrapFaulty(new NetworkStream(target, ownsSocket: true));
        await using var ownedServer = server.ConfigureAwait(false);
        using var cutWhenDisposed = _disposed.Token.UnsafeRegister(static stream => ((FaultyStream)stream!).Cut(), server);
        await Task.WhenAll(CopyAsync(client, server), CopyAsync(server, client)).ConfigureAwait(false);
    }

    private async Task CopyAsync(Stream from, Stream to)
    {
        var buffer = new byte[16 * 1024];
        var alive = true;
        try
        {
            int count;
            while ((count = await from.ReadAsync(buffer, _disposed.Token).ConfigureAwait(false)) > 0)
            {
                alive = alive && await TryWriteAsync(to, buffer.AsMemory(0, count)).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (IsEnd(e))
        {
            // Cut, or closed by the end that it came from.
        }

        await HalfClose.CompleteWritingAsync(to).ConfigureAwait(false);
    }

    /// <summary>
    /// False when the connection is cut. What still comes in is then read and dropped: closing a socket that has unread bytes resets it, and
    /// on some systems a reset takes away the last bytes before the cut.
    /// </summary>
    private async Task<bool> TryWriteAsync(Stream to, ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await to.WriteAsync(bytes, _disposed.Token).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (IsEnd(e))
        {
            return false;
        }
    }

    private static bool IsEnd(Exception e) => e is IOException or ObjectDisposedException or OperationCanceledException;
}
