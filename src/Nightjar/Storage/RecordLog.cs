using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace Nightjar.Storage;

/// <summary>
/// An append-only log of records in a directory of its own. Appending copies into memory and never waits; one writer takes what has gathered, writes it with one call and reports
/// how far the log is committed. When writing fails, it says so, keeps everything and tries again. The format is described in docs/session-log.md.
/// </summary>
/// <remarks>
/// Thread-safe. A lock is held while a record is copied, and never across I/O or a call to the owner. What runs for each write keeps its state in pooled objects: there may be thousands of writes a second.
/// </remarks>
internal sealed class RecordLog : ISessionLog, IValueTaskSource, IThreadPoolWorkItem
{
    private readonly Lock _lock = new();
    private readonly AppendBuffer _buffer;
    private readonly SegmentWriter _writer;
    private readonly FileSessionStoreOptions _options;
    private readonly ISessionLogEvents _events;
    private readonly ILogFiles _files;
    private readonly ILogFile _directoryLock;
    private readonly ITimer _timer;
    private readonly Task _running;
    private ManualResetValueTaskSourceCore<bool> _wake;
    private List<LogChunk> _batch = [];
    private long _obsolete;
    private long _obsoleteWithBatch;
    private long _deletable;
    private bool _deletesAgain;
    private bool _isFailing;
    private bool _isBlocked;
    private bool _isTimerSet;
    private bool _isTimerDue;
    private bool _isIdle;
    private bool _isClosing;

