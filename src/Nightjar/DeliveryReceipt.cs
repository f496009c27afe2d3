using Nightjar.Connection;
using Nightjar.Protocol.Engine;

namespace Nightjar;

/// <summary>
/// What became of one message that was enqueued. It lives as long as you like: over lost connections, and after its end. Any number may wait for it, and that one stops waiting changes nothing for
/// the message. Thread-safe.
/// </summary>
/// <remarks>Every receipt ends, at the latest when the client is closed. Who drops it leaves the message on its way all the same.</remarks>
public sealed class DeliveryReceipt
{
    private const int StateBits = 0xF;
    private const int StoredBit = 0x10;
    private const int SentBit = 0x20;
    private const int FlagsShift = 6;

    private readonly EngineHost _host;

    // Of a million queued messages each has one of these: the identifier alone, or with what somebody asked for and still waits for.
    private object? _more;
    private int _handle;
    private ushort _packetId;
    private byte _state;
    private ReasonCode _reasonCode;

    internal DeliveryReceipt(EngineHost host, string? id)
    {
        _host = host;
        _more = id;
    }

    /// <summary>The application's own identifier; null if it gave none.</summary>
    public string? Id => Volatile.Read(ref _more) is var more && more is Details details ? details.Id : (string?)more;

    /// <summary>The packet identifier that it is sent with, or was sent with last; 0 before that, and at QoS 0.</summary>
    public ushort PacketId
    {
        get
        {
            using (_host.Gate.Enter())
            {
                return IsEnded ? _packetId : _host.Gate.Engine.Outbound.PacketIdOf(_handle, this);
            }
        }
    }

    /// <summary>How far it came.</summary>
    public DeliveryState State => (DeliveryState)(Volatile.Read(ref _state) & StateBits);

    /// <summary>
    /// Ends when the message is as safe as the store makes it; without a store, and at QoS 0, it has ended already. If the message ends before, it ends like <see cref="Acknowledged"/>.
    /// </summary>
    public Task Stored => TaskFor(StoredBit, static details => details.Stored ??= New());

    /// <summary>
    /// Ends when the message was handed to the transport for the first time. If it ends unsent, it ends like <see cref="Acknowledged"/>.
    /// </summary>
    public Task Sent => TaskFor(SentBit, static details => details.Sent ??= New());

    /// <summary>
    /// Ends with the message. Delivered: the server's answer; at QoS 0, success when it was handed to the transport. Else it faults: <see cref="MqttRefusedException"/>,
    /// <see cref="MqttLimitException"/>, <see cref="MqttExpiredException"/>, <see cref="MqttDroppedException"/>, <see cref="MqttKeptException"/>, <see cref="MqttDisconnectedException"/> when the client was
    /// closed; after <see cref="Withdraw"/> it is cancelled. A failure that nobody looks at is no unobserved exception.
    /// </summary>
    public Task<PublishResult> Acknowledged
    {
        get
        {
            TaskCompletionSource<PublishResult> source;
            using (_host.Gate.Enter())
            {
                var details = GetDetails();
                source = details.Acknowledged ??= new TaskCompletionSource<PublishResult>(TaskCreationOptions.RunContinuationsAsynchronously);
                SettleTasks(details);
            }

            return source.Task;
        }
    }

    /// <summary>What a delivered message's end was.</summary>
    internal PublishResult Result => new(_reasonCode, _packetId, (PublishFlags)(_state >> FlagsShift));

    internal bool IsEnded => State >= DeliveryState.Delivered;

    /// <summary>Why it was not delivered; under the gate, or after the end. Null if it was, or is still on its way.</summary>
    internal Exception? Failure => (Volatile.Read(ref _more) as Details)?.Failure;

    /// <summary>
    /// Takes the message back if it has not left yet: before it has a packet identifier, at QoS 0 before it is in the output. True: it will not be sent, and the receipt has ended.
    /// False: it is on its way, or has ended before. With a store that is written down behind this call: a process that is killed within the same moment leaves the message to the next one.
    /// </summary>
    public bool Withdraw()
    {
        using (_host.Gate.Enter())
        {
            return !IsEnded && _host.Gate.Engine.Outbound.TakeBack(_handle, this);
        }
    }

    /// <summary>Identifier and state.</summary>
    public override string ToString() => Id is { } id ? $"'{id}' {State}" : $"{State}";

    /// <summary>It follows this message; under the gate.</summary>
    internal void Follow(int handle, bool isStored, bool isSent)
    {
        _handle = handle;
        _state = (byte)((int)(isSent ? DeliveryState.Sent : DeliveryState.Queued) | (isStored ? StoredBit : 0) | (isSent ? SentBit : 0));
    }

    /// <summary>The message came one step further; under the gate.</summary>
    internal void Step(DeliveryStep step)
    {
        if (IsEnded)
        {
            return;
        }

        var bits = _state & ~StateBits;
        _state = step switch
        {
            DeliveryStep.Stored => (byte)(_state | StoredBit),
            DeliveryStep.Sent => (byte)(bits | SentBit | (int)DeliveryState.Sent),
            _ => (byte)(bits | (int)DeliveryState.Quarantined),
        };
        Settle();
    }

    /// <summary>The message ended; under the gate.</summary>
    internal void End(DeliveryState state, in PublishResult result, Exception? failure)
    {
        _packetId = result.PacketId;
        _reasonCode = result.ReasonCode;
        if (failure is not null)
        {
            GetDetails().Failure = failure;
        }

        var reached = state == DeliveryState.Delivered ? StoredBit | SentBit : _state & (StoredBit | SentBit);
        Volatile.Write(ref _state, (byte)((int)state | reached | ((int)result.Flags << FlagsShift)));
        Settle();
    }

