using Nightjar.Protocol.Packets;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Faults;

/// <summary>Links that die without a word.</summary>
public sealed class KeepAliveFaultTests
{
    [Fact(DisplayName = "[MQTT5-3.1.2-21] The server's Server Keep Alive replaces the client's")]
    public async Task Server_keep_alive_is_used()
    {
        var time = new ManualTimeProvider();
        await using var peer = InMemory.Peer();
        var options = InMemory.Options(peer, time);
        options.KeepAlive = TimeSpan.FromSeconds(60);
        await using var client = await peer.ConnectAsync(options, new ConnAckPacket { ServerKeepAlive = 2 });
        using var end = new AbortAtEnd(client);

        for (var i = 0; i < 3; i++)
        {
            await time.WaitForTimerAsync(TimeSpan.FromSeconds(2)).Soon();
            time.Advance(TimeSpan.FromSeconds(2));
            await peer.ExpectAsync(PacketType.PingReq);
            await peer.SendAsync(default(PingRespPacket));

            // A message behind the answer: when it is acknowledged, the answer was read.
            await peer.SendAsync(MqttMessage.Create("t", "x"));
            await peer.ExpectAckAsync(PacketType.PubAck, 1);
        }

        Assert.Equal(TimeSpan.FromSeconds(2), client.Status.Connection!.KeepAlive);
    }

    [Fact]
    public async Task A_silent_server_is_noticed_although_the_application_publishes()
    {
        var time = new ManualTimeProvider();
        await using var peer = InMemory.Peer();
        var options = InMemory.Options(peer, time);
        options.KeepAlive = TimeSpan.FromSeconds(2);
        await using var client = await peer.ConnectAsync(options);
        using var end = new AbortAtEnd(client);
        await using var events = new EventReader(client);

        var second = 0;
        for (; client.State == ClientState.Connected && second < 10; second++)
        {
            await client.PublishAsync("t", $"{second}", QoS.AtMostOnce);
            await client.FlushAsync().Soon();
            time.Advance(TimeSpan.FromSeconds(1));
        }

        // Twice the keep-alive and a second for the last round.
        Assert.InRange(second, 2, 5);
        var disconnected = await events.NextAsync<ClientEvent.Disconnected>();
        Assert.Contains("PINGREQ", Assert.IsType<MqttDisconnectedException>(disconnected.Error).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_takes_no_bytes_is_noticed()
    {
        var time = new ManualTimeProvider();
        await using var peer = InMemory.Peer();
        await using var network = new FaultyNetwork(timeProvider: time);
        var options = InMemory.Options(() => network.Wrap(peer.ConnectInMemory()), time);
        options.KeepAlive = TimeSpan.FromSeconds(2);
        await using var client = await peer.ConnectAsync(options);
        using var end = new AbortAtEnd(client);
        await using var events = new EventReader(client);

        network.ToServer.Stall();
        for (var second = 0; client.State == ClientState.Connected && second < 10; second++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.IsType<MqttDisconnectedException>((await events.NextAsync<ClientEvent.Disconnected>()).Error);
    }
}
