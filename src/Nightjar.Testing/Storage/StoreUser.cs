namespace Nightjar.Testing;

/// <summary>Opens a store as a client does, and complains of every call that should not have come.</summary>
internal sealed class StoreUser(StoreTrial trial, bool wasKilled = false) : ISessionRecovery, ISessionLogEvents, IAsyncDisposable
{
    [ThreadStatic]
    private static int _callsIntoLog;

    // What a busy machine needs to let a second thread go on; a store that keeps the rule waits so long, once.
    private static readonly TimeSpan Lingering = TimeSpan.FromMilliseconds(250);

    private readonly Lock _lock = new();
    private readonly List<StoredRecord> _recovered = [];
    private readonly List<long> _commits = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ISessionLog? _log;
    private bool _isOpening = true;
    private bool _isClosed;
    private int _inside;
    private int _lingers;

    public ISessionLog Log => _log!;

    /// <summary>Called for each commit, as a client that appends from there.</summary>
    public Action<long>? OnCommitted { get; set; }

    /// <summary>The next event stays until another one comes, or for a while.</summary>
    public void Linger() => Volatile.Write(ref _lingers, 1);

    public IReadOnlyList<StoredRecord> Recovered => _recovered;

    public IReadOnlyList<long> Commits
    {
        get
        {
            lock (_lock)
            {
                return [.. _commits];
            }
        }
    }

    public long LastCommitted => Commits is [.., var last] ? last : 0;

    public async Task OpenAsync(ISessionStore store)
    {
        _log = await store.OpenAsync(this, this).ConfigureAwait(false);
        _isOpening = false;
        StoreTrial.Require(_log is not null, "OpenAsync gave null");
    }

    public long Append(byte type, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second = default)
    {
        _callsIntoLog++;
        try
        {
            return Log.Append(type, first, second);
        }
        finally
        {
            _callsIntoLog--;
        }
    }

    public void Obsolete(long upTo)
    {
        _callsIntoLog++;
        try
        {
            Log.Obsolete(upTo);
        }
        finally
        {
            _callsIntoLog--;
        }
    }

    /// <summary>Completes when the store has said by itself that the record is committed.</summary>
    public async Task CommittedAsync(long sequence)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (_commits.Count > 0 && _commits[^1] >= sequence)
                {
                    return;
                }

                changed = _changed.Task;
            }

            try
            {
                await changed.WaitAsync(TimeSpan.FromSeconds(10)).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                throw new RuleBrokenException($"record {sequence} was appended and not reported as committed in 10 s; the last that was is {LastCommitted}");
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_log is not null)
        {
            await _log.DisposeAsync().ConfigureAwait(false);
            _isClosed = true;
        }
    }

    public void Record(long sequence, byte type, ReadOnlySpan<byte> payload)
    {
        Complain(!_isOpening, "a record was handed out after the opening");
        Complain(sequence <= (_recovered is [.., var last] ? last.Sequence : 0), "records were handed out in another order than that of their numbers");
        _recovered.Add(new StoredRecord(sequence, type, payload.ToArray()));
    }

    // A process that is killed leaves a record that it had begun to write.
    public void Damage(in DamagedRecords stretch) => Complain(!wasKilled || stretch.Reason != DamageReason.Torn, $"damage was reported, and nobody did any ({stretch})");

    public void Committed(long sequence) => Enter("Committed", () =>
    {
        lock (_lock)
        {
            Complain(_commits.Count > 0 && sequence <= _commits[^1], $"Committed({sequence}) came after Committed({(_commits.Count > 0 ? _commits[^1] : 0)})");
            _commits.Add(sequence);
            _changed.TrySetResult();
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        OnCommitted?.Invoke(sequence);
    });

    public void Failed(StorageException failure) => Enter("Failed", () => trial.Complain($"it failed: {failure.Message}"));

    public void WentOn() => Enter("WentOn", () => { });

    private void Enter(string call, Action action)
    {
        Complain(_callsIntoLog > 0, $"{call} was called from within Append or Obsolete");
        Complain(_isClosed, $"{call} was called after the log was disposed");
        Complain(Interlocked.Increment(ref _inside) > 1, $"{call} was called while another event was");

        if (Interlocked.Exchange(ref _lingers, 0) == 1)
        {
            SpinWait.SpinUntil(() => Volatile.Read(ref _inside) > 1, Lingering);
        }

        // Long enough for a second one to show, if there may be one.
        Thread.SpinWait(500);
        try
        {
            action();
        }
        finally
        {
            Interlocked.Decrement(ref _inside);
        }
    }

    private void Complain(bool condition, string what)
    {
        if (condition)
        {
            trial.Complain(what);
        }
    }
}
