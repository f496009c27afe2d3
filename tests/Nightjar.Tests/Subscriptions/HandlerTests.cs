using System.Threading.Channels;
using System.Threading.Tasks.Sources;
using Nightjar.Protocol.Packets;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Subscriptions;

/// <summary>Subscriptions with handlers.</summary>
public sealed class HandlerTests
{
    private readonly Channel<string> _called = Channel.CreateUnbounded<string>();

    [Fact]
    public async Task Messages_come_one_after_the_other_in_order()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));
        var running = 0;
        await client.On("t", async message =>
        {
            Assert.Equal(1, Interlocked.Increment(ref running));
            await Task.Yield();
            Interlocked.Decrement(ref running);
            await _called.Writer.WriteAsync(message.Text);
        }).Granted.Soon();

        for (var i = 0; i < 1000; i++)
        {
            await broker.PublishAsync("t", $"{i}");
        }

        for (var i = 0; i < 1000; i++)
        {
            Assert.Equal($"{i}", await _called.Reader.ReadAsync().Soon());
        }
    }

    [Fact]
    public async Task A_message_is_acknowledged_when_its_handler_ends()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        var gate = new TaskCompletionSource();
        client.On("t", async message =>
        {
            await _called.Writer.WriteAsync(message.Text);
            await gate.Task;
        });
        await peer.GrantAsync();
        await peer.SendAsync(MqttMessage.Create("t", "x"));
        await _called.Reader.ReadAsync().Soon();
        Assert.Equal(1, client.Status.Unacknowledged);

        gate.SetResult();

        await peer.ExpectAckAsync(PacketType.PubAck, 1);
    }

    [Fact]
    public async Task A_message_for_several_handlers_is_acknowledged_once_when_the_last_ends()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        var gates = new[] { new TaskCompletionSource(), new TaskCompletionSource() };
        client.On("a/b", async _ => await gates[0].Task);
        client.On("a/#", async _ => await gates[1].Task);
        client.On("+/b", _ => _called.Writer.TryWrite("third"));
        await peer.GrantAsync("+/b");
        await peer.SendAsync(MqttMessage.Create("a/b", "x"));
        await _called.Reader.ReadAsync().Soon();
        gates[0].SetResult();
        await client.PublishAsync("marker", "", QoS.AtMostOnce);
        Assert.Equal("marker", (await peer.ExpectAsync<MqttMessage>()).Topic);
        gates[1].SetResult();

        await peer.ExpectAckAsync(PacketType.PubAck, 1);
        await client.PublishAsync("marker", "", QoS.AtMostOnce);
        Assert.Equal("marker", (await peer.ExpectAsync<MqttMessage>()).Topic);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_handler_that_throws_is_called_again_and_then_the_message_is_acknowledged_and_reported(bool later)
    {
        var time = new ManualTimeProvider();
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer, time));
        using var end = new AbortAtEnd(client);
        await using var events = new EventReader(client);
        client.On("t", async message =>
        {
            _called.Writer.TryWrite(message.Text);
            if (later)
            {
                await Task.Yield();
            }

            if (message.Text == "poison")
            {
                throw new InvalidDataException("indigestible");
            }
        });
        await peer.GrantAsync();
        await peer.SendAsync(MqttMessage.Create("t", "poison"u8.ToArray(), packetId: 1));
        await peer.SendAsync(MqttMessage.Create("t", "food"u8.ToArray(), packetId: 2));

        for (var call = 0; call < 4; call++)
        {
            Assert.Equal("poison", await _called.Reader.ReadAsync().Soon());
            if (call < 3)
            {
                // A tenth of a second, then twice that, and so on; a timer that this sets is due later and does not fire at once.
                var pause = TimeSpan.FromMilliseconds(100 << call);
                await time.WaitForTimerAsync(pause).Soon();
                time.Advance(pause);
            }
        }

        Assert.Equal("food", await _called.Reader.ReadAsync().Soon());
        await peer.ExpectAckAsync(PacketType.PubAck, 1);
        await peer.ExpectAckAsync(PacketType.PubAck, 2);
        var failed = await events.NextAsync<ClientEvent.HandlerFailed>();
        Assert.Equal(("t", "t", "indigestible"), (failed.Filter, failed.Topic, failed.Error.Message));
    }

    [Fact]
    public async Task A_leased_message_is_valid_until_its_handler_ends_and_then_throws()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));
        LeasedMessage kept = default;
        MqttMessage? copy = null;
        await client.OnLeased("lease/#", async (message, _) =>
        {
            await Task.Yield();
            Assert.Equal("lease/x", message.Topic);
            Assert.True(message.TopicUtf8.SequenceEqual("lease/x"u8));
            Assert.True(message.Payload.Span.SequenceEqual("payload"u8));
            Assert.Equal((QoS.AtLeastOnce, false, false), (message.QoS, message.Retain, message.Duplicate));
            Assert.NotEqual(0, message.PacketId);
            Assert.False(message.Properties.IsEmpty);
            if (copy is null)
            {
                (kept, copy) = (message, message.ToMessage());
            }

            _called.Writer.TryWrite("called");
        }).Granted.Soon();

        for (var i = 0; i < 2; i++)
        {
            // The second call begins after the first has ended.
            await broker.PublishAsync(new OutgoingMessage("lease/x", "payload") { ContentType = "text/plain" });
            await _called.Reader.ReadAsync().Soon();
        }

        Assert.Throws<InvalidOperationException>(() => kept.Topic);
        Assert.Throws<InvalidOperationException>(() => kept.Payload);
        Assert.Throws<InvalidOperationException>(() => kept.ToMessage());
        Assert.Throws<InvalidOperationException>(() => default(LeasedMessage).Topic);
        Assert.Equal(("lease/x", "payload", "text/plain"), (copy!.Topic, copy.Text, copy.ContentType));
    }

    [Fact]
    public async Task A_message_without_payload_has_its_properties()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));
        var received = Channel.CreateUnbounded<MqttMessage>();
        await client.On("t", received.Writer.WriteAsync).Granted.Soon();

        await broker.PublishAsync(new OutgoingMessage("t", "") { ContentType = "nothing", UserProperties = [new("a", "b")] });

        var message = await received.Reader.ReadAsync().Soon();
        Assert.Equal((0, "nothing"), (message.Payload.Length, message.ContentType));
        Assert.Equal([new UserProperty("a", "b")], message.UserProperties);
    }

    [Fact]
    public async Task A_handlers_pooled_task_is_used_up()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));
        var source = new CountingSource();
        await client.On("t", (_, _) => new ValueTask(source, 0)).Granted.Soon();
        await client.On("t", _ => _called.Writer.TryWrite("x")).Granted.Soon();
        for (var i = 0; i < 10; i++)
        {
            await broker.PublishAsync("t", "x");
            await _called.Reader.ReadAsync().Soon();
        }

        await source.WaitForAsync(10);
    }

    [Fact]
    public async Task The_token_is_cancelled_when_the_subscription_ends_and_what_that_throws_harms_nobody()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));
        var stopped = new TaskCompletionSource();
        var subscription = client.On("t", async (_, stopping) =>
        {
            stopping.Register(() =>
            {
                stopped.TrySetResult();
                throw new InvalidOperationException("the user's own");
            });
            _called.Writer.TryWrite("in");
            await Task.Delay(Timeout.Infinite, stopping);
        });
        await subscription.Granted.Soon();
        await broker.PublishAsync("t", "x");
        await _called.Reader.ReadAsync().Soon();

        await subscription.DisposeAsync().Soon();

        await stopped.Task.Soon();
        await client.PublishAsync("t", "goes on").Soon();
    }

    private sealed class CountingSource : IValueTaskSource
    {
        private readonly Channel<int> _uses = Channel.CreateUnbounded<int>();

        public async Task WaitForAsync(int uses)
        {
            for (var i = 0; i < uses; i++)
            {
                await _uses.Reader.ReadAsync().Soon();
            }
        }

        public void GetResult(short token) => _uses.Writer.TryWrite(1);

        public ValueTaskSourceStatus GetStatus(short token) => ValueTaskSourceStatus.Succeeded;

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) => continuation(state);
    }
}
