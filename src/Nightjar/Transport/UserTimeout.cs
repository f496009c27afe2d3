using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Nightjar.Transport;

/// <summary>The system's own limit for bytes that nobody acknowledges.</summary>
internal static class UserTimeout
{
    // <netinet/tcp.h>; the same on every processor.
    private const int IpProtoTcp = 6;
    private const int TcpUserTimeout = 18;

    public static bool IsSupported => OperatingSystem.IsLinux() || OperatingSystem.IsAndroid();

    /// <summary>What the option asks for with this keep-alive; null: leave it to the system.</summary>
    public static TimeSpan? For(TcpOptions options, TimeSpan keepAlive) => options.UserTimeout switch
    {
        { } timeout when timeout == Timeout.InfiniteTimeSpan => null,
        { } timeout => timeout,
        null => keepAlive > TimeSpan.Zero ? keepAlive * 1.5 : null,
    };

    /// <summary>Sets it, where the system has it. One that refuses is no reason not to connect.</summary>
    public static void Set(Socket socket, TimeSpan timeout)
    {
        if (!IsSupported)
        {
            return;
        }

        try
        {
            var milliseconds = (int)Math.Clamp(timeout.TotalMilliseconds, 1, int.MaxValue);
            socket.SetRawSocketOption(IpProtoTcp, TcpUserTimeout, MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in milliseconds)));
        }
        catch (SocketException)
        {
            // A sandbox may forbid it; keep-alive finds dead links too.
        }
    }

    /// <summary>What is set on the socket.</summary>
    public static TimeSpan Get(Socket socket)
    {
        Span<byte> milliseconds = stackalloc byte[sizeof(int)];
        socket.GetRawSocketOption(IpProtoTcp, TcpUserTimeout, milliseconds);
        return TimeSpan.FromMilliseconds(MemoryMarshal.Read<int>(milliseconds));
    }
}
