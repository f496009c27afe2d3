using System.Runtime.CompilerServices;

namespace Nightjar.Tests;

/// <summary>No wait of a test is for ever: it ends with what it waits for, or fails the test and says what was waited for.</summary>
internal static class Deadline
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static async Task<T> Soon<T>(this Task<T> task, [CallerArgumentExpression(nameof(task))] string what = "")
    {
        await ((Task)task).Soon(what);
        return await task;
    }

    public static async Task Soon(this Task task, [CallerArgumentExpression(nameof(task))] string what = "")
    {
        try
        {
            await task.WaitAsync(Patience);
        }
        catch (TimeoutException error) when (!task.IsCompleted)
        {
            throw new TimeoutException($"Waited {Patience.TotalSeconds} s in vain for: {what}", error);
        }
    }

    public static Task<T> Soon<T>(this ValueTask<T> task, [CallerArgumentExpression(nameof(task))] string what = "") => task.AsTask().Soon(what);

    public static Task Soon(this ValueTask task, [CallerArgumentExpression(nameof(task))] string what = "") => task.AsTask().Soon(what);
}
