using System.Net.Sockets;

namespace Nightjar.Transport;

/// <summary>A stream that the caller opens; see <see cref="MqttServer.FromStream"/>.</summary>
internal sealed class StreamTransport(MqttServer server, Func<CancellationToken, ValueTask<Stream>> open) : ITransport
{
    public async ValueTask<Stream> ConnectAsync(Action<ConnectStage> atStage, CancellationToken cancellationToken)
    {
        atStage(ConnectStage.Tcp);
        Stream? stream;
        try
        {
            stream = await open(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not MqttConnectException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw e is IOException or SocketException or TimeoutException or OperationCanceledException
                ? ConnectFailure.Transient(server, ConnectStage.Tcp, $"its stream could not be opened ({e.Message.TrimEnd('.')})", e)
                : ConnectFailure.Permanent(server, ConnectStage.Tcp, $"opening its stream failed with {e.GetType().Name} ({e.Message.TrimEnd('.')})", e);
        }

        if (stream is { CanRead: true, CanWrite: true })
        {
            return stream;
        }

        if (stream is not null)
        {
            await stream.DisposeAsync().ConfigureAwait(false);
        }

        throw ConnectFailure.Permanent(server, ConnectStage.Tcp, "the function given to FromStream must return a stream that reads and writes");
    }
}
