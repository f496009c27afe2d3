using System.Collections.Concurrent;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Sessions;

/// <summary>A stored message whose handler has not run is not lost, however its subscription ends.</summary>
public sealed class LeftMessageTests
{
    public static TheoryData<string> Endings => new("dispose", "unsubscribe", "client");

    [Theory]
    [MemberData(nameof(Endings))]
    public async Task What_waits_at_a_subscription_that_ends_is_handed_on_by_the_next_client(string ending)
    {
        var store = new MemorySessionStore();
        await using var broker = InMemory.Broker();
        await using (var first = Client(broker, store))
        {
            var handled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var subscription = first.On(
                "t",
                async (message, stopping) =>
                {
                    handled.TrySetResult();
                    await Task.Delay(Timeout.Infinite, stopping);
                },
                Stored);
            await subscription.Granted.Soon();
            await PublishAsync(broker, first, "1", "2", "3");
            await handled.Task.Soon();
            await EndAsync(first, subscription, ending);
        }

        await using var second = Client(broker, store);
        Assert.Equal(["1", "2", "3"], await TakeAsync(second.Subscribe("t", Stored), 3));
    }

    [Theory]
    [MemberData(nameof(Endings))]
    public async Task A_loop_that_is_left_leaves_its_message_and_those_behind_it(string ending)
    {
        var store = new MemorySessionStore();
        await using var broker = InMemory.Broker();
        await using (var first = Client(broker, store))
        {
            var subscription = first.Subscribe("t", Stored);
            await subscription.Granted.Soon();
            await PublishAsync(broker, first, "1", "2", "3");
            await using (var messages = subscription.GetAsyncEnumerator())
            {
                Assert.True(await messages.MoveNextAsync().AsTask().Soon());
                Assert.True(await messages.MoveNextAsync().AsTask().Soon());
                Assert.Equal("2", messages.Current.Text);
            }

            await EndAsync(first, subscription, ending);
        }

        await using var second = Client(broker, store);
        Assert.Equal(["2", "3"], await TakeAsync(second.Subscribe("t", Stored), 2));
    }

    [Fact]
    public async Task What_waits_at_several_handlers_with_lanes_is_left_too()
    {
        await using var broker = InMemory.Broker();
        await using var client = Client(broker, new MemorySessionStore());
        var calls = new ConcurrentQueue<string>();
        var subscription = client.On(
            "t",
            async (message, stopping) =>
            {
                calls.Enqueue(message.Text);
                await Task.Delay(Timeout.Infinite, stopping);
            },
            new SubscribeOptions { Acknowledge = AcknowledgeMode.Stored, MaxConcurrency = 2, OrderBy = message => message.Level(0) });
        await subscription.Granted.Soon();
        await PublishAsync(broker, client, "1", "2", "3", "4");
        await Eventually.True(() => !calls.IsEmpty);
        await subscription.DisposeAsync().AsTask().Soon();

        Assert.Equal(["1", "2", "3", "4"], (await TakeAsync(client.Subscribe("t", Stored), 4)).Order());
        Assert.Equal(["1"], calls);
    }

    [Fact]
    public async Task What_was_left_goes_to_the_next_subscription_of_the_same_client_also_when_it_is_left_late()
    {
        await using var broker = InMemory.Broker();
        await using var client = Client(broker, new MemorySessionStore());
        var free = new TaskCompletionSource();
        var calls = new ConcurrentQueue<string>();
        var subscription = client.On(
            "t",
            async message =>
            {
                calls.Enqueue(message.Text);
                await free.Task;
            },
            Stored);
        await subscription.Granted.Soon();
        await PublishAsync(broker, client, "1", "2", "3");
        await Eventually.True(() => !calls.IsEmpty);
        await subscription.DisposeAsync().AsTask().Soon();
        var next = client.Subscribe("t", Stored);
        await next.Granted.Soon();

        // The handler goes on to its end, and handles what it has. What waits behind it is let go of after that.
        free.SetResult();

        Assert.Equal(["2", "3"], await TakeAsync(next, 2));
        Assert.Equal(["1"], calls);
    }

    private static SubscribeOptions Stored => new() { QoS = QoS.ExactlyOnce, Acknowledge = AcknowledgeMode.Stored };

    private static MqttClient Client(MqttTestBroker broker, MemorySessionStore store)
    {
        var options = InMemory.Options(broker);
        options.Session.Store = store;
        return new MqttClient(options);
    }

    private static async Task PublishAsync(MqttTestBroker broker, MqttClient client, params string[] texts)
    {
        foreach (var text in texts)
        {
            await broker.PublishAsync("t", text);
        }

        await Eventually.True(() => client.Statistics.MessagesReceived.Total == texts.Length && client.Status.Unacknowledged == 0);
    }

    private static async Task EndAsync(MqttClient client, Subscription subscription, string ending)
    {
        switch (ending)
        {
            case "dispose":
                await subscription.DisposeAsync().AsTask().Soon();
                break;
            case "unsubscribe":
                await client.UnsubscribeAsync("t").Soon();
                break;
        }
    }

    private static async Task<List<string>> TakeAsync(Subscription subscription, int count)
    {
        var texts = new List<string>();
        await using var messages = subscription.GetAsyncEnumerator();
        while (texts.Count < count)
        {
            Assert.True(await messages.MoveNextAsync().AsTask().Soon());
            texts.Add(messages.Current.Text);
        }

        return texts;
    }
}
