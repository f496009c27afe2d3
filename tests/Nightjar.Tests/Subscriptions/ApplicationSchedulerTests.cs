using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Nightjar.Connection;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Subscriptions;

/// <summary>An application that awaits on a scheduler of its own: what that does when it is given a task is the application's code.</summary>
public sealed class ApplicationSchedulerTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task No_lock_is_held_when_a_scheduler_of_the_application_is_called(int concurrency)
    {
        await using var broker = InMemory.Broker();
        var scheduler = new WatchingScheduler();
        var options = InMemory.Options(broker);
        options.HandlerContext = HandlerContext.On(scheduler);
        var client = new MqttClient(options);
        var host = Host(client);
        scheduler.HoldsLock = () => Lock(Gate(host)).IsHeldByCurrentThread || host.Delivering.IsHeldByCurrentThread;

        await Task.Factory.StartNew(() => UseAsync(client, broker, concurrency), CancellationToken.None, TaskCreationOptions.None, scheduler).Unwrap().Soon();

        Assert.NotEqual(0, scheduler.Queued);
        Assert.Empty(scheduler.CalledUnderLock);
    }

    /// <summary>All that the client ends under a lock is awaited here, on the scheduler.</summary>
    private static async Task UseAsync(MqttClient client, MqttTestBroker broker, int concurrency)
    {
        var completion = client.Completion;
        var connecting = client.ConnectAsync();
        await connecting;
        var handled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var subscription = client.On("t", message =>
        {
            if (message.Text == "last")
            {
                handled.TrySetResult();
            }
        }, new SubscribeOptions { MaxConcurrency = concurrency });
        await subscription.Granted;
        await subscription.Results;
        for (var i = 0; i < 10; i++)
        {
            await broker.PublishAsync("t", i == 9 ? "last" : "x");
            await client.PublishAsync("u", "x");
        }

        await handled.Task;
        await client.PingAsync();
        await client.FlushAsync();
        await subscription.ResubscribeAsync();
        await client.UnsubscribeAsync("t");
        await subscription.Completion;
        await client.UpdateOptionsAsync(InMemory.Options(broker));
        var sequence = client.Subscribe("s");
        await sequence.Granted;
        await using var messages = sequence.GetAsyncEnumerator();
        var next = messages.MoveNextAsync();
        await broker.PublishAsync("s", "x");
        Assert.True(await next);
        var ended = messages.MoveNextAsync();
        var disposing = client.DisposeAsync();
        await completion;
        await disposing;
        Assert.False(await ended);
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_host")]
    private static extern ref EngineHost Host(MqttClient client);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_gate")]
    private static extern ref EngineGate Gate(EngineHost host);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_lock")]
    private static extern ref Lock Lock(EngineGate gate);

    private sealed class WatchingScheduler : TaskScheduler
    {
        private int _queued;

        public Func<bool> HoldsLock { get; set; } = () => false;

        public int Queued => _queued;

        public ConcurrentQueue<string> CalledUnderLock { get; } = new();

        protected override void QueueTask(Task task)
        {
            Interlocked.Increment(ref _queued);
            if (HoldsLock())
            {
                CalledUnderLock.Enqueue(Environment.StackTrace);
            }

            ThreadPool.UnsafeQueueUserWorkItem(_ => TryExecuteTask(task), null);
        }

        protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

        protected override IEnumerable<Task> GetScheduledTasks() => [];
    }
}
