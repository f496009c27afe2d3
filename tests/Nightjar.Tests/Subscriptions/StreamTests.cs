using System.Threading.Channels;
using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Subscriptions;

/// <summary>Payloads that are read as they arrive.</summary>
public sealed class StreamTests
{
    private const int Whole = 64 * 1024;
    private const int Large = 10_000_000;

    // What may be in the client while it does not read: two chunks unread in the stream, what the loop had read before it saw that, and a read under way.
    private const int InTheClient = 4 * 64 * 1024;

    [Theory]
    [InlineData(QoS.AtMostOnce)]
    [InlineData(QoS.AtLeastOnce)]
    [InlineData(QoS.ExactlyOnce)]
    public async Task Ten_megabytes_arrive_whole_in_order_and_in_little_memory(QoS qos)
    {
        await using var broker = InMemory.Broker();
        await using var measured = new MeasuredStream(broker.ConnectInMemory());
        await using var client = new MqttClient(Streaming(InMemory.Options(() => measured)));
        var payload = new byte[Large];
        new Random(1).NextBytes(payload);
        var done = new TaskCompletionSource<string>();
        await client.OnStream("big/+", async (message, _) =>
        {
            Assert.Equal((Large, "big/one", "text/plain"), (message.Length, message.Topic, message.ContentType));
            var buffer = new byte[50_000];
            var at = 0;
            while (await message.Payload.ReadAsync(buffer, CancellationToken.None) is > 0 and var count)
            {
                Assert.True(payload.AsSpan(at, count).SequenceEqual(buffer.AsSpan(0, count)));
                at += count;
                Assert.Equal(at, message.Payload.Position);
            }

            done.TrySetResult($"{message.Topic} {at}");
        }, new SubscribeOptions { QoS = qos }).Granted.Soon();

        await broker.PublishAsync(new OutgoingMessage("big/one", payload) { QoS = qos, ContentType = "text/plain" });

        Assert.Equal($"big/one {Large}", await done.Task.Soon());
        Assert.InRange(measured.Buffers.Size, 1, 16 * 64 * 1024);
    }

    [Fact]
    public async Task While_a_payload_is_not_read_nothing_is_read_and_pings_go_on()
    {
        var time = new ManualTimeProvider();
        await using var peer = InMemory.Peer();
        await using var measured = new MeasuredStream(peer.ConnectInMemory());
        var options = Streaming(InMemory.Options(() => measured, time));
        options.KeepAlive = TimeSpan.FromSeconds(10);
        await using var client = await peer.ConnectAsync(options);
        using var end = new AbortAtEnd(client);
        var gate = new TaskCompletionSource();
        var read = new TaskCompletionSource<long>();
        client.OnStream("t", async (message, _) =>
        {
            await gate.Task;
            await message.Payload.CopyToAsync(Stream.Null, CancellationToken.None);
            read.SetResult(message.Payload.Position);
        });
        await peer.GrantAsync();

        var sending = SendLargeAsync(peer, Large);
        await Eventually.True(() => client.Status.IsReceivingPaused);
        Assert.InRange(measured.BytesRead, StreamedAhead, InTheClient);
        Assert.False(sending.IsCompleted);

        // Far more than the keep-alive: the server's silence means nothing, and it hears us.
        for (var i = 0; i < 5; i++)
        {
            await time.WaitForTimerAsync(TimeSpan.FromSeconds(10)).Soon();
            time.Advance(TimeSpan.FromSeconds(10));
            await peer.ExpectAsync(PacketType.PingReq);
        }

        Assert.Equal(ClientState.Connected, client.State);
        Assert.InRange(measured.BytesRead, StreamedAhead, InTheClient);
        gate.SetResult();
        await sending.Soon();
        Assert.Equal(Large, await read.Task.Soon());
        Assert.False(client.Status.IsReceivingPaused);
        Assert.True(client.Status.ReceivePauses > 0);
    }

