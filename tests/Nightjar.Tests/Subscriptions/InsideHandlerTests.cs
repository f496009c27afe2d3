using Xunit;

namespace Nightjar.Tests.Subscriptions;

/// <summary>Everything may be called from inside a handler, of any kind, and waits for nothing that waits for the handler.</summary>
public sealed class InsideHandlerTests
{
    public static MatrixTheoryData<string, string> Combinations { get; } = new(
        ["action", "async", "token", "leased", "leased action", "sequence", "concurrent", "serial", "serial and concurrent", "stream", "responder"],
        ["publish", "request", "post", "subscribe", "unsubscribe", "dispose subscription", "disconnect", "dispose", "abort"]);

    [Theory]
    [MemberData(nameof(Combinations))]
    public async Task Nothing_locks_up(string kind, string deed)
    {
        await using var broker = InMemory.Broker();
        var options = InMemory.Options(broker);
        options.HandlerContext = kind.StartsWith("serial", StringComparison.Ordinal) ? HandlerContext.Serial : HandlerContext.Parallel;
        await using var client = new MqttClient(options);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Subscription subscription = null!;
        subscription = Subscribe(kind, client, async () =>
        {
            try
            {
                await DoAsync(deed, client, subscription);
                done.TrySetResult();
            }
            catch (Exception error)
            {
                done.TrySetException(error);
            }
        });
        await subscription.Granted.Soon();

        await broker.PublishAsync("in", "go");

        await done.Task.Soon($"{deed} from inside a handler ({kind})");
        Assert.Equal(
            deed switch
            {
                "dispose" or "abort" => ClientState.Closed,
                "disconnect" => ClientState.Disconnected,
                _ => ClientState.Connected,
            },
            client.State);
    }

    [Theory]
    [InlineData("action", false)]
    [InlineData("async", false)]
    [InlineData("leased", false)]
    [InlineData("leased action", false)]
    [InlineData("concurrent", false)]
    [InlineData("serial", false)]
    [InlineData("serial and concurrent", false)]
    [InlineData("stream", false)]
    [InlineData("responder", false)]
    [InlineData("action", true)]
    [InlineData("async", true)]
    [InlineData("leased", true)]
    [InlineData("leased action", true)]
    [InlineData("sequence", true)]
    [InlineData("concurrent", true)]
    [InlineData("serial", true)]
    [InlineData("serial and concurrent", true)]
    [InlineData("stream", true)]
    [InlineData("responder", true)]
    public async Task One_that_throws_or_blocks_for_ever_stops_no_other_and_no_disposing(string kind, bool blocks)
    {
        await using var broker = InMemory.Broker();
        var options = InMemory.Options(broker);
        options.HandlerContext = kind.StartsWith("serial", StringComparison.Ordinal) ? HandlerContext.Serial : HandlerContext.Parallel;
        options.Receive.HandlerRetries = 0;
        options.DrainTimeout = TimeSpan.FromMilliseconds(50);
        await using var client = new MqttClient(options);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var calls = 0;
        var subscription = Subscribe(kind, client, async () =>
        {
            Interlocked.Increment(ref calls);
            if (blocks)
            {
                await release.Task.ConfigureAwait(false);
            }
            else
            {
                throw new InvalidDataException("indigestible");
            }
        });
        var heard = new SemaphoreSlim(0);
        await client.On("other", _ => { heard.Release(); }).Granted.Soon();
        await subscription.Granted.Soon();

        await broker.PublishAsync("in", "1");
        await broker.PublishAsync("in", "2");
        await broker.PublishAsync("other", "x");

        Assert.True(await heard.WaitAsync(Deadline.Patience));
        await Eventually.True(() => Volatile.Read(ref calls) >= (blocks ? 1 : 2));
        await Task.Run(async () => await client.DisposeAsync()).Soon();
        await subscription.Completion.Soon();
        release.SetResult();
    }

    private static Subscription Subscribe(string kind, MqttClient client, Func<Task> body)
    {
        switch (kind)
        {
            case "action":
                return client.On("in", _ => body().GetAwaiter().GetResult());
            case "async":
                return client.On("in", async _ => await body());
            case "serial":
                return client.On("in", async _ => await body());
            case "concurrent" or "serial and concurrent":
                return client.On("in", async _ => await body(), new SubscribeOptions { MaxConcurrency = 2, OrderBy = message => message.TopicUtf8 });
            case "stream":
                return client.OnStream("in", async (_, _) => await body());
            case "responder":
                return client.Respond("in", async _ =>
                {
                    await body();
                    return "answer";
                });
            case "token":
                return client.On("in", async (_, _) => await body());
            case "leased":
                return client.OnLeased("in", async (_, _) => await body());
            case "leased action":
                return client.OnLeased("in", _ => body().GetAwaiter().GetResult());
            default:
                var subscription = client.Subscribe("in");
                _ = Task.Run(async () =>
                {
                    await foreach (var _ in subscription)
                    {
                        await body();
                    }
                });
                return subscription;
        }
    }

    private static async Task DoAsync(string deed, MqttClient client, Subscription subscription)
    {
        switch (deed)
        {
            case "publish":
                await client.PublishAsync("out", "0", QoS.AtMostOnce);
                await client.PublishAsync("out", "1", QoS.AtLeastOnce);
                await client.PublishAsync("out", "2", QoS.ExactlyOnce);
                await client.FlushAsync();
                break;
            case "request":
                await client.Respond("ask", _ => "answer").Granted;
                Assert.Equal("answer", (await client.RequestAsync("ask", "")).Text);
                break;
            case "post":
                await client.PostAsync(() => { });
                await client.PostAsync(async () => await client.PublishAsync("out", "3"));
                break;
            case "subscribe":
                await client.Subscribe("other").Granted;
                break;
            case "unsubscribe":
                Assert.Equal(ReasonCode.Success, await client.UnsubscribeAsync("in"));
                break;
            case "dispose subscription":
                await subscription.DisposeAsync();
                break;
            case "disconnect":
                await client.DisconnectAsync();
                break;
            case "dispose":
                await client.DisposeAsync();
                break;
            case "abort":
                client.Abort();
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(deed), deed, "no such deed");
        }
    }
}
