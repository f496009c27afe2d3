using System.Collections.Concurrent;
using System.Threading.Channels;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Subscriptions;

/// <summary>Where handlers run, and what is posted between them.</summary>
public sealed class HandlerContextTests
{
    private readonly Channel<string> _happened = Channel.CreateUnbounded<string>();

    [Fact]
    public async Task In_the_serial_context_no_two_handlers_of_a_client_run_at_once()
    {
        const int Messages = 500;
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(Options(broker, HandlerContext.Serial));
        var (running, calls, posted) = (0, 0, 0);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        // Without interlocked operations: whatever is lost was done at once.
        async ValueTask Handle()
        {
            for (var i = 0; i < 3; i++)
            {
                if (++running != 1)
                {
                    done.TrySetException(new InvalidOperationException("two at once"));
                }

                Thread.SpinWait(50);
                running--;
                await Task.Yield();
            }

            if (++calls == 4 * Messages)
            {
                done.TrySetResult();
            }
        }

        await client.On("t", _ => Handle()).Granted.Soon();
        await client.On("#", _ => Handle(), new SubscribeOptions { MaxConcurrency = 3 }).Granted.Soon();
        await client.OnLeased("+", (_, _) => Handle()).Granted.Soon();
        var posts = new List<Task>();
        for (var i = 0; i < Messages; i++)
        {
            await broker.PublishAsync("t", $"{i}");
            posts.Add(client.PostAsync(() =>
            {
                posted++;
                return Handle();
            }));
        }

        await done.Task.Soon();
        await Task.WhenAll(posts).Soon();
        Assert.Equal((Messages, 4 * Messages), (posted, calls));
    }

    [Fact]
    public async Task In_the_serial_context_others_run_while_a_handler_awaits()
    {
        await using var scene = await PeerScene.StartAsync(options => options.HandlerContext = HandlerContext.Serial);
        var gate = new TaskCompletionSource();
        scene.Client.On("a", async _ =>
        {
            _happened.Writer.TryWrite("a begins");
            await gate.Task;
            _happened.Writer.TryWrite("a ends");
        });
        scene.Client.On("b", _ => _happened.Writer.TryWrite("b"));
        for (var subscriptions = 0; subscriptions < 2;)
        {
            subscriptions += (await scene.Peer.GrantAsync()).Subscriptions.Count;
        }

        await scene.SendAsync("a", "1", 1);
        Assert.Equal("a begins", await NextAsync());
        await scene.SendAsync("b", "2", 2);
        Assert.Equal("b", await NextAsync());
        gate.SetResult();

        Assert.Equal("a ends", await NextAsync());
        await scene.AckAsync(1, 2);
    }

    [Fact]
    public async Task Posted_work_runs_in_order_with_messages_and_never_beside_them()
    {
        await using var scene = await PeerScene.StartAsync(options => options.HandlerContext = HandlerContext.Serial);
        using var go = new ManualResetEventSlim();
        scene.Client.On("t", message =>
        {
            _happened.Writer.TryWrite($"message {message.Text}");
            if (message.Text == "1")
            {
                go.Wait();
                _ = scene.Client.PostAsync(() => { _happened.Writer.TryWrite("posted by 1"); });
            }
        });
        await scene.Peer.GrantAsync();
        await scene.SendAsync("t", "1", 1);
        Assert.Equal("message 1", await NextAsync());
        await scene.SendAsync("t", "2", 2);
        var first = scene.Client.PostAsync(() => { _happened.Writer.TryWrite("first"); });
        var second = scene.Client.PostAsync(async () =>
        {
            _happened.Writer.TryWrite("second");
            await Task.Yield();
            throw new InvalidOperationException("its own");
        });
        Assert.False(first.IsCompleted);

        go.Set();

        Assert.Equal(["first", "second", "posted by 1", "message 2"], [await NextAsync(), await NextAsync(), await NextAsync(), await NextAsync()]);
        await first.Soon();
        Assert.Equal("its own", (await Assert.ThrowsAsync<InvalidOperationException>(() => second.Soon())).Message);
    }

    [Fact]
    public async Task In_parallel_posted_work_runs_one_after_the_other_beside_handlers()
    {
        await using var scene = await PeerScene.StartAsync();
        using var go = new ManualResetEventSlim();
        var blocked = new TaskCompletionSource();
        scene.Client.On("t", _ =>
        {
            blocked.SetResult();
            go.Wait();
        });
        await scene.Peer.GrantAsync();
        await scene.SendAsync("t", "1", 1);
        await blocked.Task.Soon();

        var posts = Enumerable.Range(0, 100).Select(i => scene.Client.PostAsync(() => { _happened.Writer.TryWrite($"{i}"); })).ToList();

        await Task.WhenAll(posts).Soon();
        for (var i = 0; i < 100; i++)
        {
            Assert.Equal($"{i}", await NextAsync());
        }

        go.Set();
    }

