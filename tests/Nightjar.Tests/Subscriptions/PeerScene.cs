using System.Text;
using Nightjar.Protocol.Packets;
using Nightjar.Testing;

namespace Nightjar.Tests.Subscriptions;

/// <summary>A connected client and the peer that a test plays against it.</summary>
internal sealed record PeerScene(ScriptedPeer Peer, MqttClient Client, ManualTimeProvider Time) : IAsyncDisposable
{
    /// <summary>With a clock that only the test moves, and without keep-alive, so that it may move it far.</summary>
    public static async Task<PeerScene> StartAsync(Action<MqttClientOptions>? configure = null)
    {
        var time = new ManualTimeProvider();
        var peer = InMemory.Peer();
        var options = InMemory.Options(peer, time);
        options.KeepAlive = TimeSpan.Zero;
        configure?.Invoke(options);
        peer.Version = options.Version;
        return new PeerScene(peer, await peer.ConnectAsync(options), time);
    }

    public Task SendAsync(string topic, string text, ushort id, QoS qos = QoS.AtLeastOnce, bool duplicate = false) =>
        Peer.SendAsync(MqttMessage.Create(topic, Encoding.UTF8.GetBytes(text).AsMemory(), qos, duplicate: duplicate, packetId: id));

    public Task SendQoS0Async(string topic, string text) => Peer.SendAsync(MqttMessage.Create(topic, text, QoS.AtMostOnce));

    public async Task AckAsync(params ushort[] ids)
    {
        foreach (var id in ids)
        {
            await Peer.ExpectAckAsync(PacketType.PubAck, id);
        }
    }

    /// <summary>Acknowledgements go before messages: when this one comes next, none was on its way.</summary>
    public async Task ExpectNothingAsync()
    {
        await Client.PublishAsync("marker", "", QoS.AtMostOnce);
        var next = await Peer.ReceiveAsync();
        Xunit.Assert.Equal("marker", (next.Packet as MqttMessage)?.Topic);
    }

    /// <summary>Waits for the timer that is due then, and lets it fire.</summary>
    public async Task PassAsync(TimeSpan time)
    {
        await Time.WaitForTimerAsync(time).Soon();
        Time.Advance(time);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Abort();
        await Client.DisposeAsync();
        await Peer.DisposeAsync();
    }
}
