using System.Threading.Channels;
using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Faults;

/// <summary>A connection that was given up has loops that are still at it when the next one begins.</summary>
public sealed class OverlappingConnectionsTests
{
    [Fact]
    public async Task What_the_old_receive_loop_still_reads_reaches_nobody()
    {
        var time = new ManualTimeProvider();
        await using var peer = InMemory.Peer();
        await using var old = new MeasuredStream(peer.ConnectInMemory());
        await using var client = await ConnectAsync(peer, old, time);
        using var end = new AbortAtEnd(client);
        await using var events = new EventReader(client);
        var received = Channel.CreateUnbounded<string>();
        client.On("t", message => received.Writer.TryWrite(message.Text));
        await peer.GrantAsync();
        var hold = new TaskCompletionSource();
        old.HoldReads = hold.Task;
        old.LateBytes = [.. Message("late 1", 1), .. Message("late 2", 2)];

        await OutliveKeepAliveAsync(client, time);
        await peer.AcceptClientAsync();
        await peer.GrantAsync();
        await peer.SendAsync(MqttMessage.Create("t", "new 1"));
        hold.SetResult();
        await Eventually.True(() => old.LateBytes is null);
        await peer.SendAsync(MqttMessage.Create("t", "new 2"u8.ToArray(), packetId: 2));

        await peer.ExpectAckAsync(PacketType.PubAck, 1);
        await peer.ExpectAckAsync(PacketType.PubAck, 2);
        Assert.Equal("new 1", await received.Reader.ReadAsync().Soon());
        Assert.Equal("new 2", await received.Reader.ReadAsync().Soon());
        Assert.False(received.Reader.TryRead(out _));
        client.Abort();
        Assert.Equal(2, (await events.ToEndAsync()).Count(e => e is ClientEvent.Disconnected));
    }

    [Fact]
    public async Task A_write_that_hangs_in_the_old_connection_does_not_hold_up_the_next()
    {
        var time = new ManualTimeProvider();
        await using var peer = InMemory.Peer();
        await using var old = new MeasuredStream(peer.ConnectInMemory());
        await using var client = await ConnectAsync(peer, old, time);
        using var end = new AbortAtEnd(client);
        await using var events = new EventReader(client);
        var hold = new TaskCompletionSource();
        old.HoldWrites = hold.Task;
        var first = client.PublishAsync("t", "1").AsTask();

        await OutliveKeepAliveAsync(client, time);
        await peer.AcceptClientAsync(new ConnAckPacket { SessionPresent = true });
        Assert.Equal("1", (await peer.TakeAsync()).Text);
        await first.Soon();
        hold.SetResult();
        for (var i = 2; i < 10; i++)
        {
            var publish = client.PublishAsync("t", $"{i}").AsTask();
            Assert.Equal($"{i}", (await peer.TakeAsync()).Text);
            await publish.Soon();
        }

        client.Abort();
        Assert.Equal(2, (await events.ToEndAsync()).Count(e => e is ClientEvent.Disconnected));
    }

    [Fact]
    public async Task A_stream_that_throws_while_it_is_written_ends_the_connection_with_its_error()
    {
        await using var peer = InMemory.Peer();
        await using var first = new MeasuredStream(peer.ConnectInMemory());
        var connections = 0;
        await using var client = await peer.ConnectAsync(InMemory.Options(() => connections++ == 0 ? first : peer.ConnectInMemory()));
        using var end = new AbortAtEnd(client);
        await using var events = new EventReader(client);
        first.HoldWrites = Task.FromException(new NotImplementedException("odd"));

        var publish = client.PublishAsync("t", "arrives all the same").AsTask();

        Assert.IsType<NotImplementedException>((await events.NextAsync<ClientEvent.Disconnected>()).Error!.InnerException);
        await peer.AcceptClientAsync(new ConnAckPacket { SessionPresent = true });
        Assert.Equal("arrives all the same", (await peer.TakeAsync()).Text);
        await publish.Soon();
    }

    private static async Task<MqttClient> ConnectAsync(ScriptedPeer peer, Stream first, TimeProvider time)
    {
        var connections = 0;
        var options = InMemory.Options(() => connections++ == 0 ? first : peer.ConnectInMemory(), time);
        options.KeepAlive = TimeSpan.FromSeconds(10);
        options.Session.CleanStart = false;
        return await peer.ConnectAsync(options);
    }

    /// <summary>The server stays silent until the client gives it up and dials again.</summary>
    private static async Task OutliveKeepAliveAsync(MqttClient client, ManualTimeProvider time)
    {
        await Eventually.True(() =>
        {
            time.Advance(TimeSpan.FromMilliseconds(10));
            return client.State != ClientState.Connected;
        });
        await Eventually.True(() =>
        {
            time.Advance(TimeSpan.FromMilliseconds(1));
            return client.State == ClientState.Connecting;
        });
    }

    private static byte[] Message(string text, ushort id) => PacketWriter.ToArray(
        new PublishPacket { Topic = "t"u8, Payload = System.Text.Encoding.UTF8.GetBytes(text), QoS = QoS.AtLeastOnce, PacketId = id }, MqttVersion.Mqtt5);
}
