using System.Text;

namespace Nightjar.Interop.Tests.Processes;

/// <summary>The lines that a program writes, and who waits for one of them. Thread-safe.</summary>
internal sealed class Transcript
{
    private readonly Lock _lock = new();
    private readonly List<string> _lines = [];
    private readonly List<(string Part, int Skip, TaskCompletionSource Found)> _waiters = [];
    private bool _ended;

    /// <summary>All of it, each line with its end.</summary>
    public string Text
    {
        get
        {
            lock (_lock)
            {
                return _lines.Aggregate(new StringBuilder(), (text, line) => text.Append(line).Append('\n')).ToString();
            }
        }
    }

    /// <param name="line">Null when the program has closed its end.</param>
    public void Add(string? line)
    {
        lock (_lock)
        {
            if (line is null)
            {
                _ended = true;
            }
            else
            {
                _lines.Add(line);
            }

            _waiters.RemoveAll(waiter => TryAnswer(waiter.Part, waiter.Skip, waiter.Found));
        }
    }

    /// <summary>Completes with the line after <paramref name="skip"/> others that contain the text; faults if there will be none.</summary>
    public Task LineAsync(string part, int skip)
    {
        var found = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (!TryAnswer(part, skip, found))
            {
                _waiters.Add((part, skip, found));
            }
        }

        return found.Task;
    }

    private bool TryAnswer(string part, int skip, TaskCompletionSource found)
    {
        if (_lines.Count(line => line.Contains(part, StringComparison.Ordinal)) > skip)
        {
            return found.TrySetResult();
        }

        return _ended && found.TrySetException(new EndOfStreamException());
    }
}
