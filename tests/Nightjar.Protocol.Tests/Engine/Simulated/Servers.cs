using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Tests.Engine.Simulated;

/// <summary>Settings with several servers, and how they fail.</summary>
internal static class Servers
{
    public static CloseReason Refused { get; } = new(CloseKind.DialFailed, "connection refused");

    public static CloseReason WrongName { get; } = new(CloseKind.DialFailed, "the certificate is for another name") { IsTransient = false };

    /// <summary>Delays of 1, 2, 4 and 8 s, without jitter; no keep-alive.</summary>
    public static EngineSettings Settings(params string[] names)
    {
        var settings = ScriptedServer.Settings() with { CleanStart = null, MaximumDelay = 8 * TimeSpan.TicksPerSecond };
        return settings with
        {
            Retry = new ReconnectSettings { Jitter = 0 },
            Servers = [.. names.Select(name => new ServerSettings
            {
                Name = name,
                Host = $"{name}.example",
                Port = 1883,
                Connect = new ConnectPacket { ClientId = "test", SessionExpiryInterval = 3600 },
            })],
        };
    }

    /// <summary>The server of the last attempt.</summary>
    public static string Target(ScriptedServer server)
    {
        server.Driver.Collect();
        return server.Driver.Outputs.OfType<EngineOutput.Dial>().Last().Target.Name;
    }
}
