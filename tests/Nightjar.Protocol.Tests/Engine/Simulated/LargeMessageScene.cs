using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Tests.Engine.Simulated;

/// <summary>A client that holds few bytes, subscribed to "t", and a message that is more.</summary>
internal static class LargeMessageScene
{
    public const int Limit = 100;

    public static string Large { get; } = new('x', 200);

    public static ScriptedServer Skipping(MqttVersion version = MqttVersion.Mqtt5, Func<EngineSettings, EngineSettings>? settings = null)
    {
        var skipping = ScriptedServer.Settings(version) with { MaximumPacketSize = Limit, OversizedPackets = OversizedPackets.Skip };
        return Subscribed(settings?.Invoke(skipping) ?? skipping, takesStreams: false);
    }

    public static ScriptedServer Streaming(Func<EngineSettings, EngineSettings>? settings = null)
    {
        var streaming = ScriptedServer.Settings() with { MaximumPacketSize = Limit, MaximumStreamedPacketSize = 1000 };
        return Subscribed(settings?.Invoke(streaming) ?? streaming, takesStreams: true);
    }

    private static ScriptedServer Subscribed(EngineSettings settings, bool takesStreams)
    {
        var server = ScriptedServer.Connected(settings);
        server.Driver.Subscribe("t", takesStreams: takesStreams);
        server.Send(new SubAckPacket { PacketId = 1, ReasonCodes = [ReasonCode.GrantedQoS2] });
        server.Sent();
        return server;
    }
}
