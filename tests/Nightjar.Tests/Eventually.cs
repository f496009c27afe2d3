using System.Runtime.CompilerServices;

namespace Nightjar.Tests;

/// <summary>For states that no event announces: looks again and again until they are there.</summary>
internal static class Eventually
{
    public static async Task True(Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string what = "")
    {
        using var patience = new CancellationTokenSource(Deadline.Patience);
        while (!condition())
        {
            if (patience.IsCancellationRequested)
            {
                throw new TimeoutException($"Waited {Deadline.Patience.TotalSeconds} s in vain for: {what}");
            }

            await Task.Yield();
        }
    }
}
