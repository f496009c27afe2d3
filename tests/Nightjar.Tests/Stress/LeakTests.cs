using System.Globalization;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Stress;

/// <summary>Measures the memory and the sockets of the process, so nothing else may run.</summary>
[CollectionDefinition("Alone", DisableParallelization = true)]
[Collection("Alone")]
public sealed class LeakTests
{
    private const int Cycles = 10_000;
    private const int AtOnce = 4;

    // A client's smallest buffer alone is 4 KiB; what ten thousand left behind would be forty times this.
    private const long Allowed = 1_000_000;

    // The runtime's own: pipes and polls that a busy moment adds once, and not for each client.
    private const int AllowedFiles = 16;

    [Fact]
    public async Task Ten_thousand_clients_leave_no_memory_behind()
    {
        await using var broker = InMemory.Broker(options => options.RecordPublished = false);
        await CycleAsync(500, () => InMemory.Options(broker));
        var before = Held();

        await CycleAsync(Cycles, () => InMemory.Options(broker));

        await broker.WaitForNoClientsAsync();
        Assert.Empty(broker.Sessions);
        AssertAsBefore(before);
    }

    [Fact]
    public async Task Clients_that_use_everything_leave_no_memory_behind()
    {
        await using var broker = InMemory.Broker(options => options.RecordPublished = false);

        // It lives as long as the process: whatever registers with it and stays is found.
        using var life = new CancellationTokenSource();

        // The pools of arrays have what so many at once need only after some thousand of them: what is held grows by half a megabyte until then, and not at all afterwards.
        await CycleAsync(5_000, () => Everything(broker), client => UseEverythingAsync(client, life.Token));
        var before = Held();

        await CycleAsync(Cycles, () => Everything(broker), client => UseEverythingAsync(client, life.Token));

        await broker.WaitForNoClientsAsync();
        Assert.Empty(broker.Sessions);
        AssertAsBefore(before);
    }

    [Fact]
    public async Task Clients_with_a_store_leave_no_memory_behind()
    {
        await using var broker = InMemory.Broker(options => options.RecordPublished = false);
        await CycleAsync(100, Stored, UseAsync);
        var before = Held();

        await CycleAsync(Cycles / 10, Stored, UseAsync);

        await broker.WaitForNoClientsAsync();
        Assert.Empty(broker.Sessions);
        AssertAsBefore(before);

        MqttClientOptions Stored()
        {
            var options = InMemory.Options(broker);
            options.Session.Store = new MemorySessionStore();
            options.Session.ExpiryInterval = TimeSpan.Zero;
            return options;
        }

        static async Task UseAsync(MqttClient client)
        {
            await using var messages = client.Subscribe("own", new SubscribeOptions { Acknowledge = AcknowledgeMode.Stored }).GetAsyncEnumerator();
            await client.PublishAsync("own", "x", QoS.ExactlyOnce).AsTask().Soon();
        }
    }

    [Fact]
    public async Task A_thousand_connections_leave_no_socket_behind()
    {
        await using var broker = new MqttTestBroker(new MqttTestBrokerOptions { RecordPublished = false, Patience = Deadline.Patience });
        await CycleAsync(100, () => new MqttClientOptions(broker.Uri));
        await broker.WaitForNoClientsAsync();
        var before = Held();

        await CycleAsync(Cycles / 10, () => new MqttClientOptions(broker.Uri));

        await broker.WaitForNoClientsAsync();
        AssertAsBefore(before);
    }

    [Fact]
    public async Task Clients_that_never_find_a_server_leave_nothing_behind()
    {
        await CycleAsync(100);
        var before = Held();

        await CycleAsync(Cycles / 10);

        AssertAsBefore(before);

        async Task CycleAsync(int count)
        {
            for (var i = 0; i < count; i++)
            {
                var options = InMemory.Options(() => throw new IOException("no way"));
                options.DrainTimeout = TimeSpan.Zero;
                await using var client = new MqttClient(options);
                var publishing = client.PublishAsync("t", "x").AsTask();
                await client.DisposeAsync().Soon();
                await Assert.ThrowsAnyAsync<Exception>(() => publishing.Soon());
            }
        }
    }

