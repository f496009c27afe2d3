using System.Threading.Channels;
using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;
using Nightjar.Testing;
using Nightjar.Tests.Transport;
using Xunit;

namespace Nightjar.Tests.Connection;

/// <summary>What received messages cost in memory while they wait.</summary>
public sealed class ReceiveMemoryTests
{
    private const int Budget = 256 * 1024;

    [Fact]
    public async Task A_consumer_that_stands_still_stops_the_server_and_memory_stays_within_twice_the_budget()
    {
        const int Messages = 3000;
        const int Size = 1000;
        var time = new ManualTimeProvider();
        await using var peer = InMemory.Peer();
        await using var measured = new MeasuredStream(peer.ConnectInMemory());
        var options = Budgeted(InMemory.Options(() => measured, time));
        options.KeepAlive = TimeSpan.FromSeconds(10);
        options.Receive.ReceiveMaximum = ushort.MaxValue;
        await using var client = await peer.ConnectAsync(options);
        using var end = new AbortAtEnd(client);
        var gate = new TaskCompletionSource();
        var received = Channel.CreateUnbounded<ushort>();
        client.On("t", async message =>
        {
            await gate.Task;
            received.Writer.TryWrite(message.PacketId);
        });
        await peer.GrantAsync();
        var sending = Task.Run(async () =>
        {
            for (ushort id = 1; id <= Messages; id++)
            {
                await peer.SendAsync(MqttMessage.Create("t", new byte[Size], packetId: id));
            }
        });

        // The breath and the patience of the loop pass; it reads on, and then no more.
        await Eventually.True(() =>
        {
            if (time.UntilNextTimer is { } next && next <= TimeSpan.FromSeconds(1))
            {
                time.Advance(next);
            }

            return client.Status.ReceivePauses == 2;
        });

        await Eventually.True(() => client.Status.IsReceivingPaused);
        for (var i = 0; i < 10; i++)
        {
            await time.WaitForTimerAsync(TimeSpan.FromSeconds(10)).Soon();
            time.Advance(TimeSpan.FromSeconds(10));
            await peer.ExpectAsync(PacketType.PingReq);
        }

        Assert.False(sending.IsCompleted);
        Assert.InRange(measured.BytesRead, Budget, (2 * Budget) + (64 * 1024));
        Assert.Equal(ClientState.Connected, client.State);
        gate.SetResult();
        await sending.Soon();
        for (ushort id = 1; id <= Messages; id++)
        {
            Assert.Equal(id, await received.Reader.ReadAsync().Soon());
            await peer.ExpectAckAsync(PacketType.PubAck, id);
        }
    }

    [Fact]
    public async Task A_slow_handler_does_not_keep_the_chunks_of_the_others()
    {
        const int Rounds = 100;
        await using var peer = InMemory.Peer();
        var options = Budgeted(InMemory.Options(peer, new ManualTimeProvider()));
        await using var client = await peer.ConnectAsync(options);
        using var end = new AbortAtEnd(client);
        var gate = new TaskCompletionSource();
        var slow = Channel.CreateUnbounded<string>();
        var fast = Channel.CreateUnbounded<int>();
        client.On("slow", async message =>
        {
            await gate.Task;
            slow.Writer.TryWrite(message.Text);
        });
        await peer.GrantAsync();
        client.On("fast", message => fast.Writer.TryWrite(message.Payload.Length));
        await peer.GrantAsync();

        // Each pair fills a chunk, of which the slow one needs a few bytes. The clock stands still, so that a pause would be for ever.
        for (var i = 0; i < Rounds; i++)
        {
            await peer.SendBytesAsync(Together(MqttMessage.Create("slow", $"{i}", QoS.AtMostOnce), MqttMessage.Create("fast", new byte[20_000], QoS.AtMostOnce)));
            Assert.Equal(20_000, await fast.Reader.ReadAsync().Soon());
        }

        gate.SetResult();
        for (var i = 0; i < Rounds; i++)
        {
            Assert.Equal($"{i}", await slow.Reader.ReadAsync().Soon());
        }

        Assert.Equal(0, client.Status.ReceivePauses);
    }

