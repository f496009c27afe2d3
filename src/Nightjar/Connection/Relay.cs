namespace Nightjar.Connection;

/// <summary>
/// What the application awaits of tasks that end under a lock. Where it awaits on a scheduler or a context of its own, ending a task calls that scheduler, which is its code and may do what it
/// likes: so between the two lies a turn on the pool.
/// </summary>
internal static class Relay
{
    public static Task<T> Of<T>(Task<T> task) => task.IsCompleted ? task : Observe(PassAsync(task));

    public static Task Of(Task task) => task.IsCompleted ? task : Observe(PassAsync(task));

    private static async Task<T> PassAsync<T>(Task<T> task) => await task.ConfigureAwait(false);

    private static async Task PassAsync(Task task) => await task.ConfigureAwait(false);

    private static T Observe<T>(T relayed)
        where T : Task
    {
        // Not everybody looks; a failure that nobody looks at is no unobserved exception.
        _ = relayed.ContinueWith(static failed => failed.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return relayed;
    }
}
