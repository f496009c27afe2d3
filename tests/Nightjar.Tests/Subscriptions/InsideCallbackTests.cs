using Nightjar.Testing;
using Nightjar.Tests.Supervision;
using Xunit;

namespace Nightjar.Tests.Subscriptions;

/// <summary>What ends the client, throws or blocks for ever may be called from whatever else the application gave it; none of it keeps the client from being closed.</summary>
public sealed class InsideCallbackTests
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<MqttClient> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _calls;

    public static MatrixTheoryData<string, string> Combinations { get; } = new(
        ["gate", "hook", "stream", "policy", "schedule", "network", "inspector", "poison", "key", "responder", "events", "stopping", "post"],
        ["publish", "subscribe", "update", "disconnect", "dispose", "abort", "throw", "block"]);

    [Theory]
    [MemberData(nameof(Combinations))]
    public async Task Nothing_locks_up(string place, string deed)
    {
        await using var broker = InMemory.Broker();
        var options = Options(broker, place, deed);
        var client = new MqttClient(options);
        client.On("poison", _ => throw new InvalidDataException("indigestible"), new SubscribeOptions
        {
            OnPoison = async (_, _) =>
            {
                await AtAsync("poison", place, deed);
                return MessageOutcome.Acknowledge;
            },
        });
        client.On("key", _ => { }, new SubscribeOptions
        {
            MaxConcurrency = 2,
            OrderBy = message =>
            {
                At("key", place, deed);
                return message.TopicUtf8;
            },
        });
        client.Respond("ask", async _ =>
        {
            await AtAsync("responder", place, deed);
            return "answer";
        });
        var listening = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var stopping = client.On("stopping", (_, token) =>
        {
            token.Register(() => At("stopping", place, deed));
            listening.TrySetResult();
            return default;
        });
        var events = client.Events.GetAsyncEnumerator();
        var reading = Task.Run(async () =>
        {
            while (await events.MoveNextAsync())
            {
                await AtAsync("events", place, deed);
            }
        });
        reading.Unwatched();
        client.ConnectAsync().Unwatched();
        _ready.SetResult(client);
        if (place is "poison" or "key" or "responder" or "stopping")
        {
            await stopping.Granted.Soon();
        }

        switch (place)
        {
            case "responder":
                client.RequestAsync("ask", "x", Deadline.Patience).Unwatched();
                break;
            case "poison" or "key":
                client.PublishAsync(place, "x").AsTask().Unwatched();
                break;
            case "stopping":
                await client.PublishAsync(place, "x").Soon();
                await listening.Task.Soon();
                await stopping.DisposeAsync().Soon();
                break;
            case "post":
                client.PostAsync(() => AtAsync(place, place, deed)).Unwatched();
                break;
        }

        await _done.Task.Soon($"{deed} from inside a callback ({place})");
        await Task.Run(async () => await client.DisposeAsync()).Soon();

        Assert.Equal(ClientState.Closed, client.State);
        _release.TrySetResult();
    }

    private MqttClientOptions Options(MqttTestBroker broker, string place, string deed)
    {
        var attempts = 0;
        var options = InMemory.Options(broker);
        options.DrainTimeout = TimeSpan.FromMilliseconds(50);
        options.Receive.HandlerRetries = 0;
        options.Servers[0] = MqttServer.FromStream("peer", async _ =>
        {
            await AtAsync("stream", place, deed);
            return place is "policy" or "network" && ++attempts == 1 ? throw new IOException("not yet") : broker.ConnectInMemory();
        });
        if (place is "gate")
        {
            options.Connection.ReadinessGate = _ => AtAsync("gate", place, deed);
        }
        else if (place is "hook")
        {
            options.Connection.BeforeConnect = (_, _) => AtAsync("hook", place, deed);
        }
        else if (place is "policy")
        {
            options.Reconnect.Policy = ReconnectPolicy.From(_ =>
            {
                At("policy", place, deed);
                return TimeSpan.FromMilliseconds(1);
            });
        }
        else if (place is "schedule")
        {
            options.Connection.Schedule = ConnectionSchedule.From(now =>
            {
                At("schedule", place, deed);
                return new ConnectionWindow(now, now + TimeSpan.FromHours(1));
            });
        }
        else if (place is "network")
        {
            options.Reconnect.NetworkChange = new Network(() => At("network", place, deed));
        }
        else if (place is "inspector")
        {
            options.PacketInspector = new Inspector(() => At("inspector", place, deed));
        }

        return options;
    }

    private void At(string here, string place, string deed)
    {
        if (here != place || Interlocked.Increment(ref _calls) > 1)
        {
            return;
        }

        if (deed == "block")
        {
            _done.TrySetResult();
            _release.Task.GetAwaiter().GetResult();
            return;
        }

        Task.Run(() => DoAsync(deed)).GetAwaiter().GetResult();
        _done.TrySetResult();
        ThrowIfAsked(deed);
    }

    private async ValueTask AtAsync(string here, string place, string deed)
    {
        if (here != place || Interlocked.Increment(ref _calls) > 1)
        {
            return;
        }

        if (deed == "block")
        {
            _done.TrySetResult();
            await new TaskCompletionSource().Task;
        }

        await DoAsync(deed);
        _done.TrySetResult();
        ThrowIfAsked(deed);
    }

    private static void ThrowIfAsked(string deed)
    {
        if (deed == "throw")
        {
            throw new InvalidDataException("not here");
        }
    }

    /// <summary>What needs a connection is not awaited, for many of these places come before it.</summary>
    private async Task DoAsync(string deed)
    {
        var client = await _ready.Task;
        switch (deed)
        {
            case "publish":
                client.PublishAsync("out", "1").AsTask().Unwatched();
                break;
            case "subscribe":
                await client.Subscribe("other").DisposeAsync();
                break;
            case "update":
                client.UpdateOptionsAsync(InMemory.Options(() => throw new IOException("nowhere"))).Unwatched();
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
        }
    }

    private sealed class Network(Action watched) : NetworkChangeSource
    {
        public override IDisposable Watch(Action changed)
        {
            watched();
            return new MemoryStream();
        }
    }

    private sealed class Inspector(Action called) : IMqttPacketInspector
    {
        public void Inspect(in InspectedPacket packet) => called();
    }
}
