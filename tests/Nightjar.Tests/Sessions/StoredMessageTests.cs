using System.Collections.Concurrent;
using Nightjar.Protocol.Journal;
using Nightjar.Protocol.Packets;
using Nightjar.Testing;
using Nightjar.Tests.Storage;
using Xunit;

namespace Nightjar.Tests.Sessions;

/// <summary>Received messages and the log: none is handed on before it is recorded, and those of <see cref="AcknowledgeMode.Stored"/> lie there until they are handled.</summary>
public sealed class StoredMessageTests
{
    [Fact]
    public async Task A_message_is_not_handed_on_before_its_arrival_is_committed()
    {
        var store = new TestStore();
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(Options(peer, store));
        using var end = new AbortAtEnd(client);
        var handled = new ConcurrentQueue<string>();
        await SubscribeAsync(client, peer, "t", message => handled.Enqueue(message.Text));
        await SubscribeAsync(client, peer, "other", message => handled.Enqueue(message.Text));
        store.HoldCommits();
        await peer.SendAsync("t", "zero", QoS.AtMostOnce);
        await peer.SendAsync("t", "one", QoS.AtLeastOnce, id: 1);
        await peer.SendAsync("t", "behind", QoS.AtMostOnce);
        await peer.SendAsync("other", "beside", QoS.AtMostOnce);
        await Eventually.True(() => handled.Count == 2);
        Assert.Equal(["beside", "zero"], handled.Order());

        store.LetCommit();

        await peer.ExpectAckAsync(PacketType.PubAck, 1);
        await Eventually.True(() => handled.Count == 4);
        Assert.Equal(["one", "behind"], handled.Skip(2));
    }

    [Fact]
    public async Task A_loop_sees_a_message_once_it_is_committed()
    {
        var store = new TestStore();
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(Options(peer, store));
        using var end = new AbortAtEnd(client);
        var others = System.Threading.Channels.Channel.CreateUnbounded<MqttMessage>();
        await SubscribeAsync(client, peer, "other", message => { others.Writer.TryWrite(message); });
        var subscription = client.Subscribe("t");
        await peer.GrantAsync();
        await subscription.Granted.Soon();
        await using var messages = subscription.GetAsyncEnumerator();
        store.HoldCommits();
        await peer.SendAsync("t", "one", QoS.AtLeastOnce, id: 1);
        await peer.SendAsync("other", "beside");
        var next = messages.MoveNextAsync();
        await others.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().Soon();
        Assert.False(next.IsCompleted);

        store.LetCommit();

        Assert.True(await next.AsTask().Soon());
        Assert.NotEqual(0, messages.Current.DeliveryId);
    }

    [Fact]
    public async Task A_subscription_that_ends_lets_go_of_messages_that_were_never_committed()
    {
        var store = new TestStore();
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(Options(peer, store));
        using var end = new AbortAtEnd(client);
        var subscription = await SubscribeAsync(client, peer, "t", _ => { });
        store.HoldCommits();
        await peer.SendAsync("t", "one", QoS.AtLeastOnce, id: 1);
        await Eventually.True(() => client.Status.Unacknowledged == 1);
        var disposing = subscription.DisposeAsync().AsTask();
        var unsubscribe = await peer.ExpectAsync<UnsubscribePacket>();
        await peer.SendAsync(new UnsubAckPacket { PacketId = unsubscribe.PacketId, ReasonCodes = [ReasonCode.Success] });
        await disposing.Soon();
        store.LetCommit();

        await peer.ExpectAckAsync(PacketType.PubAck, 1);
    }

    [Fact]
    public async Task A_blocked_handler_of_a_stored_subscription_does_not_hold_the_window()
    {
        var store = new LogFilesStore();
        await using var peer = InMemory.Peer();
        var options = Options(peer, store);
        options.Receive.ReceiveMaximum = 2;
        await using var client = await peer.ConnectAsync(options);
        using var end = new AbortAtEnd(client);
        await SubscribeAsync(client, peer, "t", Blocked(), AcknowledgeMode.Stored);
        for (ushort i = 1; i <= 10; i++)
        {
            await peer.SendAsync("t", $"{i}", QoS.AtLeastOnce, id: i);
            await peer.ExpectAckAsync(PacketType.PubAck, i);
        }

        Assert.Equal(0, client.Status.Unacknowledged);
    }

