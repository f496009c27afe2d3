using System.Collections.Concurrent;

namespace Nightjar.Subscriptions;

/// <summary>Runs tasks one at a time, in the order in which they come, on whatever thread of the pool is free. It has no thread of its own, and costs nothing while there is nothing to do.</summary>
internal sealed class SerialScheduler : TaskScheduler, IThreadPoolWorkItem
{
    [ThreadStatic]
    private static SerialScheduler? _runningHere;

    private readonly ConcurrentQueue<Task> _tasks = new();
    private int _unfinished;

    public override int MaximumConcurrencyLevel => 1;

    /// <summary>Whether somebody waits for the one that runs.</summary>
    public bool IsAwaited => !_tasks.IsEmpty;

    void IThreadPoolWorkItem.Execute()
    {
        _runningHere = this;
        do
        {
            if (_tasks.TryDequeue(out var task))
            {
                TryExecuteTask(task);
            }
        }
        while (Interlocked.Decrement(ref _unfinished) > 0);
        _runningHere = null;
    }

    protected override void QueueTask(Task task)
    {
        _tasks.Enqueue(task);
        if (Interlocked.Increment(ref _unfinished) == 1)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    // One that waits for another here, blocking the thread, runs it on the spot instead of waiting for ever.
    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => _runningHere == this && TryExecuteTask(task);

    protected override IEnumerable<Task> GetScheduledTasks() => _tasks.ToArray();
}
