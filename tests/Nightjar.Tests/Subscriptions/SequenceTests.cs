using Nightjar.Protocol.Packets;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Subscriptions;

/// <summary>A subscription as a sequence.</summary>
public sealed class SequenceTests
{
    [Fact]
    public async Task Asking_for_the_next_message_acknowledges_the_one_before()
    {
        await using var scene = await SceneAsync();
        var (peer, subscription) = (scene.Peer, scene.Subscription);
        await using var messages = subscription.GetAsyncEnumerator();
        await SendAsync(peer, 1, 2);

        Assert.True(await messages.MoveNextAsync().Soon());
        Assert.Equal(1, scene.Client.Status.Unacknowledged - 1);
        Assert.True(await messages.MoveNextAsync().Soon());

        await peer.ExpectAckAsync(PacketType.PubAck, 1);
        Assert.Equal(1, scene.Client.Status.Unacknowledged);
    }

    [Fact]
    public async Task Leaving_the_loop_leaves_the_current_message_unacknowledged_and_the_next_loop_goes_on()
    {
        await using var scene = await SceneAsync();
        var (peer, subscription) = (scene.Peer, scene.Subscription);
        await SendAsync(peer, 1, 2);
        await foreach (var message in subscription)
        {
            Assert.Equal("1", message.Text);
            break;
        }

        await foreach (var message in subscription)
        {
            Assert.Equal("2", message.Text);
            await subscription.AcknowledgeAsync();
            break;
        }

        await peer.ExpectAckAsync(PacketType.PubAck, 2);
    }

    [Fact]
    public async Task A_message_that_was_acknowledged_is_not_acknowledged_again()
    {
        await using var scene = await SceneAsync();
        var (peer, subscription) = (scene.Peer, scene.Subscription);
        await using var messages = subscription.GetAsyncEnumerator();
        await SendAsync(peer, 1, 2);
        Assert.True(await messages.MoveNextAsync().Soon());

        await subscription.AcknowledgeAsync();
        await subscription.AcknowledgeAsync();
        await peer.ExpectAckAsync(PacketType.PubAck, 1);
        Assert.True(await messages.MoveNextAsync().Soon());
        await subscription.AcknowledgeAsync();

        await peer.ExpectAckAsync(PacketType.PubAck, 2);
    }

    [Fact]
    public async Task Acknowledging_without_a_loop_is_a_mistake()
    {
        await using var scene = await SceneAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(async () => await scene.Subscription.AcknowledgeAsync());
    }

    [Fact]
    public async Task Two_loops_at_once_are_a_mistake()
    {
        await using var scene = await SceneAsync();
        await using var first = scene.Subscription.GetAsyncEnumerator();

        Assert.Throws<InvalidOperationException>(() => scene.Subscription.GetAsyncEnumerator());
    }