    private RecordLog(LogRecovery recovery, RecordKeys keys, ILogFiles files, FileSessionStoreOptions options, ISessionLogEvents events)
    {
        _options = options;
        _events = events;
        _files = files;
        StoreId = recovery.StoreId;
        _buffer = new AppendBuffer(keys.Header(), keys.NewCipher(), (int)options.SegmentSize, recovery.NextSegment);
        _writer = new SegmentWriter(files, options.Durability, recovery.Segments);
        _directoryLock = recovery.TakeLock();
        _timer = options.TimeProvider.CreateTimer(static state => ((RecordLog)state!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _running = RunAsync();
    }

    /// <summary>Random, chosen when the directory was first used.</summary>
    public Guid StoreId { get; }

    /// <summary>What was appended and is not committed yet, in bytes of memory. Nothing here bounds it: who appends has to.</summary>
    public long Pending
    {
        get
        {
            lock (_lock)
            {
                return _buffer.Pending;
            }
        }
    }

    /// <summary>How many files there are, how many bytes are in them and how many wait.</summary>
    public SessionLogStatistics Statistics => new(_writer.Segments, _writer.Bytes, Pending);

    /// <summary>Opens the log in a directory, which is made if it is not there, and hands out the records that lie in it.</summary>
    /// <exception cref="StorageException">The directory cannot be used; the message says why.</exception>
    public static async Task<RecordLog> OpenAsync(
        ILogFiles files, FileSessionStoreOptions options, ISessionRecovery records, ISessionLogEvents events, CancellationToken cancellationToken = default)
    {
        using var keys = new RecordKeys(options, files.Location);
        using var recovery = new LogRecovery(files, keys, records);
        try
        {
            await recovery.RunAsync(cancellationToken).ConfigureAwait(false);
            return new RecordLog(recovery, keys, files, options, events);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw StorageException.From("open the session store", files.Location, error);
        }
    }

    /// <summary>Hands out the records that lie in a directory, and changes nothing there.</summary>
    /// <exception cref="StorageException">It cannot be read; the message says why.</exception>
    public static async Task<SessionStoreInspection> ReadAsync(ILogFiles files, FileSessionStoreOptions options, ISessionRecovery records, CancellationToken cancellationToken)
    {
        using var keys = new RecordKeys(options, files.Location);
        using var recovery = new LogRecovery(files, keys, records, isReadOnly: true);
        try
        {
            await recovery.RunAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw StorageException.From("read the session store", files.Location, error);
        }

        return new SessionStoreInspection(recovery.StoreId, recovery.Segments.Count, recovery.Segments.Sum(segment => segment.Length), recovery.IsEncrypted);
    }

    /// <inheritdoc/>
    public long Append(byte type, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second = default)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)first.Length + second.Length, RecordFrame.MaximumPayload, nameof(first));
        long sequence;
        bool wakes;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isClosing, this);
            sequence = _buffer.Append(type, first, second);
            wakes = TakeIdle();
        }

        Wake(wakes);
        return sequence;
    }

    /// <inheritdoc/>
    public void Obsolete(long upTo)
    {
        bool wakes;
        lock (_lock)
        {
            upTo = Math.Min(upTo, _buffer.Last);
            if (upTo <= _obsolete)
            {
                return;
            }

            _obsolete = upTo;
            wakes = TakeIdle();
        }

        Wake(wakes);
    }

    /// <summary>
    /// Writes what is left, to the disk unless the durability is <see cref="Durability.System"/>, and lets go of the directory. If that fails, the owner is told; the log does not try again.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        bool wakes;
        lock (_lock)
        {
            _isClosing = true;
            wakes = TakeIdle();
        }

        Wake(wakes);
        await _running.ConfigureAwait(false);
    }

    void IThreadPoolWorkItem.Execute() => _wake.SetResult(true);

    void IValueTaskSource.GetResult(short token) => _wake.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _wake.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wake.OnCompleted(continuation, state, token, flags);

    /// <summary>Under the lock: whether the caller has to wake the writer, after the lock.</summary>
    private bool TakeIdle()
    {
        var wakes = _isIdle && IsDue;
        _isIdle &= !wakes;
        return wakes;
    }

    private void Wake(bool wakes)
    {
        if (wakes)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    // What could not be written or deleted waits for the timer.
    private bool IsDue => _isClosing || _isTimerDue || (!_isBlocked && (!_buffer.IsEmpty || (!_deletesAgain && _obsolete >= _writer.FirstEnd)));

    private void OnTimer()
    {
        bool wakes;
        lock (_lock)
        {
            _isTimerDue = true;
            wakes = TakeIdle();
        }

        Wake(wakes);
    }

    private async Task RunAsync()
    {
        while (true)
        {
            bool waits;
            lock (_lock)
            {
                waits = _isIdle = !IsDue;
            }

            if (waits)
            {
                await new ValueTask(this, _wake.Version).ConfigureAwait(false);
                _wake.Reset();
                continue;
            }

            if (await StepAsync().ConfigureAwait(false))
            {
                break;
            }
        }

        await _timer.DisposeAsync().ConfigureAwait(false);
        _writer.Dispose();
        _buffer.Dispose();
        _directoryLock.Dispose();
    }

    /// <summary>Does all that is due; true if that was the last time.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> StepAsync()
    {
        bool isTimerDue;
        bool isClosing;
        bool isAll;
        lock (_lock)
        {
            isTimerDue = _isTimerDue;
            _isTimerSet &= !isTimerDue;
            _isTimerDue = false;
            isClosing = _isClosing;
            if (_batch.Count == 0)
            {
                // What takes the place of obsolete records was appended before somebody said that they are: so it is in this batch at the latest.
                _batch = _buffer.TakeAll(_batch);
                _obsoleteWithBatch = _obsolete;
            }

            isAll = _buffer.IsEmpty;
        }

        // Each has its own failure: what cannot be deleted is no reason not to write.
        var writing = await WriteAsync(flushes: isTimerDue, isClosing).ConfigureAwait(false);
        _deletable = writing is null ? _obsoleteWithBatch : _deletable;
        var deleting = await DeleteAsync(isTimerDue).ConfigureAwait(false);
        Report(writing, deleting);
        return isClosing && (isAll || writing is not null);
    }

    private async ValueTask<Exception?> DeleteAsync(bool isTimerDue)
    {
        if (_deletable < _writer.FirstEnd || (_deletesAgain && !isTimerDue))
        {
            return null;
        }

        var failure = default(Exception);
        try
        {
            await _writer.DeleteAsync(_deletable).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            failure = error;
        }

        lock (_lock)
        {
            _deletesAgain = failure is not null;
        }

        return failure;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Exception?> WriteAsync(bool flushes, bool isClosing)
    {
        try
        {
            while (_batch.Count > 0)
            {
                await WriteSegmentAsync().ConfigureAwait(false);
            }

            if (_options.Durability == Durability.Grouped && _writer.IsUnflushed)
            {
                if (isClosing || (flushes && _isFailing))
                {
                    await _writer.FlushAsync().ConfigureAwait(false);
                }
                else if (flushes)
                {
                    await _writer.BeginFlushAsync().ConfigureAwait(false);
                }

                if (_writer.IsUnflushed)
                {
                    SetTimer(_options.FlushInterval);
                }
            }

            return null;
        }
        catch (Exception error)
        {
            // Whatever it was, the records are still there, and the next attempt writes them to the same place.
            return error;
        }
    }

    private void Report(Exception? writing, Exception? deleting)
    {
        lock (_lock)
        {
            _isBlocked = writing is not null;
        }

        if (writing is not null || deleting is not null)
        {
            _isFailing = true;
            SetTimer(_options.RetryInterval);
            _events.Failed(writing is not null
                ? StorageException.From("write to the session store", _files.Location, writing)
                : StorageException.From("delete what is obsolete from the session store", _files.Location, deleting!, isWriting: true));
        }
        else if (_isFailing && !_deletesAgain)
        {
            _isFailing = false;
            _events.WentOn();
        }
    }

    /// <summary>The first chunks of the batch, as far as they are of one segment.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WriteSegmentAsync()
    {
        var count = 1;
        while (count < _batch.Count && _batch[count].Segment == _batch[0].Segment)
        {
            count++;
        }

        var last = _batch[count - 1].LastSequence;
        await _writer.WriteAsync(_batch, count).ConfigureAwait(false);
        if (_options.Durability == Durability.EveryMessage)
        {
            // If this fails the chunks are written again too: after a failed fsync the system may have forgotten them, and would confirm the next one.
            await _writer.FlushAsync().ConfigureAwait(false);
        }

        lock (_lock)
        {
            for (var i = 0; i < count; i++)
            {
                _buffer.Release(_batch[i]);
            }
        }

        _batch.RemoveRange(0, count);
        _events.Committed(last);
    }

    private void SetTimer(TimeSpan due)
    {
        lock (_lock)
        {
            if (_isTimerSet)
            {
                return;
            }

            _isTimerSet = true;
        }

        _timer.Change(due, Timeout.InfiniteTimeSpan);
    }
}
