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

    /// <summary>Waits until a number stays as it is for a good many turns: for what is to be seen not to go on. One that goes on for long enough is found out.</summary>
    public static async Task Still(Func<long> number)
    {
        const int Turns = 200_000;
        var last = number();
        for (var turn = 0; turn < Turns; turn++)
        {
            await Task.Yield();
            if (number() is var now && now != last)
            {
                last = now;
                turn = 0;
            }
        }
    }
}
