using Nightjar.Protocol.Packets;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Connection;

/// <summary>How a client ends, in order or not.</summary>
public sealed class EndTests
{
    [Fact]
    public async Task A_will_is_published_on_abort_and_on_request_and_not_on_disconnect_or_dispose()
    {
        await using var broker = InMemory.Broker();

        await EndAsync("abort", client =>
        {
            client.Abort();
            return Task.CompletedTask;
        });
        await EndAsync("disconnect", client => client.DisconnectAsync());
        await EndAsync("dispose", client => client.DisposeAsync().AsTask());
        await EndAsync("request", client => client.DisconnectAsync(new DisconnectOptions { ReasonCode = ReasonCode.DisconnectWithWillMessage }));

        Assert.Equal(["abort", "request"], (await broker.WaitForPublishedAsync(2)).Select(message => message.Text));

        async Task EndAsync(string text, Func<MqttClient, Task> end)
        {
            var options = InMemory.Options(broker);
            options.Will = new WillMessage { Topic = "will", Payload = System.Text.Encoding.UTF8.GetBytes(text) };
            await using var client = new MqttClient(options);
            await client.ConnectAsync().Soon();
            await end(client).Soon();
            await broker.WaitForNoClientsAsync();
        }
    }

    [Fact]
    public async Task Disconnect_says_what_its_options_say_after_everything_that_was_published()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        await client.PublishAsync("t", "before", QoS.AtMostOnce);
        var publish = client.PublishAsync("t", "acknowledged").AsTask();

        var disconnecting = client.DisconnectAsync(new DisconnectOptions
        {
            ReasonCode = ReasonCode.UnspecifiedError,
            ReasonString = "tired",
            SessionExpiryInterval = TimeSpan.FromSeconds(7),
            UserProperties = [new("a", "b")],
        });

