using System.Threading.Channels;
using Nightjar.Protocol.Packets;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Connection;

/// <summary>What a connection does with what it receives, when all is well and when handlers stand still.</summary>
public sealed class ReceiveTests
{
    private const int Small = 64 * 1024;

    [Fact]
    public async Task Messages_that_are_handled_at_once_use_up_no_budget_however_many_they_are()
    {
        // With a clock that stands still, a loop that paused would stand still for ever.
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(SmallBudget(InMemory.Options(broker, new ManualTimeProvider())));
        using var end = new AbortAtEnd(client);
        var received = Channel.CreateUnbounded<int>();
        await client.OnLeased("t", message => received.Writer.TryWrite(message.Payload.Length)).Granted.Soon();

        for (var i = 0; i < 5000; i++)
        {
            await broker.PublishAsync(new OutgoingMessage("t", "x") { QoS = QoS.AtMostOnce });
            Assert.Equal(1, await received.Reader.ReadAsync().Soon($"message {i}"));
        }
    }

    [Fact]
    public async Task Packets_as_large_as_the_budget_pass()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(SmallBudget(InMemory.Options(broker, new ManualTimeProvider())));
        using var end = new AbortAtEnd(client);
        var received = Channel.CreateUnbounded<int>();
        await client.OnLeased("t", message => received.Writer.TryWrite(message.Payload.Length)).Granted.Soon();

