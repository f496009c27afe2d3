using Nightjar.Testing;

namespace Nightjar.Tests;

/// <summary>Options of clients that talk to a peer in this process, without a socket. They come back after a lost connection at once, or nearly.</summary>
internal static class InMemory
{
    public static MqttClientOptions Options(MqttTestBroker broker, TimeProvider? time = null) => Options(() => broker.ConnectInMemory(), time);

    public static MqttClientOptions Options(ScriptedPeer peer, TimeProvider? time = null) => Options(() => peer.ConnectInMemory(), time);

    public static MqttClientOptions Options(Func<Stream> connect, TimeProvider? time = null) => new()
    {
        Servers = { MqttServer.FromStream("peer", _ => ValueTask.FromResult(connect())) },
        Reconnect = new ReconnectOptions { MinimumDelay = TimeSpan.FromMilliseconds(1), MaximumDelay = TimeSpan.FromMilliseconds(10) },
        TimeProvider = time ?? TimeProvider.System,
    };

    /// <summary>A broker without a port.</summary>
    public static MqttTestBroker Broker(Action<MqttTestBrokerOptions>? configure = null)
    {
        var options = new MqttTestBrokerOptions { Listen = false, Patience = Deadline.Patience };
        configure?.Invoke(options);
        return new MqttTestBroker(options);
    }

    /// <summary>A peer without a port.</summary>
    public static ScriptedPeer Peer() => new() { Patience = Deadline.Patience };
}