        Assert.Equal("before", (await peer.TakeAsync()).Text);
        Assert.Equal("acknowledged", (await peer.TakeAsync()).Text);
        await publish.Soon();
        var disconnect = await peer.ExpectAsync<DisconnectPacket>();
        Assert.Equal((ReasonCode.UnspecifiedError, "tired", 7u), (disconnect.ReasonCode, disconnect.ReasonString, disconnect.SessionExpiryInterval));
        Assert.Equal([new("a", "b")], disconnect.UserProperties);
        await peer.CloseAsync();
        await disconnecting.Soon();
    }

    [Fact]
    public async Task The_session_of_a_generated_client_id_ends_with_the_client_and_no_other_does()
    {
        await using var broker = InMemory.Broker();
        await using (var generated = new MqttClient(InMemory.Options(broker)))
        {
            await generated.ConnectAsync().Soon();
            await generated.DisconnectAsync().Soon();
            Assert.Equal([generated.ClientId], broker.Sessions);
            await generated.ConnectAsync().Soon();
            Assert.StartsWith("nj-", generated.ClientId, StringComparison.Ordinal);
        }

        var options = InMemory.Options(broker);
        options.ClientId = "named";
        await using (var named = new MqttClient(options))
        {
            await named.ConnectAsync().Soon();
        }

        await broker.WaitForNoClientsAsync();
        Assert.Equal(["named"], broker.Sessions);
    }

    [Fact]
    public async Task Disposing_ends_every_wait()
    {
        var time = new ManualTimeProvider();
        await using var peer = InMemory.Peer();
        var client = await peer.ConnectAsync(InMemory.Options(peer, time), new ConnAckPacket { ReceiveMaximum = 1 });
        using var end = new AbortAtEnd(client);
        await using var events = new EventReader(client);
        var inFlight = client.PublishAsync("t", "1").AsTask();
        var queued = client.PublishAsync("t", "2").AsTask();
        var flush = client.FlushAsync().AsTask();
        var unsubscribe = client.UnsubscribeAsync("x");
        var subscription = client.Subscribe("y");
        var granted = subscription.Granted;
        await using var messages = subscription.GetAsyncEnumerator();
        var next = messages.MoveNextAsync().AsTask();
        var completion = client.Completion;
        await peer.ExpectAsync<MqttMessage>();

        var disposing = client.DisposeAsync().AsTask();
        Assert.False(disposing.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(5.1));
        await peer.ExpectAsync<UnsubscribePacket>();
        await peer.ExpectAsync<SubscribePacket>();
        await peer.ExpectAsync<DisconnectPacket>();
        await peer.CloseAsync();
        await disposing.Soon();

        await Assert.ThrowsAnyAsync<MqttException>(() => inFlight.Soon());
        await Assert.ThrowsAnyAsync<MqttException>(() => queued.Soon());
        await Assert.ThrowsAnyAsync<MqttException>(() => flush.Soon());
        await Assert.ThrowsAnyAsync<MqttException>(() => unsubscribe.Soon());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => granted.Soon());
        Assert.False(await next.Soon());
        await completion.Soon();
        await subscription.Completion.Soon();
        Assert.IsType<ClientEvent.Disconnected>((await events.ToEndAsync())[^1]);
        Assert.Equal(ClientState.Closed, client.State);
    }

    [Fact]
    public async Task Disposing_may_be_repeated_and_raced()
    {
        await using var broker = InMemory.Broker();
        var client = new MqttClient(InMemory.Options(broker));
        await client.ConnectAsync().Soon();

        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(async () =>
        {
            if (i == 7)
            {
                client.Abort();
            }

            await client.DisposeAsync();
        }))).Soon();
        await client.DisposeAsync().Soon();
        client.Abort();

        await client.Completion.Soon();
        await broker.WaitForNoClientsAsync();
    }

    [Fact]
    public async Task Disposing_a_client_that_was_never_used_does_nothing()
    {
        var client = new MqttClient(InMemory.Options(() => throw new InvalidOperationException("nobody asked for a connection")));

        await client.DisposeAsync().Soon();

        Assert.Equal(ClientState.Closed, client.State);
    }

    [Fact]
    public async Task After_the_end_every_call_says_so()
    {
        await using var broker = InMemory.Broker();
        var client = new MqttClient(InMemory.Options(broker));
        await client.DisposeAsync();

        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await client.PublishAsync("t", "x"));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await client.PublishAsync("t", "x", QoS.AtMostOnce));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await client.FlushAsync());
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await client.UnsubscribeAsync("t"));
        Assert.Throws<ObjectDisposedException>(() => client.Subscribe("t"));
        Assert.Throws<ObjectDisposedException>(() => client.On("t", _ => { }));
        await client.DisconnectAsync().Soon();
        Assert.Empty(await new EventReader(client).ToEndAsync());
        Assert.Equal(ClientState.Closed, client.Status.State);
    }

    [Fact]
    public async Task Running_ends_with_the_token_and_leaves_in_order()
    {
        await using var broker = InMemory.Broker();
        var options = InMemory.Options(broker);
        options.Will = new WillMessage { Topic = "will" };
        var client = new MqttClient(options);
        using var cancellation = new CancellationTokenSource();
        var running = client.RunAsync(cancellation.Token);
        await broker.WaitForClientsAsync();

        await cancellation.CancelAsync();
        await running.Soon();

        Assert.Equal(ClientState.Closed, client.State);
        Assert.Empty(broker.Published);
    }

    [Fact]
    public async Task Without_reconnecting_a_lost_connection_ends_the_run_and_every_wait()
    {
        await using var peer = InMemory.Peer();
        var options = InMemory.Options(peer);
        options.Reconnect.Enabled = false;
        await using var client = new MqttClient(options);
        using var end = new AbortAtEnd(client);
        var running = client.RunAsync(CancellationToken.None);
        await peer.AcceptClientAsync();
        await client.WhenConnectedAsync().Soon();
        var completion = client.Completion;
        var publish = client.PublishAsync("t", "x").AsTask();
        await peer.ExpectAsync<MqttMessage>();

        await peer.CloseAsync();

        await Assert.ThrowsAsync<MqttDisconnectedException>(() => publish.Soon());
        await Assert.ThrowsAsync<MqttDisconnectedException>(() => completion.Soon());
        await Assert.ThrowsAsync<MqttDisconnectedException>(() => running.Soon());
        Assert.Equal(ClientState.Closed, client.State);
    }

    [Fact]
    public async Task Events_come_in_the_order_of_what_happened()
    {
        await using var broker = InMemory.Broker();
        broker.RefuseNext(ReasonCode.ServerBusy);
        var client = new MqttClient(InMemory.Options(broker));
        await using var events = new EventReader(client);
        await client.Subscribe("t").Granted.Soon();
        broker.DropConnections();
        await events.NextAsync<ClientEvent.Disconnected>();
        await events.NextAsync<ClientEvent.Connected>();
        await client.DisposeAsync().Soon();

        var kinds = (await events.ToEndAsync()).Select(happened => happened.GetType().Name);

        Assert.Equal(["Connecting", "ConnectFailed", "Connecting", "Connected", "SubscriptionAnswered", "Disconnected", "Connecting", "Connected", "Disconnected"], kinds);
        Assert.Null(Assert.IsType<ClientEvent.Disconnected>(events.Seen[^1]).Error);
    }
}