    private static MqttClientOptions Everything(MqttTestBroker broker)
    {
        var options = InMemory.Options(broker);
        options.HandlerContext = HandlerContext.Serial;
        options.PacketInspector = new Inspector();
        options.Connection.ReadinessGate = token => new ValueTask(Task.Delay(TimeSpan.Zero, token));
        options.Connection.BeforeConnect = static (attempt, _) =>
        {
            attempt.UserProperties.Add(new UserProperty("attempt", "1"));
            return default;
        };
        options.Receive.MaximumPacketSize = 1024;
        options.Receive.MaximumStreamedPacketSize = 16 * 1024;
        return options;
    }

    private static async Task UseEverythingAsync(MqttClient client, CancellationToken life)
    {
        await using var events = client.Events.GetAsyncEnumerator(life);
        var streamed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        client.OnStream($"stream/{client.ClientId}", async (message, token) =>
        {
            await message.Payload.CopyToAsync(Stream.Null, token);
            streamed.TrySetResult();
        });
        client.On($"lanes/{client.ClientId}/#", _ => { }, new SubscribeOptions { MaxConcurrency = 3, OrderBy = message => message.Level(2), QueueLimit = 10 });
        await client.Respond($"ask/{client.ClientId}", _ => "answer").Granted.Soon();
        await client.PublishAsync($"stream/{client.ClientId}", new byte[4 * 1024], cancellationToken: life).Soon();
        for (var i = 0; i < 4; i++)
        {
            await client.PublishAsync($"lanes/{client.ClientId}/{i}", "x", cancellationToken: life).Soon();
        }

        await streamed.Task.Soon();
        Assert.Equal("answer", (await client.RequestAsync($"ask/{client.ClientId}", "question", cancellationToken: life).Soon()).Text);

        // One that nobody answers, and one message that nobody has read, go down with the client.
        await using var unread = client.Subscribe($"lanes/{client.ClientId}/0");
        await unread.Granted.Soon();
        var unanswered = client.RequestAsync($"lanes/{client.ClientId}/0", "nobody answers", cancellationToken: life);
        await client.DisposeAsync().Soon();
        await Assert.ThrowsAnyAsync<Exception>(() => unanswered.Soon());
    }

    private sealed class Inspector : IMqttPacketInspector
    {
        public void Inspect(in InspectedPacket packet)
        {
        }
    }

    private static async Task CycleAsync(int cycles, Func<MqttClientOptions> options, Func<MqttClient, Task>? use = null)
    {
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < cycles / AtOnce; i++)
            {
                await using var client = new MqttClient(options());
                if (use is not null)
                {
                    await use(client);
                    continue;
                }

                await using var subscription = client.On("t", _ => { });
                await client.PublishAsync("t", "x").Soon();
            }
        })));
    }

    private static (long Memory, long Timers, int Files) Held()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return (GC.GetTotalMemory(forceFullCollection: true), Timer.ActiveCount, OpenFiles());
    }

    /// <summary>Sockets are among them; 0 where the system does not say.</summary>
    private static int OpenFiles() => OperatingSystem.IsLinux() ? Directory.EnumerateFileSystemEntries("/proc/self/fd").Count() : 0;

    private static void AssertAsBefore((long Memory, long Timers, int Files) before)
    {
        // The peer of a connection lets go of its end a moment after ours.
        var after = Held();
        SpinWait.SpinUntil(() => (after = Held()).Files - before.Files < AllowedFiles && after.Timers <= before.Timers, Deadline.Patience);
        var said = string.Create(CultureInfo.InvariantCulture, $"{after.Memory - before.Memory} bytes, {after.Timers - before.Timers} timers, {after.Files - before.Files} files more");
        Assert.True(after.Memory - before.Memory < Allowed && after.Timers <= before.Timers && after.Files - before.Files < AllowedFiles, said);
    }
}