    [Fact]
    public async Task After_a_pause_the_server_has_its_time_to_answer_before_it_counts_as_silent()
    {
        // Fixed header, topic, no properties, and exactly what may be unread: nothing is left that would be read after the pause.
        const int First = 5 + 3 + 1 + StreamedAhead;
        var time = new ManualTimeProvider();
        await using var peer = InMemory.Peer();
        var options = Streaming(InMemory.Options(peer, time));
        options.KeepAlive = TimeSpan.FromSeconds(10);
        await using var client = await peer.ConnectAsync(options);
        using var end = new AbortAtEnd(client);
        var gate = new TaskCompletionSource();
        client.OnStream("t", async (message, _) =>
        {
            await gate.Task;
            await message.Payload.CopyToAsync(Stream.Null, CancellationToken.None);
        });
        await peer.GrantAsync();
        await SendLargeAsync(peer, Large, stopAt: First);
        await Eventually.True(() => client.Status.IsReceivingPaused);

        // The PINGREQ leaves after 7.5 s, and its answer, which lies behind the payload, is missed after another 5.
        time.Advance(TimeSpan.FromSeconds(7.6));
        await peer.ExpectAsync(PacketType.PingReq);
        time.Advance(TimeSpan.FromSeconds(4.8));
        gate.SetResult();
        await Eventually.True(() => !client.Status.IsReceivingPaused);
        time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(ClientState.Connected, client.State);
    }

    [Theory]
    [InlineData(QoS.AtLeastOnce)]
    [InlineData(QoS.ExactlyOnce)]
    public async Task A_payload_that_is_cut_throws_and_comes_again(QoS qos)
    {
        await using var peer = InMemory.Peer();
        var options = Streaming(InMemory.Options(peer));
        options.Session.CleanStart = false;
        await using var client = await peer.ConnectAsync(options);
        using var end = new AbortAtEnd(client);
        await using var events = new EventReader(client);
        var outcomes = Channel.CreateUnbounded<object>();
        client.OnStream("t", async (message, _) =>
        {
            try
            {
                await message.Payload.CopyToAsync(Stream.Null, CancellationToken.None);
                outcomes.Writer.TryWrite(message.Payload.Position);
            }
            catch (Exception error)
            {
                outcomes.Writer.TryWrite(error);
                throw;
            }
        }, new SubscribeOptions { QoS = qos });
        await peer.GrantAsync();

        await SendLargeAsync(peer, Large, qos, stopAt: 1_000_000);
        await peer.CloseAsync();
        var cut = Assert.IsType<MqttDisconnectedException>(await outcomes.Reader.ReadAsync().Soon());
        Assert.Contains($"{Large} bytes", cut.Message, StringComparison.Ordinal);
        Assert.True(cut.IsTransient);
        await peer.AcceptClientAsync(new ConnAckPacket { SessionPresent = true });
        await SendLargeAsync(peer, Large, qos);

        Assert.Equal((long)Large, await outcomes.Reader.ReadAsync().Soon());
        await peer.ExpectAckAsync(qos == QoS.AtLeastOnce ? PacketType.PubAck : PacketType.PubRec, 7);
        client.Abort();
        Assert.DoesNotContain(await events.ToEndAsync(), e => e is ClientEvent.HandlerFailed);
    }

    [Theory]
    [InlineData(QoS.AtLeastOnce)]
    [InlineData(QoS.ExactlyOnce)]
    public async Task Over_a_link_that_breaks_again_and_again_each_message_comes_whole(QoS qos)
    {
        const int Messages = 20;
        const int Size = 500_000;
        await using var broker = InMemory.Broker();
        await using var network = new FaultyNetwork(seed: 5);
        network.ToClient.RandomPieces = true;
        var options = Streaming(InMemory.Options(() => network.Wrap(broker.ConnectInMemory())));
        options.ClientId = "streams";
        await using var client = new MqttClient(options);
        var whole = Channel.CreateUnbounded<int>();
        await client.OnStream("t/+", async (message, _) =>
        {
            var sum = await SumAsync(message.Payload);
            var number = int.Parse(message.Topic[2..], System.Globalization.CultureInfo.InvariantCulture);
            Assert.Equal((long)Size * number, sum);
            whole.Writer.TryWrite(number);
        }, new SubscribeOptions { QoS = qos }).Granted.Soon();
        var random = new Random(5);
        var payload = new byte[Size];
        var seen = new List<int>();

        for (var number = 1; number <= Messages; number++)
        {
            payload.AsSpan().Fill((byte)number);
            network.ToClient.CutAfter(random.Next(1, Size * 2));
            await broker.PublishAsync(new OutgoingMessage($"t/{number}", payload) { QoS = qos });
            do
            {
                seen.Add(await whole.Reader.ReadAsync().Soon());
            }
            while (seen[^1] != number);
        }

        var distinct = qos == QoS.ExactlyOnce ? seen : seen.Distinct();
        Assert.Equal(Enumerable.Range(1, Messages), distinct);
    }