    [Fact]
    public async Task Handlers_run_on_a_scheduler_of_the_users_and_stay_there()
    {
        using var scheduler = new OneThreadScheduler();
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(Options(broker, HandlerContext.On(scheduler)));
        var threads = Channel.CreateUnbounded<int>();
        await client.On("t", async _ =>
        {
            threads.Writer.TryWrite(Environment.CurrentManagedThreadId);
            await Task.Yield();
            threads.Writer.TryWrite(Environment.CurrentManagedThreadId);
            if (threads.Reader.Count < 6)
            {
                throw new InvalidDataException("once more");
            }
        }).Granted.Soon();
        await client.OnLeased("t", _ => threads.Writer.TryWrite(Environment.CurrentManagedThreadId), new SubscribeOptions { MaxConcurrency = 2 }).Granted.Soon();

        await broker.PublishAsync("t", "x");
        await client.PostAsync(() => { threads.Writer.TryWrite(Environment.CurrentManagedThreadId); }).Soon();

        for (var i = 0; i < 8; i++)
        {
            Assert.Equal(scheduler.ThreadId, await threads.Reader.ReadAsync().Soon());
        }
    }

    [Fact]
    public async Task Nothing_can_be_posted_to_a_closed_client()
    {
        var client = new MqttClient("mqtt://localhost");
        await client.DisposeAsync();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.PostAsync(() => { }));
    }

    [Fact]
    public async Task One_that_waits_for_posted_work_inside_the_serial_context_runs_it_on_the_spot()
    {
        await using var client = new MqttClient(new MqttClientOptions("mqtt://localhost") { HandlerContext = HandlerContext.Serial });

        var outer = client.PostAsync(() =>
        {
            var inner = Task.Factory.StartNew(() => 1, CancellationToken.None, TaskCreationOptions.None, TaskScheduler.Current);
            inner.GetAwaiter().GetResult();
        });

        await outer.Soon();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_scheduler_that_is_gone_harms_neither_the_connection_nor_the_end_of_the_client(int concurrency)
    {
        await using var broker = InMemory.Broker();
        using var scheduler = new OneThreadScheduler { ThrowsAtEnd = true };
        using var log = new LogNotes();
        var options = Options(broker, HandlerContext.On(scheduler));
        options.LoggerFactory = log;
        await using var client = new MqttClient(options);
        await client.On("t", message => { _happened.Writer.TryWrite(message.Text); }, new SubscribeOptions { MaxConcurrency = concurrency }).Granted.Soon();
        await broker.PublishAsync("t", "1");
        Assert.Equal("1", await NextAsync());

        // After the message the pump yields and comes back, a turn of the scheduler each; then it sleeps.
        for (var turn = 0; turn < 4; turn++)
        {
            await client.PostAsync(() => { }).Soon();
        }

        scheduler.Dispose();
        await broker.PublishAsync("t", "2");

        await Eventually.True(() => log.Entries.Any(entry => entry.Id == 206));
        await client.PublishAsync("still", "connected").Soon();
        Assert.Equal(1, client.Statistics.Connections);
        await client.DisposeAsync().Soon();
        Assert.Equal(ClientState.Closed, client.State);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_scheduler_that_goes_while_messages_are_handled_ends_no_process(int concurrency)
    {
        await using var broker = InMemory.Broker();
        using var scheduler = new OneThreadScheduler { ThrowsAtEnd = true };
        await using var client = new MqttClient(Options(broker, HandlerContext.On(scheduler)));
        var subscription = client.On(
            "t",
            message =>
            {
                // What the pump wants of the scheduler from here on, it does not get.
                scheduler.Dispose();
                _happened.Writer.TryWrite(message.Text);
            },
            new SubscribeOptions { MaxConcurrency = concurrency });
        await subscription.Granted.Soon();

        await broker.PublishAsync("t", "1");

        Assert.Equal("1", await NextAsync());
        await client.PublishAsync("still", "connected").Soon();
        await client.DisposeAsync().Soon();
        Assert.Equal(ClientState.Closed, client.State);
    }

    private static MqttClientOptions Options(MqttTestBroker broker, HandlerContext context)
    {
        var options = InMemory.Options(broker);
        options.HandlerContext = context;
        return options;
    }

    private Task<string> NextAsync() => _happened.Reader.ReadAsync().Soon();

    /// <summary>Like that of a user interface.</summary>
    private sealed class OneThreadScheduler : TaskScheduler, IDisposable
    {
        private readonly BlockingCollection<Task> _tasks = [];
        private readonly Thread _thread;

        public OneThreadScheduler()
        {
            _thread = new Thread(() =>
            {
                foreach (var task in _tasks.GetConsumingEnumerable())
                {
                    TryExecuteTask(task);
                }
            })
            { IsBackground = true };
            _thread.Start();
        }

        /// <summary>Throws when it is given something after its end, as most do.</summary>
        public bool ThrowsAtEnd { get; init; }

        public int ThreadId => _thread.ManagedThreadId;

        public void Dispose() => _tasks.CompleteAdding();

        protected override void QueueTask(Task task)
        {
            if (ThrowsAtEnd || !_tasks.IsAddingCompleted)
            {
                _tasks.Add(task);
            }
        }

        protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

        protected override IEnumerable<Task> GetScheduledTasks() => _tasks;
    }
}
