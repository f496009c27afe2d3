using System.Diagnostics.CodeAnalysis;
using Nightjar.Connection;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Topics;

namespace Nightjar.Subscriptions;

/// <summary>
/// One subscription of the application from the inside: the queue between the receive loop and whoever consumes (a handler's pump, or a sequence), and what the
/// server said about it.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A source without a timer holds nothing to dispose of, and handlers may look at its token after the end.")]
internal sealed class MessageFeed : LocalSubscription
{
    private readonly EngineHost _host;
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile TaskCompletionSource<QoS> _granted = NewGranted();
    private int _consumed;
    private volatile bool _closed;
    private volatile Exception? _failure;

    public MessageFeed(EngineHost host, TopicFilter filter, SubscriptionTerms terms)
        : base(filter, terms) => _host = host;

    public MessageQueue Queue { get; } = new();

    public Task<QoS> Granted => _granted.Task;

    public Task Completion => _completion.Task;

    /// <summary>Cancelled when nothing will come any more; what handlers get.</summary>
    public CancellationToken Stopping => _stopping.Token;

    public bool IsClosed => _closed;

    /// <summary>Owned by the receive loop: it has appended since it last published.</summary>
    public bool HasNews { get; set; }

    /// <summary>Owned by the receive loop: QoS 0 messages that found no room.</summary>
    public long Dropped { get; set; }

    /// <summary>The server answered.</summary>
    public void Answer(ReasonCode code, string? detail)
    {
        if (!code.IsFailure())
        {
            // A failure to connect that nobody heard is no news any more.
            _failure = null;
            _granted.TrySetResult((QoS)(byte)code);
            return;
        }

        var because = detail is null ? "" : $" {detail}";
        var error = new MqttRefusedException($"The subscription to '{TopicFilter.Text}' was refused: {code} (0x{(byte)code:X2}).{because}")
        {
            ReasonCode = code,
            ReasonString = detail,
        };
        Reject(error);
        Close(error);
    }

    /// <summary>The client gave up for now: who waits hears it, and the subscription stays for the next attempt.</summary>
    public void Interrupt(Exception error)
    {
        var interrupted = _granted;
        if (!interrupted.Task.IsCompleted)
        {
            _granted = NewGranted();
            Observe(interrupted, error);
        }

        _failure = error;
        Queue.Wake();
    }

    /// <summary>The failure that the consumer has not heard yet; it hears it once.</summary>
    public Exception? TakeFailure()
    {
        var failure = _failure;
        if (failure is not null && !_closed)
        {
            _failure = null;
        }

        return failure;
    }

    /// <summary>Nothing will come any more. What is still in the queue is let go of by whoever consumes, or here if nobody does.</summary>
    public void Close(Exception? error = null)
    {
        if (_closed)
        {
            return;
        }

        _failure = error;
        _closed = true;
        Queue.Complete();
        Reject(error ?? new ObjectDisposedException(nameof(Subscription), "The subscription ended before the server answered it."));
        _completion.TrySetResult();

        // Handlers listen to the token and are user code, and letting go enters the engine: not on this thread, which may hold the lock.
        ThreadPool.UnsafeQueueUserWorkItem(static feed => feed.FinishClosing(), this, preferLocal: false);
    }

    /// <summary>Takes the consumer's place; false if somebody has it.</summary>
    public bool TryConsume() => Interlocked.CompareExchange(ref _consumed, 1, 0) == 0;

    /// <summary>Leaves the consumer's place.</summary>
    public void StopConsuming()
    {
        Interlocked.Exchange(ref _consumed, 0);
        if (_closed)
        {
            LetGo();
        }
    }

    /// <summary>
    /// After the end, unless a consumer is there and will do it: nobody here wants these messages any more. They are acknowledged; when the client itself
    /// closes, the acknowledgement comes too late to leave, and the server keeps them for the next.
    /// </summary>
    public void LetGo()
    {
        while (TryConsume())
        {
            while (Queue.TryTake(out var message))
            {
                message.Chunk.Release();
                if (!message.Token.IsNone)
                {
                    _host.Complete([new HandlerOutcome(message.Token, ReasonCode.Success)]);
                }
            }

            Interlocked.Exchange(ref _consumed, 0);

            // The receive loop may have appended after the last look and found the place taken.
            if (!Queue.HasMessages)
            {
                return;
            }
        }
    }

    private void FinishClosing()
    {
        LetGo();
        try
        {
            _stopping.Cancel();
        }
        catch (AggregateException error)
        {
            // What users hang on the token is theirs; that it throws must not take the process along.
            _host.ReportStoppingFailure(TopicFilter.Text, error);
        }
    }

    private static TaskCompletionSource<QoS> NewGranted() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static void Observe(TaskCompletionSource<QoS> source, Exception error)
    {
        if (source.TrySetException(error))
        {
            // Not everybody asks for Granted; an answer nobody reads is no unobserved exception.
            _ = source.Task.Exception;
        }
    }

    private void Reject(Exception error) => Observe(_granted, error);
}
