using System.Net;
using System.Net.Sockets;

namespace Nightjar.Cli.Tests.Commands;

internal static class FreePort
{
    /// <summary>A port of the loopback on which nobody listens.</summary>
    public static int Find()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