    [Fact]
    public async Task A_stored_message_is_acknowledged_when_it_is_committed_and_not_before()
    {
        var store = new TestStore();
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(Options(peer, store));
        using var end = new AbortAtEnd(client);
        await SubscribeAsync(client, peer, "t", _ => { }, AcknowledgeMode.Stored);
        store.HoldCommits();
        await peer.SendAsync("t", "one", QoS.AtLeastOnce, id: 1);
        await Eventually.True(() => client.Statistics.MessagesReceived.Total == 1);
        await client.PublishAsync("marker", "", QoS.AtMostOnce);
        Assert.Equal("marker", (await peer.ExpectAsync<MqttMessage>()).Topic);

        store.LetCommit();

        await peer.ExpectAckAsync(PacketType.PubAck, 1);
    }

    [Fact]
    public async Task What_was_stored_and_not_handled_is_handed_on_by_the_next_process_before_anything_new()
    {
        var store = new LogFilesStore();
        await using var peer = InMemory.Peer();
        await using var killed = await peer.ConnectAsync(Options(peer, store));
        using var end = new AbortAtEnd(killed);
        var before = new ConcurrentQueue<(string Text, long Id)>();
        await SubscribeAsync(
            killed,
            peer,
            "t",
            async message =>
            {
                before.Enqueue((message.Text, message.DeliveryId));
                await Task.Delay(message.Text == "1" ? TimeSpan.Zero : Timeout.InfiniteTimeSpan, TestContext.Current.CancellationToken);
            },
            AcknowledgeMode.Stored);
        for (ushort i = 1; i <= 4; i++)
        {
            await peer.SendAsync("t", $"{i}", (QoS)(1 + (i % 2)), id: i);
            await peer.ExpectAckAsync(i % 2 == 0 ? PacketType.PubAck : PacketType.PubRec, i);
        }

        await Eventually.True(() => before.Count == 2);

        // The end of the first handler is written down a moment after the second one begins.
        while ((await LogOwner.ReadAsync(store.Files.Copy())).Records.TrueForAll(record => record.Type != (byte)JournalRecord.Handled))
        {
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        await using var next = InMemory.Peer();
        await using var client = new MqttClient(Options(next, store.AsAfterAKill()));
        using var nextEnd = new AbortAtEnd(client);
        await using var events = new EventReader(client);
        var after = new ConcurrentQueue<(string Text, long Id)>();
        var subscription = client.On("t", message => after.Enqueue((message.Text, message.DeliveryId)), Stored);
        var connecting = client.ConnectAsync();
        await next.AcceptClientAsync(new ConnAckPacket { SessionPresent = true });
        await connecting.Soon();
        Assert.Equal(3, (await events.NextAsync<ClientEvent.SessionRestored>()).UnhandledMessages);
        await next.GrantAsync();
        await next.SendAsync("t", "new", QoS.AtLeastOnce, id: 9);
        await Eventually.True(() => after.Count == 4);

        Assert.Equal(["2", "3", "4", "new"], after.Select(message => message.Text));
        Assert.Equal(before.Last(), after.First());
    }

    [Fact]
    public async Task What_the_server_repeats_and_is_stored_already_goes_only_to_those_who_do_not_store_it()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(Options(peer, new MemorySessionStore()));
        using var end = new AbortAtEnd(client);
        var free = new TaskCompletionSource();
        var stored = new ConcurrentQueue<string>();
        var others = new ConcurrentQueue<string>();
        await SubscribeAsync(client, peer, "t", message => Handle(stored, message), AcknowledgeMode.Stored);
        client.On("t", message => Handle(others, message), new SubscribeOptions { RetainHandling = RetainHandling.DoNotSend });
        await peer.SendAsync("t", "one", QoS.AtLeastOnce, id: 1);
        await Eventually.True(() => stored.Count == 1 && others.Count == 1);
        await peer.CloseAsync();
        await peer.AcceptClientAsync(new ConnAckPacket { SessionPresent = true });
        await peer.SendAsync("t", "one", QoS.AtLeastOnce, id: 1, duplicate: true);
        await peer.SendAsync("t", "two", QoS.AtLeastOnce, id: 2);
        free.SetResult();
        await peer.ExpectAckAsync(PacketType.PubAck, 1);
        await peer.ExpectAckAsync(PacketType.PubAck, 2);
        await Eventually.True(() => stored.Contains("two"));

        Assert.Equal(["one", "two"], stored);
        Assert.Equal(["one", "one", "two"], others);

        async ValueTask Handle(ConcurrentQueue<string> seen, MqttMessage message)
        {
            seen.Enqueue(message.Text);
            await free.Task;
        }
    }

