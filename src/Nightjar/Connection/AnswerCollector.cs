namespace Nightjar.Connection;

/// <summary>Who waits for the server's answers to several filters. Called under the host's lock.</summary>
internal sealed class AnswerCollector<TResult>(IReadOnlyList<string> filters)
    where TResult : class
{
    private readonly TaskCompletionSource<IReadOnlyList<TResult>> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TResult?[] _results = new TResult?[filters.Count];
    private int _missing = filters.Count;

    /// <summary>One result for each filter, in their order; of none at once.</summary>
    public Task<IReadOnlyList<TResult>> Task => filters.Count == 0 ? System.Threading.Tasks.Task.FromResult<IReadOnlyList<TResult>>([]) : _source.Task;

    public void Answer(string filter, TResult result)
    {
        for (var i = 0; i < filters.Count; i++)
        {
            if (_results[i] is null && filters[i] == filter)
            {
                _results[i] = result;
                _missing--;
            }
        }

        if (_missing == 0)
        {
            _source.TrySetResult(_results!);
        }
    }

    public void Fail(Exception error)
    {
        if (_source.TrySetException(error))
        {
            // Whoever stopped waiting does not look.
            _ = _source.Task.Exception;
        }
    }
}