    [Fact]
    public async Task Cancelling_the_loop_ends_it_with_the_callers_token()
    {
        await using var scene = await SceneAsync();
        using var cancellation = new CancellationTokenSource();
        await using var messages = scene.Subscription.GetAsyncEnumerator(cancellation.Token);
        var next = messages.MoveNextAsync().AsTask();
        Assert.False(next.IsCompleted);

        await cancellation.CancelAsync();

        Assert.Equal(cancellation.Token, (await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next.Soon())).CancellationToken);
        await messages.DisposeAsync();
        await using var again = scene.Subscription.GetAsyncEnumerator();
        await SendAsync(scene.Peer, 1);
        Assert.True(await again.MoveNextAsync().Soon());
    }

    [Fact]
    public async Task Disposing_the_subscription_ends_the_loop_and_unsubscribes()
    {
        await using var scene = await SceneAsync();
        await using var messages = scene.Subscription.GetAsyncEnumerator();
        var next = messages.MoveNextAsync().AsTask();

        var disposing = scene.Subscription.DisposeAsync().AsTask();
        var unsubscribe = await scene.Peer.ExpectAsync<UnsubscribePacket>();
        Assert.False(disposing.IsCompleted);
        await scene.Peer.SendAsync(new UnsubAckPacket { PacketId = unsubscribe.PacketId, ReasonCodes = [ReasonCode.Success] });

        Assert.Equal(["t"], unsubscribe.Filters);
        await disposing.Soon();
        await scene.Subscription.DisposeAsync().Soon();
        Assert.False(await next.Soon());
        await scene.Subscription.Completion.Soon();
    }

    [Fact]
    public async Task The_end_of_the_client_ends_the_loop()
    {
        await using var scene = await SceneAsync();
        await using var messages = scene.Subscription.GetAsyncEnumerator();
        var next = messages.MoveNextAsync().AsTask();

        scene.Client.Abort();

        Assert.False(await next.Soon());
        await scene.Subscription.Completion.Soon();
        Assert.Equal(QoS.AtLeastOnce, await scene.Subscription.Granted.Soon());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_was_accepted_before_the_client_closed_is_still_there_after_it(bool loopRuns)
    {
        await using var scene = await SceneAsync();
        await using var early = loopRuns ? scene.Subscription.GetAsyncEnumerator() : null;
        await DeliverAsync(scene, 1, 2, 3);

        scene.Client.Abort();
        await scene.Client.DisposeAsync().Soon();
        await scene.Subscription.Completion.Soon();
        for (var i = 0; i < 100; i++)
        {
            // What the end leaves to the pool has its chance to let go of them.
            await Task.Run(() => { });
        }

        await using var messages = early ?? scene.Subscription.GetAsyncEnumerator();
        foreach (var expected in new[] { "1", "2", "3" })
        {
            Assert.True(await messages.MoveNextAsync().Soon());
            Assert.Equal(expected, messages.Current.Text);
        }

        Assert.False(await messages.MoveNextAsync().Soon());
        Assert.False(await messages.MoveNextAsync().Soon());
    }

    [Fact]
    public async Task A_loop_goes_on_to_the_end_of_what_was_accepted_when_its_subscription_is_disposed_and_acknowledges_it()
    {
        await using var scene = await SceneAsync();
        await using var messages = scene.Subscription.GetAsyncEnumerator();
        await DeliverAsync(scene, 1, 2);
        Assert.True(await messages.MoveNextAsync().Soon());

        var disposing = scene.Subscription.DisposeAsync();
        var unsubscribe = await scene.Peer.ExpectAsync<UnsubscribePacket>();
        await scene.Peer.SendAsync(new UnsubAckPacket { PacketId = unsubscribe.PacketId, ReasonCodes = [ReasonCode.Success] });
        await disposing.Soon();

        Assert.True(await messages.MoveNextAsync().Soon());
        Assert.Equal("2", messages.Current.Text);
        Assert.False(await messages.MoveNextAsync().Soon());
        await scene.Peer.ExpectAckAsync(PacketType.PubAck, 1);
        await scene.Peer.ExpectAckAsync(PacketType.PubAck, 2);
    }

    [Fact]
    public async Task A_denied_subscription_says_so_everywhere()
    {
        await using var broker = InMemory.Broker(options => options.MaySubscribe = (_, filter) => filter != "secret");
        await using var client = new MqttClient(InMemory.Options(broker));
        await using var events = new EventReader(client);
        var subscription = client.Subscribe("secret");
        await using var messages = subscription.GetAsyncEnumerator();

        var error = await Assert.ThrowsAsync<MqttRefusedException>(() => subscription.Granted.Soon());
        await Assert.ThrowsAsync<MqttRefusedException>(() => messages.MoveNextAsync().Soon());

        Assert.Equal(ReasonCode.NotAuthorized, error.ReasonCode);
        Assert.Contains("'secret'", error.Message, StringComparison.Ordinal);
        Assert.Equal(new ClientEvent.SubscriptionAnswered("secret", ReasonCode.NotAuthorized), await events.NextAsync<ClientEvent.SubscriptionAnswered>());
        await subscription.Completion.Soon();
        await subscription.DisposeAsync().Soon();
        await client.PublishAsync("t", "goes on").Soon();
    }

    [Fact]
    public async Task A_loop_that_waits_already_hears_of_the_refusal()
    {
        await using var peer = InMemory.Peer();
        var client = await peer.ConnectAsync(InMemory.Options(peer));
        var subscription = client.Subscribe("t");
        await using var messages = subscription.GetAsyncEnumerator();
        var next = messages.MoveNextAsync();
        var subscribe = await peer.ExpectAsync<SubscribePacket>();

        await peer.SendAsync(new SubAckPacket { PacketId = subscribe.PacketId, ReasonCodes = [ReasonCode.NotAuthorized] });

        await Assert.ThrowsAsync<MqttRefusedException>(() => next.Soon());
        client.Abort();
    }

    [Fact]
    public async Task A_subscription_that_is_denied_when_it_is_made_again_lets_go_of_its_messages()
    {
        await using var scene = await SceneAsync();
        await using var events = new EventReader(scene.Client);
        var other = scene.Client.Subscribe("other");
        await scene.Peer.GrantAsync();
        await SendAsync(scene.Peer, 1, 2, 3);
        await other.Granted.Soon();
        await scene.Peer.CloseAsync();
        await scene.Peer.AcceptClientAsync();

        var subscribe = await scene.Peer.ExpectAsync<SubscribePacket>();
        await scene.Peer.SendAsync(new SubAckPacket
        {
            PacketId = subscribe.PacketId,
            ReasonCodes = [.. subscribe.Subscriptions.Select(_ => ReasonCode.NotAuthorized)],
        });

        await scene.Subscription.Completion.Soon();
        await other.Completion.Soon();
        await scene.Client.PublishAsync("still", "here", QoS.AtMostOnce).Soon();
        Assert.Equal("here", (await scene.Peer.ExpectAsync<MqttMessage>()).Text);
        Assert.Equal(ClientState.Connected, scene.Client.State);
    }

    [Fact]
    public async Task A_subscription_with_a_handler_is_no_sequence()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));
        var subscription = client.On("t", _ => { });

        Assert.Throws<InvalidOperationException>(() => subscription.GetAsyncEnumerator());
    }

    private static async Task<Scene> SceneAsync()
    {
        var peer = InMemory.Peer();
        var client = await peer.ConnectAsync(InMemory.Options(peer));
        var subscription = client.Subscribe("t");
        await peer.GrantAsync();
        await subscription.Granted.Soon();
        return new Scene(peer, client, subscription);
    }

    /// <summary>Sends them, and waits for one behind them: then they are in their queue.</summary>
    private static async Task DeliverAsync(Scene scene, params ushort[] ids)
    {
        var behind = new TaskCompletionSource();
        scene.Client.On("behind", _ => behind.TrySetResult());
        await scene.Peer.GrantAsync();
        await SendAsync(scene.Peer, ids);
        await scene.Peer.SendAsync(MqttMessage.Create("behind", "", QoS.AtMostOnce));
        await behind.Task.Soon();
    }

    private static async Task SendAsync(ScriptedPeer peer, params ushort[] ids)
    {
        foreach (var id in ids)
        {
            await peer.SendAsync(MqttMessage.Create("t", System.Text.Encoding.UTF8.GetBytes($"{id}"), packetId: id));
        }
    }

    private sealed record Scene(ScriptedPeer Peer, MqttClient Client, Subscription Subscription) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            Client.Abort();
            await Peer.DisposeAsync();
        }
    }
}