        for (var i = 0; i < 20; i++)
        {
            await broker.PublishAsync(new OutgoingMessage("t", new byte[Small - 100]) { QoS = QoS.AtMostOnce });
            Assert.Equal(Small - 100, await received.Reader.ReadAsync().Soon($"message {i}"));
        }
    }

    [Fact]
    public async Task A_handler_that_stands_still_stops_the_reading_and_then_costs_its_own_qos_0_messages_alone()
    {
        const int Messages = 400;
        var time = new ManualTimeProvider();
        await using var peer = InMemory.Peer();
        var options = SmallBudget(InMemory.Options(peer, time));
        options.KeepAlive = TimeSpan.Zero;
        await using var client = await peer.ConnectAsync(options);
        using var end = new AbortAtEnd(client);
        await using var events = new EventReader(client);
        var gate = new TaskCompletionSource();
        var received = Channel.CreateUnbounded<string>();
        client.On("t", async message =>
        {
            await gate.Task;
            received.Writer.TryWrite(message.Text[^3..]);
        });
        await peer.GrantAsync();

        // More than the budget and what the connection holds: the peer can only write it all when the client reads on.
        var payload = new string('x', 1000);
        var sending = Task.Run(async () =>
        {
            for (var i = 0; i < Messages; i++)
            {
                await peer.SendAsync(MqttMessage.Create("t", $"{payload}{i:D3}", QoS.AtMostOnce));
            }
        });

        while (!sending.IsCompleted)
        {
            // The breath and the patience of the loop pass; then it reads on and drops.
            await Task.WhenAny(sending, time.WaitForTimerAsync(TimeSpan.FromSeconds(1))).Soon();
            time.Advance(TimeSpan.FromSeconds(1));
        }

        await sending.Soon();
        var publish = client.PublishAsync("out", "acknowledgements still flow").AsTask();
        await peer.TakeAsync();
        await publish.Soon();
        gate.SetResult();

        // What asks for an acknowledgement is never dropped; when it is acknowledged, everything before it is done.
        await peer.SendAsync(MqttMessage.Create("t", "acknowledge me"));
        await peer.ExpectAckAsync(PacketType.PubAck, 1);
        await peer.SendAsync(MqttMessage.Create("t", "end", QoS.AtMostOnce));
        var arrived = 0;
        while (await received.Reader.ReadAsync().Soon() is var text && text != "end")
        {
            Assert.Equal(text == " me" ? " me" : $"{arrived++:D3}", text);
        }

        var dropped = await events.NextAsync<ClientEvent.MessagesDropped>();
        Assert.Equal(("t", (long)Messages), (dropped.Filter, dropped.Count + arrived));
        Assert.InRange(arrived, 1, Messages - 1);
        Assert.Equal(ClientState.Connected, client.State);
    }

    [Fact]
    public async Task A_packet_that_is_too_large_ends_the_connection_with_0x95_and_the_client_comes_back()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(SmallBudget(InMemory.Options(peer)));
        using var end = new AbortAtEnd(client);
        await using var events = new EventReader(client);

        await peer.SendAsync(MqttMessage.Create("t", new byte[Small], QoS.AtMostOnce));

        Assert.Equal(ReasonCode.PacketTooLarge, (await peer.ExpectAsync<DisconnectPacket>()).ReasonCode);
        await peer.CloseAsync();
        var error = Assert.IsType<MqttProtocolException>((await events.NextAsync<ClientEvent.Disconnected>()).Error);
        Assert.Equal(ReasonCode.PacketTooLarge, error.ReasonCode);
        await peer.AcceptClientAsync();
        await events.NextAsync<ClientEvent.Connected>();
    }

    [Fact(DisplayName = "[MQTT5-3.3.4-9] More messages than our Receive Maximum end the connection with 0x93")]
    public async Task Our_receive_maximum_is_enforced()
    {
        await using var peer = InMemory.Peer();
        var options = InMemory.Options(peer);
        options.Receive.ReceiveMaximum = 2;
        await using var client = await peer.ConnectAsync(options);
        using var end = new AbortAtEnd(client);
        client.On("t", async (_, stopping) => await Task.Delay(Timeout.Infinite, stopping));
        await peer.GrantAsync();

        for (ushort id = 1; id <= 3; id++)
        {
            await peer.SendAsync(MqttMessage.Create("t", "x"u8.ToArray(), packetId: id));
        }

        Assert.Equal(ReasonCode.ReceiveMaximumExceeded, (await peer.ExpectAsync<DisconnectPacket>()).ReasonCode);
    }

    [Fact]
    public async Task A_message_that_nobody_subscribes_to_is_acknowledged_and_reported()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        await using var events = new EventReader(client);

        await peer.SendAsync(MqttMessage.Create("lost/property", "x"));

        await peer.ExpectAckAsync(PacketType.PubAck, 1);
        Assert.Equal("lost/property", (await events.NextAsync<ClientEvent.Unrouted>()).Topic);
    }

    [Fact]
    public async Task A_stream_that_throws_what_it_likes_is_a_lost_connection()
    {
        await using var peer = InMemory.Peer();
        await using var first = new ThrowingStream(peer.ConnectInMemory());
        var connections = 0;
        await using var client = await peer.ConnectAsync(InMemory.Options(() => connections++ == 0 ? first : peer.ConnectInMemory()));
        using var end = new AbortAtEnd(client);
        await using var events = new EventReader(client);

        first.Fail(new NotImplementedException("odd"));
        await peer.SendBytesAsync(new byte[] { 0xD0, 0 });

        Assert.IsType<NotImplementedException>((await events.NextAsync<ClientEvent.Disconnected>()).Error!.InnerException);
        await peer.AcceptClientAsync();
        await events.NextAsync<ClientEvent.Connected>();
    }

    [Theory]
    [InlineData(QoS.AtMostOnce)]
    [InlineData(QoS.AtLeastOnce)]
    [InlineData(QoS.ExactlyOnce)]
    public async Task Thousands_of_messages_in_a_few_chunks_arrive_whole_and_in_order(QoS qos)
    {
        const int Messages = 20_000;
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));
        var done = new TaskCompletionSource();
        var expected = 0;
        await client.OnLeased("t", message =>
        {
            if (BitConverter.ToInt32(message.Payload.Span) != expected++)
            {
                done.TrySetException(new InvalidDataException($"message {expected - 1} is {BitConverter.ToInt32(message.Payload.Span)}"));
            }
            else if (expected == Messages)
            {
                done.TrySetResult();
            }
        }, new SubscribeOptions { QoS = qos }).Granted.Soon();

        for (var i = 0; i < Messages; i++)
        {
            await broker.PublishAsync(new OutgoingMessage("t", BitConverter.GetBytes(i)) { QoS = qos });
        }

        await done.Task.Soon();
    }

    private static MqttClientOptions SmallBudget(MqttClientOptions options)
    {
        options.Receive.MaximumPacketSize = Small;
        options.Receive.Budget = Small;
        return options;
    }

    /// <summary>Passes everything on until it is told to fail.</summary>
    private sealed class ThrowingStream(Stream inner) : Stream
    {
        private volatile Exception? _failure;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public void Fail(Exception failure) => _failure = failure;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = await inner.ReadAsync(buffer, cancellationToken);
            return _failure is { } failure ? throw failure : count;
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => inner.WriteAsync(buffer, cancellationToken);

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override void Flush() => throw new NotSupportedException();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
