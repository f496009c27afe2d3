using Microsoft.Extensions.Logging;
using Nightjar.Protocol.Packets;

namespace Nightjar.Diagnostics;

// 3xx: looking at the client.
internal static partial class Log
{
    [LoggerMessage(300, LogLevel.Error, "The packet inspector failed at a {PacketType}; this is logged once, whether or not it fails again.")]
    public static partial void InspectorFailed(ILogger logger, PacketType packetType, Exception error);

    [LoggerMessage(301, LogLevel.Information, "Throttled: {Delay} between messages from now on, half of it after 30 s.")]
    public static partial void Throttled(ILogger logger, TimeSpan delay);

    [LoggerMessage(302, LogLevel.Trace, "PINGRESP after {RoundTrip}.")]
    public static partial void PingAnswered(ILogger logger, TimeSpan roundTrip);
}
