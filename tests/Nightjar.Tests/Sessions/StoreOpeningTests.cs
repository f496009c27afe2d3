using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Sessions;

/// <summary>The session's store is opened at the first use, once; what is asked before is done afterwards, in order.</summary>
public sealed class StoreOpeningTests
{
    [Fact]
    public async Task Nothing_is_opened_before_the_first_use()
    {
        var store = new TestStore();
        await using var broker = InMemory.Broker();
        await using (var client = new MqttClient(Options(broker, store)))
        {
            Assert.False(client.Status.Storage!.IsOpen);
        }

        Assert.Equal(0, store.Openings);
    }

    [Fact]
    public async Task Opening_does_not_connect_and_says_what_is_open()
    {
        var store = new TestStore();
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(Options(broker, store));
        await using var events = new EventReader(client);

        await client.OpenAsync().Soon();
        await client.OpenAsync().Soon();

        Assert.Equal(1, store.Openings);
        Assert.Equal(ClientState.Idle, client.State);
        Assert.Equal((true, null), (client.Status.Storage!.IsOpen, client.Status.Storage.Error));
        Assert.NotNull(client.Status.Storage.StoreId);
        Assert.Equal(0, (await events.NextAsync<ClientEvent.SessionRestored>()).PendingMessages);
    }

