using System.Threading.Tasks.Sources;
using Nightjar.Diagnostics;
using Nightjar.Protocol.Engine;

namespace Nightjar.Connection;

/// <summary>
/// Who waits for a publish: a pooled source of one <see cref="ValueTask{TResult}"/> after the other. The message in the engine is another object: cancelling detaches the
/// waiter and the message lives on. It goes back to its pool when its result is read, never before.
/// </summary>
internal sealed class PublishWaiter(EngineHost host, PublishWaiterPool pool) : IValueTaskSource<PublishResult>
{
    private ManualResetValueTaskSourceCore<PublishResult> _core = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration _registration;
    private CancellationToken _token;

    /// <summary>The next in the pool.</summary>
    public PublishWaiter? Next { get; set; }

    /// <summary>The message that it waits for; set under the host's lock.</summary>
    public MessageTicket Ticket { get; set; }

    /// <summary>Its message, while that waits for room in the outbox; under the host's lock.</summary>
    public RoomWaiter? Room { get; set; }

    /// <summary>Who measures or traces this publish; mostly nobody.</summary>
    public PublishWatch? Watch { get; set; }

    public ValueTask<PublishResult> Task => new(this, _core.Version);

    /// <summary>Listens to the caller's token; call it without the lock, after <see cref="Ticket"/> is set.</summary>
    public void ListenTo(CancellationToken token)
    {
        if (token.CanBeCanceled)
        {
            _token = token;
            _registration = token.UnsafeRegister(static state => ((PublishWaiter)state!).Cancel(), this);
        }
    }

    public void SetResult(in PublishResult result)
    {
        if (Watch is not null)
        {
            TakeWatch().End(result.ReasonCode);
        }

        _core.SetResult(result);
    }

    public void SetException(Exception error)
    {
        if (Watch is not null)
        {
            TakeWatch().End(error);
        }

        _core.SetException(error);
    }

    PublishResult IValueTaskSource<PublishResult>.GetResult(short token)
    {
        // Unregistering says whether the callback can still come. If it can, or has, this waiter is not used again: a late callback must not meet a new wait.
        var reusable = _registration == default || _registration.Unregister();
        try
        {
            return _core.GetResult(token);
        }
        finally
        {
            if (reusable)
            {
                _registration = default;
                _token = default;
                _core.Reset();
            }

            pool.Resumed(this, reusable);
        }
    }

    ValueTaskSourceStatus IValueTaskSource<PublishResult>.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<PublishResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    /// <summary>Once the result is set, this waiter may be another publish's.</summary>
    private PublishWatch TakeWatch()
    {
        var watch = Watch!;
        Watch = null;
        return watch;
    }

    private void Cancel()
    {
        if (host.Withdraw(this))
        {
            pool.Signalling(1);
            SetException(new OperationCanceledException(_token));
        }
    }
}
