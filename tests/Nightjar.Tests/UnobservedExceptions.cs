using System.Collections.Concurrent;
using Nightjar.Tests;
using Xunit;

[assembly: AssemblyFixture(typeof(UnobservedExceptions))]

namespace Nightjar.Tests;

/// <summary>No test may leave a task behind that failed without anybody looking: that fails the run.</summary>
public sealed class UnobservedExceptions : IDisposable
{
    private readonly ConcurrentQueue<AggregateException> _found = new();

    public UnobservedExceptions() => TaskScheduler.UnobservedTaskException += Note;

    public void Dispose()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        TaskScheduler.UnobservedTaskException -= Note;
        Assert.Empty(_found);
    }

    private void Note(object? sender, UnobservedTaskExceptionEventArgs unobserved) => _found.Enqueue(unobserved.Exception);
}