    [Fact]
    public async Task An_idle_connection_waits_without_a_buffer()
    {
        var time = new ManualTimeProvider();
        await using var peer = InMemory.Peer();
        await using var measured = new MeasuredStream(peer.ConnectInMemory());
        await using var client = await peer.ConnectAsync(InMemory.Options(() => measured, time));
        using var end = new AbortAtEnd(client);
        var received = Channel.CreateUnbounded<string>();
        client.On("t", message => received.Writer.TryWrite(message.Text));
        await peer.GrantAsync();
        await peer.SendAsync(MqttMessage.Create("t", "in a conversation", QoS.AtMostOnce));
        await received.Reader.ReadAsync().Soon();
        Assert.Equal(0, measured.EmptyReads);

        time.Advance(TimeSpan.FromSeconds(6));
        await peer.SendAsync(MqttMessage.Create("t", "after a while", QoS.AtMostOnce));
        await measured.WhenEmptyRead.Soon();
        await peer.SendAsync(MqttMessage.Create("t", "while it rests", QoS.AtMostOnce));

        Assert.Equal("after a while", await received.Reader.ReadAsync().Soon());
        Assert.Equal("while it rests", await received.Reader.ReadAsync().Soon());
        await peer.SendAsync(MqttMessage.Create("t", "awake", QoS.AtMostOnce));
        Assert.Equal("awake", await received.Reader.ReadAsync().Soon());
        Assert.Equal(1, measured.EmptyReads);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_idle_connection_wakes_over_TCP_and_TLS(bool tls)
    {
        using var authority = TestAuthority.CreateRoot("root");
        var time = new ManualTimeProvider();
        await using var broker = new MqttTestBroker(new MqttTestBrokerOptions { ServerCertificate = tls ? authority.IssueServer(["localhost"]) : null, Patience = Deadline.Patience });
        var server = new MqttServer($"{(tls ? "mqtts" : "mqtt")}://localhost:{broker.Port}");
        if (tls)
        {
            server.Tls.CertificateAuthorities.Add(authority.Certificate);
        }

        await using var client = new MqttClient(new MqttClientOptions { Servers = { server }, KeepAlive = TimeSpan.Zero, TimeProvider = time });
        using var end = new AbortAtEnd(client);
        var received = Channel.CreateUnbounded<string>();
        await client.On("t", message => received.Writer.TryWrite(message.Text)).Granted.Soon();
        for (var i = 0; i < 5; i++)
        {
            time.Advance(TimeSpan.FromMinutes(1));
            await broker.PublishAsync("t", $"{i} after a while");
            Assert.Equal($"{i} after a while", await received.Reader.ReadAsync().Soon());
        }
    }

    [Fact]
    public async Task A_peer_that_takes_no_acknowledgements_is_read_no_more_until_it_does()
    {
        const int Messages = 60_000;
        await using var peer = InMemory.Peer();
        await using var measured = new MeasuredStream(peer.ConnectInMemory());
        var options = InMemory.Options(() => measured);
        options.Receive.ReceiveMaximum = ushort.MaxValue;
        await using var client = await peer.ConnectAsync(options);
        using var end = new AbortAtEnd(client);

        // Nobody subscribes: each is acknowledged at its arrival, and no handler has a say in how fast.
        var packet = PacketWriter.ToArray(new PublishPacket { Topic = "t"u8, QoS = QoS.AtLeastOnce, PacketId = 1 }, MqttVersion.Mqtt5);
        var hold = new TaskCompletionSource();
        measured.HoldWrites = hold.Task;
        var sending = Task.Run(async () =>
        {
            var flood = new byte[packet.Length * Messages];
            for (var i = 0; i < Messages; i++)
            {
                packet.CopyTo(flood, i * packet.Length);
            }

            await peer.SendBytesAsync(flood);
        });

        // 64 KiB of acknowledgements of four bytes, and what was under way.
        await Eventually.True(() => measured.BytesRead >= 16_000 * packet.Length);
        await Eventually.Still(() => measured.BytesRead);
        Assert.False(sending.IsCompleted);
        Assert.InRange(measured.BytesRead, 0, (packet.Length * 20_000) + (3 * 64 * 1024));
        hold.SetResult();
        measured.HoldWrites = null;
        for (var i = 0; i < Messages; i++)
        {
            await peer.ExpectAckAsync(PacketType.PubAck, 1);
        }

        await sending.Soon();
    }

    private static byte[] Together(params MqttMessage[] messages) => [.. messages.SelectMany(m => PacketWriter.ToArray(
        new PublishPacket { Topic = System.Text.Encoding.UTF8.GetBytes(m.Topic), Payload = m.Payload.Span }, MqttVersion.Mqtt5))];

    private static MqttClientOptions Budgeted(MqttClientOptions options)
    {
        options.Receive.MaximumPacketSize = 64 * 1024;
        options.Receive.Budget = Budget;
        return options;
    }
}
