namespace Nightjar.Subscriptions;

/// <summary>Where the handlers of one client run, and what is posted to it.</summary>
/// <param name="scheduler">Null: the thread pool.</param>
/// <param name="serial">The same, if it is ours.</param>
internal sealed class HandlerScheduler(TaskScheduler? scheduler, SerialScheduler? serial)
{
    private readonly TaskScheduler _posts = scheduler ?? new SerialScheduler();

    /// <summary>Whether pumps must come back to the scheduler when they awaited something.</summary>
    public bool IsOwn => scheduler is not null;

    /// <summary>Whether a pump should let others run before it goes on: somebody waits in the serial context; on a scheduler of the user's nobody knows.</summary>
    public bool ShouldYield => scheduler is not null && serial is not { IsAwaited: false };

    public void Start(IThreadPoolWorkItem work)
    {
        if (scheduler is null)
        {
            ThreadPool.UnsafeQueueUserWorkItem(work, preferLocal: false);
        }
        else
        {
            _ = Task.Factory.StartNew(static work => ((IThreadPoolWorkItem)work!).Execute(), work, CancellationToken.None, TaskCreationOptions.DenyChildAttach, scheduler);
        }
    }

    /// <summary>Lets others run. Task.Yield would throw on the pool, where nobody catches it, if the scheduler takes no more work; then this goes on where it is.</summary>
    public Task YieldAsync()
    {
        try
        {
            return Task.Factory.StartNew(static () => { }, CancellationToken.None, TaskCreationOptions.DenyChildAttach, scheduler ?? TaskScheduler.Default);
        }
        catch (TaskSchedulerException)
        {
            return Task.CompletedTask;
        }
    }

    public Task PostAsync(Func<ValueTask> work) =>
        Task.Factory.StartNew(() => work().AsTask(), CancellationToken.None, TaskCreationOptions.DenyChildAttach, _posts).Unwrap();
}
