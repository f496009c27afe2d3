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
    private int _consumed;
    private volatile bool _closed;
    private volatile Exception? _failure;

    /// <param name="host">Takes the acknowledgements.</param>
    /// <param name="filters">What it gets.</param>
    /// <param name="wireFilters">What the server is asked for.</param>
    /// <param name="terms">On which terms.</param>
    public MessageFeed(EngineHost host, IReadOnlyList<TopicFilter> filters, IReadOnlyList<TopicFilter> wireFilters, SubscriptionTerms terms)
        : base(filters, wireFilters, terms)
    {
        _host = host;
        Grant = new SubscriptionGrant(wireFilters, terms.QoS);
    }

    public MessageQueue Queue { get; } = new();

    /// <summary>What the server said.</summary>
    public SubscriptionGrant Grant { get; }

    public Task Completion => _completion.Task;

    /// <summary>Cancelled when nothing will come any more; what handlers get.</summary>
    public CancellationToken Stopping => _stopping.Token;

    public bool IsClosed => _closed;

    /// <summary>Owned by the receive loop: it has appended since it last published.</summary>
    public bool HasNews { get; set; }

    /// <summary>Owned by the receive loop: QoS 0 messages that found no room.</summary>
    public long Dropped { get; set; }

    /// <summary>The server answered one filter; when the last is refused, the subscription ends.</summary>
    public void Answer(in SubscriptionAnswer answer)
    {
        var refusal = Grant.Answer(answer);
        if (refusal is null)
        {
            // A failure to connect that nobody heard is no news any more.
            _failure = null;
        }
        else if (Alive == 0)
        {
            Close(refusal);
        }
    }

    /// <summary>The client gave up for now: who waits hears it, and the subscription stays for the next attempt.</summary>
    public void Interrupt(Exception error)
    {
        Grant.Interrupt(error);
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
        Grant.End(error ?? new ObjectDisposedException(nameof(Subscription), "The subscription ended before the server answered it."));
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
}
