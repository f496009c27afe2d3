using System.Globalization;
using System.Threading.Channels;
using Nightjar.Protocol.Packets;
using Xunit;

namespace Nightjar.Tests.Subscriptions;

/// <summary>QoS 0 messages that come faster than they are handled.</summary>
public sealed class OverflowTests
{
    private readonly Channel<string> _handled = Channel.CreateUnbounded<string>();
    private readonly TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Theory]
    [InlineData(Overflow.DropOldest, 1)]
    [InlineData(Overflow.DropNewest, 1)]
    [InlineData(Overflow.DropOldest, 3)]
    [InlineData(Overflow.DropNewest, 3)]
    public async Task A_full_queue_drops_what_its_policy_says_and_nothing_of_qos_1(Overflow overflow, int concurrency)
    {
        const int Limit = 10;
        await using var scene = await PeerScene.StartAsync();
        await using var events = new EventReader(scene.Client);
        On(scene, new SubscribeOptions { QueueLimit = Limit, Overflow = overflow, MaxConcurrency = concurrency });
        scene.Client.On("other", _ => { });
        for (var subscriptions = 0; subscriptions < 2;)
        {
            subscriptions += (await scene.Peer.GrantAsync()).Subscriptions.Count;
        }

        // So many are with the handler and not in the queue.
        for (var i = 0; i < concurrency; i++)
        {
            await scene.SendQoS0Async("t", $"held {i}");
        }

        await HandledAsync(concurrency);
        for (var i = 0; i < 100; i++)
        {
            await scene.SendQoS0Async("t", $"{i}");
            if (i == 50)
            {
                await scene.SendAsync("t", "kept", 1);
            }
        }

        // What comes behind is read: nobody else waits.
        await scene.SendAsync("other", "x", 2);
        await WhenAsync(() => scene.Client.Status is { Dropped: 100 - Limit, Unacknowledged: 2 });
        _gate.SetResult();
        await scene.AckAsync(1, 2);

        var expected = overflow == Overflow.DropOldest
            ? Enumerable.Range(90, Limit).Select(i => $"{i}").Prepend("kept")
            : Enumerable.Range(0, Limit).Select(i => $"{i}").Append("kept");
        var handled = await HandledAsync(Limit + 1);
        Assert.Equal(concurrency == 1 ? expected : expected.Order(StringComparer.Ordinal), concurrency == 1 ? handled : handled.Order(StringComparer.Ordinal));

        // The episode is over with the next message; then everything that was dropped has been told.
        await scene.SendQoS0Async("t", "end");
        Assert.Equal(["end"], await HandledAsync(1));
        long told = 0;
        while (told < 100 - Limit)
        {
            told += (await events.NextAsync<ClientEvent.MessagesDropped>()).Count;
        }

        Assert.Equal(100 - Limit, told);
        Assert.InRange(events.Seen.OfType<ClientEvent.MessagesDropped>().Count(), 1, 2);
        Assert.Equal(100 - Limit, scene.Client.Status.Dropped);
    }

    [Fact]
    public async Task Order_by_counts_what_waits_behind_a_key_too()
    {
        await using var scene = await PeerScene.StartAsync();
        On(scene, new SubscribeOptions { QueueLimit = 10, MaxConcurrency = 2, OrderBy = message => message.TopicUtf8 }, "#");
        await scene.Peer.GrantAsync();

        await scene.SendQoS0Async("t", "held");
        await HandledAsync(1);
        for (var i = 0; i < 10; i++)
        {
            await scene.SendQoS0Async("t", $"{i}");
        }

        // When this one has its turn, those before it have gone to their lane.
        await scene.SendAsync("other", "passes", 1);
        Assert.Equal(["passes"], await HandledAsync(1));
        for (var i = 10; i < 100; i++)
        {
            await scene.SendQoS0Async("t", $"{i}");
        }

        await WhenAsync(() => scene.Client.Status.Dropped == 90);
        _gate.SetResult();
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"{i}"), await HandledAsync(10));
        Assert.Equal(90, scene.Client.Status.Dropped);
    }

    [Fact]
    public async Task Waiting_stops_the_peer_loses_nothing_and_leaves_memory_flat()
    {
        const int Messages = 3000;
        await using var scene = await PeerScene.StartAsync();
        On(scene, new SubscribeOptions { QueueLimit = 100, Overflow = Overflow.Wait });
        await scene.Peer.GrantAsync();
        var padding = new string('x', 500);
        var sent = 0;
        var sending = Task.Run(async () =>
        {
            for (; sent < Messages; Interlocked.Increment(ref sent))
            {
                await scene.SendQoS0Async("t", $"{padding}{sent}");
            }
        });

        await WhenAsync(() => scene.Client.Status.IsReceivingPaused);

        // As many as wait, a read's worth, and what the connection and the peer hold: not many more, however long this takes.
        scene.Time.Advance(TimeSpan.FromMinutes(10));
        Assert.True(scene.Client.Status.IsReceivingPaused);
        Assert.False(sending.IsCompleted);
        Assert.InRange(Volatile.Read(ref sent), 100, Messages / 2);
        await scene.Client.PublishAsync("still", "here", QoS.AtMostOnce);
        Assert.Equal("still", (await scene.Peer.ExpectAsync<MqttMessage>()).Topic);

        _gate.SetResult();
        var handled = await HandledAsync(Messages);
        await sending.Soon();

        Assert.Equal(Enumerable.Range(0, Messages), handled.Select(text => int.Parse(text.AsSpan(500), CultureInfo.InvariantCulture)));
        Assert.Equal(0, scene.Client.Status.Dropped);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Waiting_ends_with_the_subscription_and_with_the_client(bool client)
    {
        await using var scene = await PeerScene.StartAsync();
        var subscription = On(scene, new SubscribeOptions { QueueLimit = 1, Overflow = Overflow.Wait });
        scene.Client.On("other", message => _handled.Writer.TryWrite(message.Text));
        for (var subscriptions = 0; subscriptions < 2;)
        {
            subscriptions += (await scene.Peer.GrantAsync()).Subscriptions.Count;
        }

        for (var i = 0; i < 3; i++)
        {
            await scene.SendQoS0Async("t", $"{i}");
        }

        await HandledAsync(1);
        await WhenAsync(() => scene.Client.Status.IsReceivingPaused);
        await scene.SendQoS0Async("other", "behind");
        if (client)
        {
            scene.Client.Abort();
            await scene.Client.Completion.Soon();
            await scene.Peer.ExpectClosedAsync();
            return;
        }

        var disposing = subscription.DisposeAsync();
        Assert.Equal("behind", (await HandledAsync(1))[0]);
        var unsubscribe = await scene.Peer.ExpectAsync<UnsubscribePacket>();
        await scene.Peer.SendAsync(new UnsubAckPacket { PacketId = unsubscribe.PacketId, ReasonCodes = [ReasonCode.Success] });
        await disposing.Soon();
        Assert.False(scene.Client.Status.IsReceivingPaused);
    }

    [Fact]
    public async Task Messages_of_both_kinds_come_in_the_order_of_arrival()
    {
        await using var scene = await PeerScene.StartAsync();
        On(scene, new SubscribeOptions { QueueLimit = 1000 });
        await scene.Peer.GrantAsync();
        _gate.SetResult();
        for (ushort id = 1; id <= 200; id++)
        {
            await (id % 3 == 0 ? scene.SendAsync("t", $"{id}", id) : scene.SendQoS0Async("t", $"{id}"));
        }

        Assert.Equal(Enumerable.Range(1, 200).Select(id => $"{id}"), await HandledAsync(200));
    }

    [Fact]
    public async Task A_loop_over_a_limited_subscription_sees_the_newest()
    {
        await using var scene = await PeerScene.StartAsync();
        var subscription = scene.Client.Subscribe("t", new SubscribeOptions { QueueLimit = 2 });
        scene.Client.On("other", _ => { });
        for (var subscriptions = 0; subscriptions < 2;)
        {
            subscriptions += (await scene.Peer.GrantAsync()).Subscriptions.Count;
        }

        for (var i = 0; i < 5; i++)
        {
            await scene.SendQoS0Async("t", $"{i}");
        }

        await scene.SendAsync("other", "", 1);
        await scene.AckAsync(1);
        await using var messages = subscription.GetAsyncEnumerator();
        Assert.True(await messages.MoveNextAsync().Soon());
        Assert.Equal("3", messages.Current.Text);
        Assert.True(await messages.MoveNextAsync().Soon());
        Assert.Equal("4", messages.Current.Text);
        var next = messages.MoveNextAsync();
        await scene.SendQoS0Async("t", "5");
        Assert.True(await next.Soon());
    }

    private Subscription On(PeerScene scene, SubscribeOptions options, string filter = "t") => scene.Client.On(
        filter,
        async message =>
        {
            _handled.Writer.TryWrite(message.Text);
            await _gate.Task;
        },
        options);

    private async Task<List<string>> HandledAsync(int count)
    {
        var handled = new List<string>();
        while (handled.Count < count)
        {
            handled.Add(await _handled.Reader.ReadAsync().Soon());
        }

        return handled;
    }

    /// <summary>Nothing tells when the receive loop has read what was sent; the status does.</summary>
    private static async Task WhenAsync(Func<bool> holds)
    {
        var looking = Task.Run(async () =>
        {
            while (!holds())
            {
                await Task.Yield();
            }
        });
        await looking.Soon();
    }
}
