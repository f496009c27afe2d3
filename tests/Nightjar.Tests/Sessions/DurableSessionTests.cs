using Nightjar.Protocol.Packets;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Sessions;

/// <summary>A client with a store goes on where the one before it stopped, however that ended.</summary>
public sealed class DurableSessionTests
{
    [Fact]
    public async Task What_waited_when_a_client_was_aborted_is_sent_by_the_next_in_order()
    {
        var store = new MemorySessionStore();
        await using var broker = InMemory.Broker();
        var offline = InMemory.Options(() => throw new IOException("no network"));
        offline.Session.Store = store;
        offline.Reconnect.FirstConnect = FirstConnect.KeepTrying;
        string clientId;
        await using (var first = new MqttClient(offline))
        {
            await first.OpenAsync().Soon();
            clientId = first.ClientId;
            for (var i = 0; i < 100; i++)
            {
                _ = Forget(first.PublishAsync("t", $"{i}", (QoS)(1 + (i % 2))));
            }

            first.Abort();
        }

        var options = InMemory.Options(broker);
        options.Session.Store = store;
        await using var second = new MqttClient(options);
        await using var events = new EventReader(second);
        await second.ConnectAsync().Soon();
        Assert.Equal(100, (await events.NextAsync<ClientEvent.SessionRestored>()).PendingMessages);
        Assert.Equal(clientId, second.ClientId);
        await Eventually.True(() => second.Statistics.PendingMessages == 0);

        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"{i}"), broker.Published.Select(message => message.Text));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task To_enqueue_it_again_or_to_wait_for_the_end_of_it_sends_what_an_earlier_client_left(bool enqueues)
    {
        var store = new MemorySessionStore();
        await using var broker = InMemory.Broker();
        var offline = InMemory.Options(() => throw new IOException("no network"));
        offline.Session.Store = store;
        var message = new OutgoingMessage("t", "left") { Id = "m-1" };
        await using (var first = new MqttClient(offline))
        {
            await first.EnqueueAsync(message).AsTask().Soon();
            first.Abort();
        }

        var options = InMemory.Options(broker);
        options.Session.Store = store;
        await using var second = new MqttClient(options);
        if (enqueues)
        {
            var receipt = await second.EnqueueAsync(message).AsTask().Soon();
            await receipt.Acknowledged.Soon();
        }
        else
        {
            await second.DrainAsync().Soon();
        }

        Assert.Equal(["left"], broker.Published.Select(published => published.Text));
    }

    [Fact]
    public async Task What_was_on_its_way_is_repeated_by_the_next_process_with_its_packet_identifiers_in_order()
    {
        var store = new LogFilesStore();
        await using var peer = InMemory.Peer();
        await using var killed = await peer.ConnectAsync(Options(peer, store));
        using var end = new AbortAtEnd(killed);
        var ids = new List<ushort>();
        for (var i = 0; i < 3; i++)
        {
            _ = Forget(killed.PublishAsync("t", $"{i}", i == 1 ? QoS.ExactlyOnce : QoS.AtLeastOnce));
            ids.Add((await peer.ExpectAsync<MqttMessage>()).PacketId);
        }

        await using var next = InMemory.Peer();
        await using var client = new MqttClient(Options(next, store.AsAfterAKill()));
        using var nextEnd = new AbortAtEnd(client);
        var connecting = client.ConnectAsync();
        var connect = await next.AcceptClientAsync(new ConnAckPacket { SessionPresent = true });
        await connecting.Soon();

        Assert.Equal((killed.ClientId, false), (connect.ClientId, connect.CleanStart));
        for (var i = 0; i < 3; i++)
        {
            var message = await next.ExpectAsync<MqttMessage>();
            Assert.Equal(($"{i}", ids[i], true), (message.Text, message.PacketId, message.Duplicate));
        }
    }

    [Fact]
    public async Task A_release_that_was_on_its_way_is_repeated_by_the_next_process()
    {
        var store = new LogFilesStore();
        await using var peer = InMemory.Peer();
        await using var killed = await peer.ConnectAsync(Options(peer, store));
        using var end = new AbortAtEnd(killed);
        _ = Forget(killed.PublishAsync("t", "x", QoS.ExactlyOnce));
        var id = (await peer.ExpectAsync<MqttMessage>()).PacketId;
        await peer.SendAsync(new AckPacket(PacketType.PubRec, id));
        await peer.ExpectAckAsync(PacketType.PubRel, id);

        await using var next = InMemory.Peer();
        await using var client = new MqttClient(Options(next, store.AsAfterAKill()));
        using var nextEnd = new AbortAtEnd(client);
        var connecting = client.ConnectAsync();
        await next.AcceptClientAsync(new ConnAckPacket { SessionPresent = true });
        await connecting.Soon();
        await next.ExpectAckAsync(PacketType.PubRel, id);
        await next.SendAsync(new AckPacket(PacketType.PubComp, id));

        await Eventually.True(() => client.Statistics.PendingMessages == 0);
    }

    [Fact]
    public async Task A_QoS_2_message_that_was_handled_is_not_handled_again_by_the_next_process()
    {
        var store = new LogFilesStore();
        await using var peer = InMemory.Peer();
        await using var killed = await peer.ConnectAsync(Options(peer, store));
        using var end = new AbortAtEnd(killed);
        await SubscribeAsync(killed, peer, _ => { });
        await peer.SendAsync("t", "x", QoS.ExactlyOnce, id: 7);
        await peer.ExpectAckAsync(PacketType.PubRec, 7);

        await using var next = InMemory.Peer();
        await using var client = new MqttClient(Options(next, store.AsAfterAKill()));
        using var nextEnd = new AbortAtEnd(client);
        var handled = new Queue<string>();
        await SubscribeAsync(client, next, message => handled.Enqueue(message.Text), new ConnAckPacket { SessionPresent = true });
        await next.SendAsync("t", "x", QoS.ExactlyOnce, duplicate: true, id: 7);
        await next.ExpectAckAsync(PacketType.PubRec, 7);
        await next.SendAsync(new AckPacket(PacketType.PubRel, 7));
        await next.ExpectAckAsync(PacketType.PubComp, 7);
        await next.SendAsync("t", "y", QoS.ExactlyOnce, id: 7);
        await next.ExpectAckAsync(PacketType.PubRec, 7);

        Assert.Equal(["y"], handled);
    }

    [Fact]
    public async Task A_message_whose_handler_was_running_at_a_kill_comes_again_with_its_delivery_id()
    {
        var store = new LogFilesStore();
        await using var peer = InMemory.Peer();
        await using var killed = await peer.ConnectAsync(Options(peer, store));
        using var end = new AbortAtEnd(killed);
        var running = new TaskCompletionSource<long>();
        await SubscribeAsync(killed, peer, message =>
        {
            running.TrySetResult(message.DeliveryId);
            return new ValueTask(Task.Delay(Timeout.Infinite, TestContext.Current.CancellationToken));
        });
        await peer.SendAsync("t", "x", QoS.AtLeastOnce, id: 5);
        var deliveryId = await running.Task.Soon();
        Assert.NotEqual(0, deliveryId);

        await using var next = InMemory.Peer();
        await using var client = new MqttClient(Options(next, store.AsAfterAKill()));
        using var nextEnd = new AbortAtEnd(client);
        var ids = new Queue<long>();
        await SubscribeAsync(client, next, message => ids.Enqueue(message.DeliveryId), new ConnAckPacket { SessionPresent = true });
        await next.SendAsync("t", "x", QoS.AtLeastOnce, duplicate: true, id: 5);
        await next.ExpectAckAsync(PacketType.PubAck, 5);
        await next.SendAsync("t", "y", QoS.AtLeastOnce, id: 5);
        await next.ExpectAckAsync(PacketType.PubAck, 5);

        Assert.Equal(deliveryId, ids.Dequeue());
        Assert.True(ids.Dequeue() > deliveryId);
    }

    [Fact]
    public async Task A_generated_client_identifier_is_kept_in_the_store()
    {
        var store = new MemorySessionStore();
        await using var broker = InMemory.Broker();
        string clientId;
        await using (var first = new MqttClient(WithStore(InMemory.Options(broker), store)))
        {
            await first.OpenAsync().Soon();
            clientId = first.ClientId;
        }

        await using var second = new MqttClient(WithStore(InMemory.Options(broker), store));
        await second.OpenAsync().Soon();
        Assert.Equal(clientId, second.ClientId);

        await second.ConnectAsync().Soon();
        await second.UpdateOptionsAsync(InMemory.Options(broker)).Soon();
        await second.WhenConnectedAsync().Soon();

        Assert.Equal(clientId, second.ClientId);
        Assert.Contains(broker.Sessions, session => session == clientId);
    }

    [Fact]
    public async Task What_came_while_no_client_was_there_reaches_the_next_without_saying_how_to_resume()
    {
        var store = new MemorySessionStore();
        await using var broker = InMemory.Broker();
        await using (var first = new MqttClient(WithStore(InMemory.Options(broker), store)))
        {
            await first.Subscribe("mail").Granted.Soon();
        }

        await broker.WaitForNoClientsAsync();
        await broker.PublishAsync("mail", "a letter");
        await using var second = new MqttClient(WithStore(InMemory.Options(broker), store));
        await using var messages = second.Subscribe("mail").GetAsyncEnumerator();

        Assert.True(await messages.MoveNextAsync().Soon());
        Assert.Equal("a letter", messages.Current.Text);
    }

    [Fact]
    public async Task While_the_disk_is_full_QoS_0_goes_on_and_the_rest_waits_until_there_is_room()
    {
        var store = new LogFilesStore();
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(Options(peer, store));
        using var end = new AbortAtEnd(client);
        await using var events = new EventReader(client);
        store.Files.Room = 0;
        var waiting = client.PublishAsync("t", "kept").AsTask();
        var failure = await events.NextAsync<ClientEvent.StorageFailed>();
        Assert.Equal(StorageFailureKind.DiskFull, ((StorageException)failure.Error).Kind);
        Assert.Equal(failure.Error.Message, client.Status.Storage!.Error?.Message);
        Assert.NotNull(client.Status.Storage.FailingSince);

        for (var i = 0; i < 10; i++)
        {
            await client.PublishAsync("t", $"{i}", QoS.AtMostOnce).AsTask().Soon();
            Assert.Equal($"{i}", (await peer.ExpectAsync<MqttMessage>()).Text);
        }

        Assert.False(waiting.IsCompleted);
        store.Files.Room = long.MaxValue;
        Assert.Equal("kept", (await peer.TakeAsync()).Text);
        await waiting.Soon();
        await events.NextAsync<ClientEvent.StorageRecovered>();
        Assert.Null(client.Status.Storage.Error);
    }

    /// <summary>How it ends for the process that is killed is nobody's concern.</summary>
    private static async Task Forget(ValueTask<PublishResult> publish)
    {
        try
        {
            await publish;
        }
        catch (MqttException)
        {
        }
    }

    private static MqttClientOptions Options(ScriptedPeer peer, ISessionStore store) => WithStore(InMemory.Options(peer), store);

    private static MqttClientOptions WithStore(MqttClientOptions options, ISessionStore store)
    {
        options.Session.Store = store;
        return options;
    }

    private static Task SubscribeAsync(MqttClient client, ScriptedPeer peer, Action<MqttMessage> handler, ConnAckPacket? answer = null) =>
        SubscribeAsync(
            client,
            peer,
            message =>
            {
                handler(message);
                return default;
            },
            answer);

    /// <summary>Before the connection, if there is none yet: so that nothing comes that nobody subscribes to.</summary>
    private static async Task SubscribeAsync(MqttClient client, ScriptedPeer peer, Func<MqttMessage, ValueTask> handler, ConnAckPacket? answer = null)
    {
        var subscription = client.On("t", handler, new SubscribeOptions { QoS = QoS.ExactlyOnce });
        if (answer is not null)
        {
            var connecting = client.ConnectAsync();
            await peer.AcceptClientAsync(answer);
            await connecting.Soon();
        }

        await peer.GrantAsync();
        await subscription.Granted.Soon();
    }
}