    /// <summary>Waits until the message is safe, or has ended; null if that is so already. Under the gate.</summary>
    internal StoreWaiter? WaitForStore()
    {
        if (IsEnded || (_state & StoredBit) != 0)
        {
            return null;
        }

        var details = GetDetails();
        return details.Waiters = new StoreWaiter(this) { Next = details.Waiters };
    }

    /// <summary>Nobody waits here any more. False: the wait is over.</summary>
    internal bool Forget(StoreWaiter waiter)
    {
        using (_host.Gate.Enter())
        {
            return _more is Details details && details.Forget(waiter);
        }
    }

    /// <summary>Who hears of the end, outside the gate; several where messages with the same identifier were passed on. False: it has ended already.</summary>
    internal bool Observe(IReceiptObserver observer)
    {
        using (_host.Gate.Enter())
        {
            if (IsEnded)
            {
                return false;
            }

            var details = GetDetails();
            if (details.Observer is null)
            {
                details.Observer = observer;
            }
            else
            {
                (details.OtherObservers ??= []).Add(observer);
            }

            return true;
        }
    }

    /// <summary>It has ended, and the gate is left.</summary>
    internal void NotifyObservers()
    {
        if (_more is Details { Observer: { } observer } details)
        {
            observer.Ended(this);
            details.OtherObservers?.ForEach(other => other.Ended(this));
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Task TaskFor(int bit, Func<Details, TaskCompletionSource> source)
    {
        if ((Volatile.Read(ref _state) & bit) != 0)
        {
            return Task.CompletedTask;
        }

        TaskCompletionSource completion;
        using (_host.Gate.Enter())
        {
            var details = GetDetails();
            completion = source(details);
            SettleTasks(details);
        }

        return completion.Task;
    }

    private Details GetDetails()
    {
        if (_more is not Details details)
        {
            details = new Details((string?)_more);
            Volatile.Write(ref _more, details);
        }

        return details;
    }

    /// <summary>Tells those who wait for what was reached. Details that nobody waits for go: the message may be queued for long.</summary>
    private void Settle()
    {
        if (_more is Details details)
        {
            SettleTasks(details);
            if (details.IsIdle)
            {
                Volatile.Write<object?>(ref _more, details.Id);
            }
        }
    }

    private void SettleTasks(Details details)
    {
        if ((_state & StoredBit) != 0)
        {
            details.Stored?.TrySetResult();
            details.Stored = null;
        }

        if ((_state & SentBit) != 0)
        {
            details.Sent?.TrySetResult();
            details.Sent = null;
        }

        if ((_state & StoredBit) != 0 || IsEnded)
        {
            details.SignalWaiters();
        }

        if (!IsEnded)
        {
            return;
        }

        if (State == DeliveryState.Delivered)
        {
            details.Acknowledged?.TrySetResult(Result);
        }
        else if (State == DeliveryState.Withdrawn)
        {
            details.Stored?.TrySetCanceled();
            details.Sent?.TrySetCanceled();
            details.Acknowledged?.TrySetCanceled();
        }
        else
        {
            Fail(details);
        }
    }

    private static void Fail(Details details)
    {
        // Whoever does not look is not to hear of it as an unobserved exception.
        var failure = details.Failure!;
        if (details.Stored?.TrySetException(failure) == true)
        {
            _ = details.Stored.Task.Exception;
        }

        if (details.Sent?.TrySetException(failure) == true)
        {
            _ = details.Sent.Task.Exception;
        }

        if (details.Acknowledged?.TrySetException(failure) == true)
        {
            _ = details.Acknowledged.Task.Exception;
        }
    }

    /// <summary>What somebody asked for; most receipts have none of it.</summary>
    private sealed class Details(string? id)
    {
        public string? Id => id;

        public TaskCompletionSource? Stored { get; set; }

        public TaskCompletionSource? Sent { get; set; }

        public TaskCompletionSource<PublishResult>? Acknowledged { get; set; }

        public Exception? Failure { get; set; }

        public IReceiptObserver? Observer { get; set; }

        public List<IReceiptObserver>? OtherObservers { get; set; }

        /// <summary>Who waits for the store, linked; each hears it once.</summary>
        public StoreWaiter? Waiters { get; set; }

        public bool IsIdle => Stored is null && Sent is null && Acknowledged is null && Failure is null && Observer is null && Waiters is null;

        public void SignalWaiters()
        {
            var waiter = Waiters;
            Waiters = null;
            while (waiter is not null)
            {
                var next = waiter.Next;
                waiter.Next = null;
                waiter.SetResult();
                waiter = next;
            }
        }

        public bool Forget(StoreWaiter waiter)
        {
            if (Waiters == waiter)
            {
                Waiters = waiter.Next;
                return true;
            }

            for (var before = Waiters; before is not null; before = before.Next)
            {
                if (before.Next == waiter)
                {
                    before.Next = waiter.Next;
                    return true;
                }
            }

            return false;
        }
    }
}

/// <summary>Hears of a receipt's end without a task of its own.</summary>
internal interface IReceiptObserver
{
    /// <summary>Called once, outside every lock, on whatever thread brought the end: it must not wait.</summary>
    void Ended(DeliveryReceipt receipt);
}
