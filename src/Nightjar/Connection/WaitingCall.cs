using System.Diagnostics.CodeAnalysis;

namespace Nightjar.Connection;

/// <summary>A call that came before the session's store was open. It is made once the store is, in its turn and in the context of its caller; or it fails as the opening did.</summary>
internal abstract class WaitingCall
{
    private readonly ExecutionContext? _context = ExecutionContext.Capture();
    private int _begun;

    /// <summary>Its turn has come. Never waits, never throws.</summary>
    /// <param name="failure">Why the store is not open; null: it is.</param>
    public void Run(Exception? failure)
    {
        if (!TryBegin())
        {
            return;
        }

        if (failure is not null)
        {
            Fail(failure);
        }
        else if (_context is null)
        {
            Make();
        }
        else
        {
            ExecutionContext.Run(_context, static call => ((WaitingCall)call!).Make(), this);
        }
    }

    /// <summary>False: it was made, or its caller waits no more.</summary>
    protected bool TryBegin() => Interlocked.Exchange(ref _begun, 1) == 0;

    protected abstract void Make();

    protected abstract void Fail(Exception failure);
}

/// <inheritdoc cref="WaitingCall"/>
/// <typeparam name="T">What it returns.</typeparam>
[SuppressMessage("Reliability", "CA2000", Justification = "The registration ends with the call.")]
internal sealed class WaitingCall<T> : WaitingCall
{
    private readonly Func<ValueTask<T>> _call;
    private readonly TaskCompletionSource<T> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenRegistration _registration;

    /// <param name="call">What is to be done; it begins at once and does not block.</param>
    /// <param name="cancellationToken">Withdraws it while it waits for its turn.</param>
    public WaitingCall(Func<ValueTask<T>> call, CancellationToken cancellationToken)
    {
        _call = call;
        _registration = cancellationToken.UnsafeRegister(static (state, token) => ((WaitingCall<T>)state!).Cancel(token), this);
    }

    public Task<T> Result => _result.Task;

    protected override void Make()
    {
        _registration.Unregister();
        _ = MakeAsync();
    }

    protected override void Fail(Exception failure)
    {
        _registration.Unregister();
        SetException(failure);
    }

    private void Cancel(CancellationToken token)
    {
        if (TryBegin())
        {
            _result.TrySetCanceled(token);
        }
    }

    private async Task MakeAsync()
    {
        try
        {
            _result.TrySetResult(await _call().ConfigureAwait(false));
        }
        catch (OperationCanceledException canceled)
        {
            _result.TrySetCanceled(canceled.CancellationToken);
        }
        catch (Exception error)
        {
            SetException(error);
        }
    }

    private void SetException(Exception error)
    {
        if (_result.TrySetException(error))
        {
            // Not everybody looks; a failure that nobody looks at is no unobserved exception.
            _ = _result.Task.Exception;
        }
    }
}