    [Fact]
    public async Task A_client_without_a_store_has_nothing_to_open()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));

        await client.OpenAsync().Soon();

        Assert.Null(client.Status.Storage);
    }

    [Fact]
    public async Task What_is_published_before_the_store_is_open_leaves_in_the_order_of_the_calls()
    {
        var store = new TestStore();
        store.HoldOpening();
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(Options(broker, store));
        var payload = new byte[1];
        var publishes = new List<Task<PublishResult>>();
        for (payload[0] = 0; payload[0] < 100; payload[0]++)
        {
            publishes.Add(client.PublishAsync("t", payload, QoS.AtLeastOnce).AsTask());
        }

        Assert.All(publishes, publish => Assert.False(publish.IsCompleted));
        store.LetOpen();
        await Task.WhenAll(publishes).Soon();

        Assert.Equal(Enumerable.Range(0, 100), broker.Published.Where(message => message.Topic == "t").Select(message => (int)message.Payload.Span[0]));
    }

    [Fact]
    public async Task A_subscription_that_is_made_before_the_store_is_open_is_asked_for_afterwards()
    {
        var store = new TestStore();
        store.HoldOpening();
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(Options(broker, store));
        var subscription = client.On("t", _ => { });
        Assert.False(subscription.Granted.IsCompleted);
        Assert.Equal(ClientState.Idle, client.State);

        store.LetOpen();

        Assert.Equal(QoS.AtLeastOnce, await subscription.Granted.Soon());
    }

    [Fact]
    public async Task When_the_store_cannot_be_opened_every_call_hears_why_and_a_later_one_tries_again()
    {
        var store = new TestStore();
        var failure = new StorageException(StorageFailureKind.InUse, "Another process has it.");
        store.FailOpening(failure);
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(Options(broker, store));
        await using var events = new EventReader(client);

        Assert.Same(failure, await Assert.ThrowsAsync<StorageException>(() => client.OpenAsync().Soon()));
        Assert.Same(failure, await Assert.ThrowsAsync<StorageException>(() => client.PublishAsync("t", "x").AsTask().Soon()));
        Assert.Same(failure, await Assert.ThrowsAsync<StorageException>(() => client.ConnectAsync().Soon()));
        Assert.Same(failure, await Assert.ThrowsAsync<StorageException>(() => client.RunAsync(CancellationToken.None).Soon()));
        Assert.Equal(4, store.Openings);
        Assert.Same(failure, (await events.NextAsync<ClientEvent.StorageFailed>()).Error);
    }

    [Fact]
    public async Task A_store_that_could_not_be_opened_is_opened_by_the_next_call()
    {
        var store = new TestStore();
        store.FailOpening(new InvalidOperationException("not yet"));
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(Options(broker, store));
        await using var events = new EventReader(client);
        var error = await Assert.ThrowsAsync<StorageException>(() => client.PublishAsync("t", "x").AsTask().Soon());
        Assert.Contains("not yet", error.Message, StringComparison.Ordinal);
        Assert.Same(error, client.Status.Storage!.Error);

        store.FailOpening(null);
        await client.PublishAsync("t", "y").AsTask().Soon();

        await events.NextAsync<ClientEvent.StorageFailed>();
        await events.NextAsync<ClientEvent.StorageRecovered>();
        Assert.Null(client.Status.Storage.Error);
        Assert.Equal(["y"], broker.Published.Select(message => message.Text));
    }

    [Fact]
    public async Task Whoever_waits_for_messages_hears_that_the_store_cannot_be_opened()
    {
        var store = new TestStore();
        var failure = new StorageException(StorageFailureKind.InUse, "Another process has it.");
        store.FailOpening(failure);
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(Options(broker, store));
        await using var messages = client.Subscribe("t").GetAsyncEnumerator();

        Assert.Same(failure, await Assert.ThrowsAsync<StorageException>(() => messages.MoveNextAsync().AsTask().Soon()));
    }

    [Fact]
    public async Task A_call_that_is_cancelled_while_the_store_opens_is_not_made()
    {
        var store = new TestStore();
        store.HoldOpening();
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(Options(broker, store));
        using var cancellation = new CancellationTokenSource();
        var withdrawn = client.PublishAsync("t", "no", cancellationToken: cancellation.Token).AsTask();
        var kept = client.PublishAsync("t", "yes").AsTask();

        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => withdrawn.Soon());
        store.LetOpen();
        await kept.Soon();

        Assert.Equal(["yes"], broker.Published.Select(message => message.Text));
    }

    [Fact]
    public async Task Disposing_waits_for_the_opening_and_for_what_was_published_before()
    {
        var store = new TestStore();
        store.HoldOpening();
        await using var broker = InMemory.Broker();
        var client = new MqttClient(Options(broker, store));
        await client.Subscribe("x").DisposeAsync();
        var published = client.PublishAsync("t", "last", QoS.AtMostOnce).AsTask();
        var disposed = client.DisposeAsync().AsTask();

        Assert.False(disposed.IsCompleted);
        store.LetOpen();
        await disposed.Soon();
        await published.Soon();

        Assert.False(store.IsOpen);
    }

    [Fact]
    public async Task A_store_that_never_opens_holds_nobody_up_who_disposes()
    {
        var time = new ManualTimeProvider();
        var store = new TestStore();
        store.HoldOpening();
        await using var broker = InMemory.Broker();
        var client = new MqttClient(Options(broker, store, time));
        var published = client.PublishAsync("t", "x").AsTask();
        var disposed = client.DisposeAsync().AsTask();

        await time.WaitForTimerAsync(TimeSpan.FromSeconds(5)).Soon();
        time.Advance(TimeSpan.FromSeconds(5));
        await disposed.Soon();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => published.Soon());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.OpenAsync().Soon());
        Assert.False(store.IsOpen);
    }

    [Fact]
    public async Task Abort_lets_go_of_the_store_without_waiting_for_it()
    {
        var store = new TestStore();
        await using var broker = InMemory.Broker();
        var client = new MqttClient(Options(broker, store));
        await client.ConnectAsync().Soon();
        Assert.True(store.IsOpen);

        client.Abort();
        await client.DisposeAsync().AsTask().Soon();

        Assert.False(store.IsOpen);
    }

    [Fact]
    public async Task An_abort_while_the_store_opens_leaves_it_closed()
    {
        var store = new TestStore();
        store.HoldOpening();
        await using var broker = InMemory.Broker();
        var client = new MqttClient(Options(broker, store));
        var opened = client.OpenAsync();

        client.Abort();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => opened.Soon());
        await client.DisposeAsync().AsTask().Soon();
        Assert.False(store.IsOpen);
    }

    [Fact]
    public async Task A_second_client_of_a_store_gets_a_clear_error_and_the_store_when_the_first_is_gone()
    {
        await using var broker = InMemory.Broker();
        var directory = Directory.CreateTempSubdirectory("nightjar-");
        try
        {
            await using var second = new MqttClient(Options(broker, new FileSessionStore(directory.FullName)));
            await using (var first = new MqttClient(Options(broker, new FileSessionStore(directory.FullName))))
            {
                await first.OpenAsync().Soon();
                var error = await Assert.ThrowsAsync<StorageException>(() => second.ConnectAsync().Soon());
                Assert.Equal(StorageFailureKind.InUse, error.Kind);
                Assert.Contains(directory.FullName, error.Message, StringComparison.Ordinal);
            }

            await second.ConnectAsync().Soon();
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static MqttClientOptions Options(MqttTestBroker broker, ISessionStore store, TimeProvider? time = null)
    {
        var options = InMemory.Options(broker, time);
        options.Session.Store = store;
        return options;
    }
}
