using System.Threading.Tasks.Sources;

namespace Nightjar.Subscriptions;

/// <summary>
/// From the receive loop to one consumer, without locks: the loop appends, and publishes once per chunk what it appended; the consumer takes in order and sleeps when there is
/// nothing. One writer and one reader at a time.
/// </summary>
internal sealed class MessageQueue : IValueTaskSource<bool>, IThreadPoolWorkItem
{
    private readonly Action<TaskSchedulerException>? _onLost;
    private volatile CommitMark? _commits;
    private MessageSegment _writing;
    private MessageSegment _publishing;
    private MessageSegment _reading;
    private int _read;
    private int _appended;
    private int _sleeping;
    private bool _readsElsewhere;
    private volatile bool _woken;
    private volatile bool _completed;
    private ManualResetValueTaskSourceCore<bool> _wake = new() { RunContinuationsAsynchronously = true };

    /// <summary>Whether there is something to take; exact for the reader only.</summary>
    public bool HasMessages => _read < Volatile.Read(ref _reading.Published)
        ? IsToBeSeen(_reading.Messages[_read])
        : _read == MessageSegment.Size && Following is { } next && IsToBeSeen(next.Messages[0]);

    /// <summary>The next segment, once something in it is published: the writer needs the link to it until then.</summary>
    private MessageSegment? Following => Volatile.Read(ref _reading.Next) is { } next && Volatile.Read(ref next.Published) > 0 ? next : null;

    /// <param name="onLost">Hears of it when the reader's own task scheduler refuses to wake it, which then sleeps for good.</param>
    /// <param name="commits">How far the log is committed; the reader sees nothing beyond it. Null: there is no log.</param>
    public MessageQueue(Action<TaskSchedulerException>? onLost = null, CommitMark? commits = null)
    {
        _onLost = onLost;
        _commits = commits;
        _writing = _publishing = _reading = MessageSegment.Rent();
    }

    /// <summary>Appends; the reader does not see it before <see cref="Publish"/>.</summary>
    public void Append(in ReceivedMessage message)
    {
        if (_appended == MessageSegment.Size)
        {
            var next = MessageSegment.Rent();
            Volatile.Write(ref _writing.Next, next);
            _writing = next;
            _appended = 0;
        }

        _writing.Messages[_appended++] = message;
    }

    /// <summary>Shows the reader what was appended, and wakes it.</summary>
    public void Publish()
    {
        while (_publishing != _writing)
        {
            // The reader may be through with a segment, and give it back, as soon as it sees something in the next.
            var full = _publishing;
            _publishing = full.Next!;
            Volatile.Write(ref full.Published, MessageSegment.Size);
        }

        Volatile.Write(ref _writing.Published, _appended);
        WakeSleeping();
    }

    /// <summary>Nothing more will come.</summary>
    public void Complete()
    {
        _completed = true;
        WakeSleeping();
    }

    /// <summary>From here on the reader sees what is not committed too: it is only to be let go of.</summary>
    public void ShowAll() => _commits = null;

    /// <summary>Takes the oldest.</summary>
    public bool TryTake(out ReceivedMessage message)
    {
        while (true)
        {
            if (_read < Volatile.Read(ref _reading.Published))
            {
                ref var place = ref _reading.Messages[_read];
                if (!IsToBeSeen(place))
                {
                    message = default;
                    return false;
                }

                _read++;
                message = place;
                place = default;
                return true;
            }

            if (_read < MessageSegment.Size || Following is not { } next)
            {
                message = default;
                return false;
            }

            var done = _reading;
            _reading = next;
            _read = 0;
            MessageSegment.Return(done);
        }
    }

    /// <summary>Ends when there may be something to take (true) or nothing will come any more (false).</summary>
    public ValueTask<bool> WaitAsync()
    {
        _wake.Reset();
        _readsElsewhere = SynchronizationContext.Current is not null || TaskScheduler.Current != TaskScheduler.Default;
        Interlocked.Exchange(ref _sleeping, 1);
        if (HasNews && Interlocked.Exchange(ref _sleeping, 0) == 1)
        {
            _woken = false;
            return new ValueTask<bool>(HasMessages || !_completed);
        }

        return new ValueTask<bool>(this, _wake.Version);
    }

    void IThreadPoolWorkItem.Execute() => Signal();

    bool IValueTaskSource<bool>.GetResult(short token) => _wake.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _wake.GetStatus(token);

    void IValueTaskSource<bool>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wake.OnCompleted(continuation, state, token, flags);

    /// <summary>More is committed: wakes the reader if that shows it something.</summary>
    public void Recheck() => WakeSleeping();

    /// <summary>Wakes the reader without a message: to look at something else. A reader that is awake does not sleep the next time.</summary>
    public void Wake()
    {
        _woken = true;
        WakeSleeping();
    }

    private bool HasNews => HasMessages || _completed || _woken;

    private bool IsToBeSeen(in ReceivedMessage message) => _commits is not { } commits || message.DeliveryId <= commits.Committed;

    /// <summary>Wakes the reader if it sleeps and there is something for it: a message that is not committed yet is nothing.</summary>
    private void WakeSleeping()
    {
        while (Interlocked.Exchange(ref _sleeping, 0) == 1)
        {
            if (HasNews)
            {
                EndSleep();
                return;
            }

            // Whoever brought news meanwhile found the reader awake, so it is for us to look again.
            Interlocked.Exchange(ref _sleeping, 1);
            if (!HasNews)
            {
                return;
            }
        }
    }

    private void EndSleep()
    {
        if (_readsElsewhere)
        {
            // A scheduler of the application's is its code, and whoever wakes may hold a lock.
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
        else
        {
            Signal();
        }
    }

    private void Signal()
    {
        try
        {
            _wake.SetResult(HasMessages || !_completed);
        }
        catch (TaskSchedulerException error)
        {
            // Whoever brings a message, or closes the client, is not to pay for it.
            _onLost?.Invoke(error);
        }
    }
}