    [Fact]
    public async Task Disposing_does_not_wait_for_a_payload_that_nobody_reads()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(Streaming(InMemory.Options(peer, new ManualTimeProvider())));
        using var end = new AbortAtEnd(client);
        var failure = new TaskCompletionSource<Exception>();
        client.OnStream("t", async (message, stopping) =>
        {
            await Task.Delay(Timeout.Infinite, stopping).ContinueWith(_ => { }, TaskScheduler.Default);
            failure.SetResult(await Assert.ThrowsAnyAsync<MqttException>(async () => await message.Payload.CopyToAsync(Stream.Null, CancellationToken.None)));
        });
        await peer.GrantAsync();
        var sending = SendLargeAsync(peer, Large);
        await Eventually.True(() => client.Status.IsReceivingPaused);

        // The clock stands still, so nothing here may wait for a timeout.
        var disposing = client.DisposeAsync().AsTask();
        await peer.ExpectAsync(PacketType.Disconnect);
        await peer.CloseAsync();

        await disposing.Soon();
        Assert.IsType<MqttDisconnectedException>(await failure.Task.Soon());
        await sending.ContinueWith(sent => sent.Exception, TaskScheduler.Default).Soon();
    }

    [Fact]
    public async Task A_handler_that_ends_early_leaves_the_rest_unread_and_the_next_message_comes()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(Streaming(InMemory.Options(peer)));
        using var end = new AbortAtEnd(client);
        var payloads = Channel.CreateUnbounded<Stream>();
        client.OnStream("t", async (message, _) =>
        {
            await message.Payload.ReadExactlyAsync(new byte[10], CancellationToken.None);
            payloads.Writer.TryWrite(message.Payload);
        });
        await peer.GrantAsync();

        await SendLargeAsync(peer, Large, QoS.AtLeastOnce);
        await peer.ExpectAckAsync(PacketType.PubAck, 7);
        await peer.SendAsync(MqttMessage.Create("t", "small, and whole"u8.ToArray(), packetId: 8));
        await peer.ExpectAckAsync(PacketType.PubAck, 8);

        for (var i = 0; i < 2; i++)
        {
            var payload = await payloads.Reader.ReadAsync().Soon();
            await Assert.ThrowsAsync<ObjectDisposedException>(async () => await payload.ReadExactlyAsync(new byte[1], CancellationToken.None));
        }
    }

    [Fact]
    public async Task A_message_that_was_held_whole_is_tried_again_and_one_that_was_not_is_not()
    {
        await using var peer = InMemory.Peer();
        var options = Streaming(InMemory.Options(peer));
        options.Receive.HandlerRetries = 1;
        await using var client = await peer.ConnectAsync(options);
        using var end = new AbortAtEnd(client);
        await using var events = new EventReader(client);
        var lengths = new List<long>();
        var calls = 0;
        client.OnStream("t", async (message, _) =>
        {
            calls++;
            await message.Payload.CopyToAsync(Stream.Null, CancellationToken.None);
            lengths.Add(message.Payload.Position);
            throw new InvalidOperationException("poison");
        });
        await peer.GrantAsync();

        await peer.SendAsync(MqttMessage.Create("t", "small"));
        await peer.ExpectAckAsync(PacketType.PubAck, 1);
        await events.NextAsync<ClientEvent.HandlerFailed>();
        await SendLargeAsync(peer, Large, QoS.AtLeastOnce);
        await peer.ExpectAckAsync(PacketType.PubAck, 7);
        await events.NextAsync<ClientEvent.HandlerFailed>();

        Assert.Equal([5, 5, Large], lengths);
        Assert.Equal(3, calls);
    }

    [Fact]
    public async Task Two_streams_read_the_same_message_each_at_its_pace_and_an_ordinary_subscription_is_told()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(Streaming(InMemory.Options(peer)));
        using var end = new AbortAtEnd(client);
        await using var events = new EventReader(client);
        var slow = new TaskCompletionSource();
        var sums = Channel.CreateUnbounded<long>();
        foreach (var (filter, gate) in new[] { ("t", Task.CompletedTask), ("+", slow.Task) })
        {
            client.OnStream(filter, async (message, _) =>
            {
                await gate;
                sums.Writer.TryWrite(await SumAsync(message.Payload));
            });
            await peer.GrantAsync(filter);
        }

        client.On("#", _ => Assert.Fail("It cannot be held whole."));
        await peer.GrantAsync("#");

        var sending = SendLargeAsync(peer, Large, QoS.AtLeastOnce);
        await Eventually.True(() => client.Status.IsReceivingPaused);
        slow.SetResult();
        await sending.Soon();

        Assert.Equal((Large, Large), (await sums.Reader.ReadAsync().Soon(), await sums.Reader.ReadAsync().Soon()));
        await peer.ExpectAckAsync(PacketType.PubAck, 7);
        var skipped = await events.NextAsync<ClientEvent.MessageSkipped>();
        Assert.Equal(("t", "#"), (skipped.Topic, skipped.Filter));
    }

    [Fact]
    public async Task Reading_can_be_cancelled_and_does_not_block_a_thread()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(Streaming(InMemory.Options(peer)));
        using var end = new AbortAtEnd(client);
        var done = new TaskCompletionSource();
        client.OnStream("t", async (message, _) =>
        {
            try
            {
                using var cancellation = new CancellationTokenSource();
                await message.Payload.ReadExactlyAsync(new byte[100], CancellationToken.None);
                var reading = message.Payload.ReadAtLeastAsync(new byte[Large], Large, cancellationToken: cancellation.Token);
                await cancellation.CancelAsync();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await reading);
                Assert.Throws<NotSupportedException>(() => message.Payload.ReadByte());
                Assert.False(message.Payload.CanSeek || message.Payload.CanWrite);
                done.SetResult();
            }
            catch (Exception error)
            {
                done.SetException(error);
            }
        });
        await peer.GrantAsync();

        await SendLargeAsync(peer, Large, QoS.AtMostOnce, stopAt: 100_000);

        await done.Task.Soon();
    }

    private const int StreamedAhead = 128 * 1024;
    private const int Piece = 30_000;

    private static MqttClientOptions Streaming(MqttClientOptions options)
    {
        options.Receive.MaximumPacketSize = Whole;
        options.Receive.MaximumStreamedPacketSize = 2 * Large;
        return options;
    }

    private static async Task<long> SumAsync(Stream payload)
    {
        var buffer = new byte[10_000];
        long sum = 0;
        while (await payload.ReadAsync(buffer) is > 0 and var count)
        {
            foreach (var value in buffer.AsSpan(0, count))
            {
                sum += value;
            }
        }

        return sum;
    }

    /// <summary>A message of ones to "t", in pieces.</summary>
    private static async Task SendLargeAsync(ScriptedPeer peer, int size, QoS qos = QoS.AtMostOnce, int stopAt = int.MaxValue)
    {
        var payload = new byte[size];
        payload.AsSpan().Fill(1);
        var packet = PacketWriter.ToArray(
            new PublishPacket { Topic = "t"u8, Payload = payload, QoS = qos, PacketId = (ushort)(qos == QoS.AtMostOnce ? 0 : 7) },
            MqttVersion.Mqtt5);
        for (var at = 0; at < Math.Min(stopAt, packet.Length); at += Piece)
        {
            await peer.SendBytesAsync(packet.AsMemory(at, Math.Min(Piece, packet.Length - at)));
        }
    }
}
