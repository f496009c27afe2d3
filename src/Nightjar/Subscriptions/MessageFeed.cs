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
    private readonly LimitedQueue? _limited;
    private readonly CommitMark? _commits;
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _appended;
    private long _taken;
    private long _dropped;
    private long _lastRecord;
    private int _consumed;
    private volatile bool _keeps;
    private volatile bool _closed;
    private volatile Exception? _failure;

    /// <param name="host">Takes the acknowledgements.</param>
    /// <param name="filters">What it gets.</param>
    /// <param name="wireFilters">What the server is asked for.</param>
    /// <param name="terms">On which terms.</param>
    /// <param name="options">What else the application said.</param>
    public MessageFeed(EngineHost host, IReadOnlyList<TopicFilter> filters, IReadOnlyList<TopicFilter> wireFilters, SubscriptionTerms terms, SubscribeOptions options)
        : base(filters, wireFilters, terms)
    {
        Grant = new SubscriptionGrant(wireFilters, terms.QoS);
        Host = host;
        Options = options;
        _commits = host.Commits;
        Queue = new MessageQueue(ReportLost, _commits);
        OnPoison = options.OnPoison ?? host.Options.Receive.OnPoison;
        AcknowledgesAtArrival = options.Acknowledge == AcknowledgeMode.AtArrival;
        StoresMessages = options.Acknowledge == AcknowledgeMode.Stored;
        LeavesToHandler = options is { Acknowledge: AcknowledgeMode.Manual, AcknowledgeForgotten: false };
        _limited = options.QueueLimit is { } limit ? new LimitedQueue(limit, options.Overflow) : null;
    }

    public EngineHost Host { get; }

    public SubscribeOptions Options { get; }

    public Func<MqttMessage, Exception, ValueTask<MessageOutcome>>? OnPoison { get; }

    /// <summary>A message whose handler ended is not acknowledged for that.</summary>
    public bool LeavesToHandler { get; }

    public MessageQueue Queue { get; }

    /// <summary>What the server said.</summary>
    public SubscriptionGrant Grant { get; }

    public Task Completion => _completion.Task;

    /// <summary>Cancelled when nothing will come any more; what handlers get.</summary>
    public CancellationToken Stopping => _stopping.Token;

    public bool IsClosed => _closed;

    /// <summary>Owned by the receive loop: it has appended since it last published.</summary>
    public bool HasNews { get; set; }

    /// <summary>The last record that a message here waits for; guarded by <see cref="CommitMark"/>. 0: it waits for none.</summary>
    public long AwaitedRecord { get; set; }

    /// <summary>QoS 0 messages that found no room, and were not reported yet.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    /// <summary>Owned by the receive loop: an episode of dropping for want of room in this queue is under way.</summary>
    public bool IsDropping { get; private set; }

    /// <summary>Owned by the receive loop: such an episode began or ended, and nobody was told yet.</summary>
    public bool HasReport { get; set; }

    /// <summary>Its QoS 0 messages are never dropped: the receive loop waits instead.</summary>
    public bool Waits => _limited is { Waits: true };

    /// <summary>The receive loop must wait.</summary>
    public bool IsFull => _limited is { IsFull: true } && !_closed;

    /// <summary>The receive loop's: appends; the consumer does not see it before <see cref="Publish"/>.</summary>
    public void Append(in ReceivedMessage message)
    {
        _lastRecord = Math.Max(_lastRecord, message.DeliveryId);
        if (_limited is null)
        {
            Queue.Append(message);
        }
        else if (message.QoS == QoS.AtMostOnce)
        {
            _limited.Append(message, _appended);
        }
        else
        {
            Queue.Append(message);
            _appended++;
        }
    }

    /// <summary>The receive loop's: so many QoS 0 messages found no room.</summary>
    public void Drop(int count) => Interlocked.Add(ref _dropped, count);

    /// <summary>How many that was since the last time.</summary>
    public long TakeDropped() => Interlocked.Exchange(ref _dropped, 0);

    /// <summary>The receive loop's: shows the consumer what was appended, and wakes it.</summary>
    public void Publish()
    {
        if (_commits is not null && _lastRecord > _commits.Committed)
        {
            _commits.Await(this, _lastRecord);
        }

        if (_limited is not null)
        {
            NoteDropped(_limited.Publish());
            Queue.Wake();
        }

        Queue.Publish();
    }

    /// <summary>The consumer's: takes the oldest.</summary>
    public bool TryTake(out ReceivedMessage message)
    {
        if (_limited is null)
        {
            return Queue.TryTake(out message);
        }

        if (_limited.TryTake(_taken, out message))
        {
            return true;
        }

        if (!Queue.TryTake(out message))
        {
            // The two queues show their messages one after the other: the one above may have waited for what was not to be seen yet.
            return false;
        }

        _taken++;
        return true;
    }

    /// <summary>The consumer's: a message that it took waits elsewhere (1), or no more (-1).</summary>
    public void PutAside(in ReceivedMessage message, int change)
    {
        if (message.QoS == QoS.AtMostOnce)
        {
            _limited?.PutAside(change);
        }
    }

    /// <summary>The receive loop's: ends when the consumer has made room, or nobody will consume any more.</summary>
    public Task WhenRoom() => _limited is null || _closed ? Task.CompletedTask : _limited.WhenRoom();

    /// <summary>Whether the server, or the session's store, waits for this subscription to be done with the message.</summary>
    public bool IsAwaited(in ReceivedMessage message) => (!AcknowledgesAtArrival && !message.Token.IsNone) || IsStored(message);

    /// <summary>Whether the message lies in the store until this subscription is done with it, and was acknowledged for that: as the subscription wants it, or because an earlier process left it.</summary>
    private bool IsStored(in ReceivedMessage message) => message.DeliveryId != 0 && (StoresMessages || message.Token.IsNone);

    /// <summary>What a handler may acknowledge the message with; null if nobody waits for that.</summary>
    public MessageAcknowledgement? AcknowledgementFor(in ReceivedMessage message) => IsAwaited(message)
        ? new MessageAcknowledgement(this, IsStored(message) ? default : message.Token, message.DeliveryId)
        : null;

    public HandlerOutcome ToOutcome(in ReceivedMessage message, MessageOutcome outcome) => IsStored(message)
        ? ToOutcome(default(AckToken), message.DeliveryId, outcome)
        : ToOutcome(message.Token, deliveryId: 0, outcome);

    /// <param name="token">None: it is a stored message.</param>
    /// <param name="deliveryId">Its number there.</param>
    /// <param name="outcome">What became of it.</param>
    public HandlerOutcome ToOutcome(AckToken token, long deliveryId, MessageOutcome outcome) =>
        new(token, outcome.ReasonCode, outcome.IsAbandoned, this, token.IsNone ? deliveryId : 0);

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

    /// <summary>
    /// Nothing will come any more. What is still in the queue is let go of by whoever consumes, or here if nobody does; at the end of the client it stays for a loop that is still to come.
    /// </summary>
    public void Close(Exception? error = null, bool clientEnds = false)
    {
        if (_closed)
        {
            return;
        }

        _keeps = clientEnds;
        if (!clientEnds)
        {
            Queue.ShowAll();
        }

        _failure = error;
        _closed = true;
        Queue.Complete();
        _limited?.Close();
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

    /// <summary>Nobody here wants the message any more. One that is stored was not handled for that, and stays in the store.</summary>
    public void LetGo(in ReceivedMessage message)
    {
        message.Chunk.Release();
        if (IsAwaited(message))
        {
            Host.Complete([ToOutcome(message, IsStored(message) ? MessageOutcome.LeaveUnacknowledged : MessageOutcome.Acknowledge)]);
        }
    }

    /// <summary>
    /// After the end, unless a consumer is there and will do it: nobody here wants these messages any more. They are acknowledged, or stay in the store; when the client itself
    /// closes, the acknowledgement comes too late to leave, and the server keeps them for the next.
    /// </summary>
    public void LetGo()
    {
        while (!_keeps && TryConsume())
        {
            while (TryTake(out var message))
            {
                LetGo(message);
            }

            Interlocked.Exchange(ref _consumed, 0);

            // The receive loop may have appended after the last look and found the place taken.
            if (!Queue.HasMessages && _limited is not { HasMessages: true })
            {
                return;
            }
        }
    }

    /// <summary>This may be under the host's lock, and a logger is user code.</summary>
    private void ReportLost(TaskSchedulerException error) =>
        ThreadPool.UnsafeQueueUserWorkItem(static lost => lost.Feed.Host.ReportSchedulerFailure(lost.Feed, lost.Error), (Feed: this, Error: error), preferLocal: false);

    private void FinishClosing()
    {
        LetGo();
        Host.ReportDropped(this);
        try
        {
            _stopping.Cancel();
        }
        catch (AggregateException error)
        {
            // What users hang on the token is theirs; that it throws must not take the process along.
            Host.ReportStoppingFailure(TopicFilter.Text, error);
        }
    }

    /// <summary>An episode of dropping is reported when it begins, with what it cost so far, and when it is over, with the rest.</summary>
    private void NoteDropped(int dropped)
    {
        Drop(dropped);
        var isDropping = dropped > 0 || (IsDropping && _limited!.Count > _limited.Limit / 2);
        HasReport |= isDropping != IsDropping;
        IsDropping = isDropping;
    }
}