    [Fact]
    public async Task What_was_handled_is_not_handed_on_again_and_what_was_left_is()
    {
        var store = new MemorySessionStore();
        var counts = new ConcurrentDictionary<string, int>();
        await using var broker = InMemory.Broker();
        await using (var first = new MqttClient(WithStore(InMemory.Options(broker), store)))
        {
            var subscription = first.Subscribe("t", Stored);
            await subscription.Granted.Soon();
            await broker.PublishAsync("t", "done");
            await broker.PublishAsync("t", "left");
            await foreach (var message in subscription)
            {
                counts[message.Text] = 1;
                if (message.Text == "left")
                {
                    break;
                }
            }
        }

        await using (var second = new MqttClient(WithStore(InMemory.Options(broker), store)))
        {
            second.On(
                "t",
                message =>
                {
                    message.Acknowledge();
                    counts.AddOrUpdate(message.Text, 1, (_, count) => count + 1);
                },
                Stored);
            await second.OpenAsync().Soon();
            await Eventually.True(() => counts["left"] == 2);
        }

        await using var third = new MqttClient(WithStore(InMemory.Options(broker), store));
        await using var events = new EventReader(third);
        await third.OpenAsync().Soon();
        Assert.Equal(0, (await events.NextAsync<ClientEvent.SessionRestored>()).UnhandledMessages);
        Assert.Equal((1, 2), (counts["done"], counts["left"]));
    }

    [Fact]
    public async Task A_subscription_that_is_made_after_the_opening_gets_what_was_left_too()
    {
        var store = new LogFilesStore();
        await using var peer = InMemory.Peer();
        await using var killed = await peer.ConnectAsync(Options(peer, store));
        using var end = new AbortAtEnd(killed);
        await SubscribeAsync(killed, peer, "t", Blocked(), AcknowledgeMode.Stored);
        await peer.SendAsync("t", "one", QoS.AtLeastOnce, id: 1);
        await peer.ExpectAckAsync(PacketType.PubAck, 1);

        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(WithStore(InMemory.Options(broker), store.AsAfterAKill()));
        await client.OpenAsync().Soon();
        await using var messages = client.Subscribe("#", Stored).GetAsyncEnumerator();

        Assert.True(await messages.MoveNextAsync().AsTask().Soon());
        Assert.Equal("one", messages.Current.Text);
    }

    [Fact]
    public async Task Stored_needs_a_store_and_a_message_that_is_there_as_a_whole()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));
        Assert.Contains("Session.Store", Assert.Throws<ArgumentException>(() => client.On("t", _ => { }, Stored)).Message, StringComparison.Ordinal);

        await using var other = new MqttClient(WithStore(InMemory.Options(broker), new MemorySessionStore()));
        var error = Assert.Throws<ArgumentException>(() => other.OnStream("t", (_, _) => default, Stored));
        Assert.Contains("as it arrives", error.Message, StringComparison.Ordinal);
        await using var scope = other.CreateScope("t/#", Stored);
        Assert.Throws<ArgumentException>(() => scope.OnStream("t/1", (_, _) => default));
    }

    private static SubscribeOptions Stored => new() { QoS = QoS.ExactlyOnce, Acknowledge = AcknowledgeMode.Stored };

    private static Func<MqttMessage, ValueTask> Blocked() => _ => new ValueTask(Task.Delay(Timeout.Infinite, TestContext.Current.CancellationToken));

    private static MqttClientOptions Options(ScriptedPeer peer, ISessionStore store) => WithStore(InMemory.Options(peer), store);

    private static MqttClientOptions WithStore(MqttClientOptions options, ISessionStore store)
    {
        options.Session.Store = store;
        return options;
    }

    private static Task<Subscription> SubscribeAsync(MqttClient client, ScriptedPeer peer, string filter, Action<MqttMessage> handler, AcknowledgeMode mode = default) =>
        SubscribeAsync(
            client,
            peer,
            filter,
            message =>
            {
                handler(message);
                return default;
            },
            mode);

    private static async Task<Subscription> SubscribeAsync(MqttClient client, ScriptedPeer peer, string filter, Func<MqttMessage, ValueTask> handler, AcknowledgeMode mode = default)
    {
        var subscription = client.On(filter, handler, new SubscribeOptions { QoS = QoS.ExactlyOnce, Acknowledge = mode });
        await peer.GrantAsync();
        await subscription.Granted.Soon();
        return subscription;
    }
}
