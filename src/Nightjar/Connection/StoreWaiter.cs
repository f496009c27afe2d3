using System.Threading.Tasks.Sources;

namespace Nightjar.Connection;

/// <summary>
/// Who enqueued a message and waits until it is safe. Not a task of the receipt: that would stay with the message for as long as it is queued, and many thousands may wait for one commit.
/// </summary>
internal sealed class StoreWaiter(DeliveryReceipt receipt) : IValueTaskSource<DeliveryReceipt?>
{
    private ManualResetValueTaskSourceCore<DeliveryReceipt?> _core = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration _registration;
    private CancellationToken _token;

    /// <summary>Another one of the same receipt; under the gate.</summary>
    public StoreWaiter? Next { get; set; }

    public ValueTask<DeliveryReceipt?> Task => new(this, _core.Version);

    /// <summary>Listens to the caller's token; call it without the gate.</summary>
    public void ListenTo(CancellationToken token)
    {
        if (token.CanBeCanceled)
        {
            _token = token;
            _registration = token.UnsafeRegister(static state => ((StoreWaiter)state!).Cancel(), this);
        }
    }

    /// <summary>The message is safe, or has ended, which its receipt says. Called once, by whoever took this from the receipt.</summary>
    public void SetResult() => _core.SetResult(receipt);

    DeliveryReceipt? IValueTaskSource<DeliveryReceipt?>.GetResult(short token)
    {
        _registration.Unregister();
        return _core.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource<DeliveryReceipt?>.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<DeliveryReceipt?>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    private void Cancel()
    {
        if (receipt.Forget(this))
        {
            _core.SetException(new OperationCanceledException(_token));
        }
    }
}
