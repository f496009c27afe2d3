using System.Net.Security;
using System.Net.Sockets;

namespace Nightjar.Testing;

/// <summary>Ends the writing half of a connection, which <see cref="Stream"/> has no word for.</summary>
internal static class HalfClose
{
    /// <summary>The other end reads to the end of what was written; false if this kind of stream cannot do that, or is closed.</summary>
    public static async ValueTask<bool> CompleteWritingAsync(Stream stream)
    {
        try
        {
            switch (stream)
            {
                case InMemoryStream memory:
                    memory.CompleteWriting();
                    return true;
                case NetworkStream network:
                    network.Socket.Shutdown(SocketShutdown.Send);
                    return true;
                case SslStream tls:
                    await tls.ShutdownAsync().ConfigureAwait(false);
                    return true;
                case FaultyStream faulty:
                    return await faulty.CompleteWritingAsync().ConfigureAwait(false);
                default:
                    return false;
            }
        }
        catch (Exception e) when (e is IOException or SocketException or InvalidOperationException or OperationCanceledException)
        {
            return false;
        }
    }
}
