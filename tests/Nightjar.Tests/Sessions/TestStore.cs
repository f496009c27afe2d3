namespace Nightjar.Tests.Sessions;

/// <summary>A store in memory whose opening the test holds back or lets fail, and whose commits it holds back.</summary>
internal sealed class TestStore(ISessionStore? inner = null) : ISessionStore
{
    private readonly ISessionStore _inner = inner ?? new MemorySessionStore();
    private TaskCompletionSource? _held;
    private Log? _log;
    private Exception? _failure;

    /// <summary>How often somebody began to open it.</summary>
    public int Openings { get; private set; }

    /// <summary>Whether a log is open.</summary>
    public bool IsOpen => _log is { IsClosed: false };

    /// <summary>The next opening waits for <see cref="LetOpen"/>, or for the end of its caller.</summary>
    public void HoldOpening() => _held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void LetOpen() => _held!.TrySetResult();

    /// <summary>Openings fail with this; null: no longer.</summary>
    public void FailOpening(Exception? failure) => _failure = failure;

    /// <summary>What is appended from here on is not reported as committed.</summary>
    public void HoldCommits() => _log!.Hold();

    /// <summary>What was committed meanwhile is reported, and all that comes.</summary>
    public void LetCommit() => _log!.LetGo();

    /// <summary>As a full disk says it.</summary>
    public void Fail() => _log!.Events.Failed(new StorageException(StorageFailureKind.DiskFull, "Could not write: the disk is full. Make room."));

    /// <summary>What is obsolete cannot be deleted; records are written.</summary>
    public void FailToDelete() => _log!.Events.Failed(new StorageException(StorageFailureKind.Denied, "Could not delete.") { IsWriting = true });

    public void GoOn() => _log!.Events.WentOn();

    public async ValueTask<ISessionLog> OpenAsync(ISessionRecovery recovery, ISessionLogEvents events, CancellationToken cancellationToken = default)
    {
        Openings++;
        if (_held is { } held)
        {
            await held.Task.WaitAsync(cancellationToken);
        }

        if (_failure is { } failure)
        {
            throw failure;
        }

        var log = new Log(events);
        await log.OpenAsync(_inner, recovery, cancellationToken);
        _log = log;
        return log;
    }

    private sealed class Log(ISessionLogEvents events) : ISessionLog, ISessionLogEvents
    {
        private readonly Lock _lock = new();
        private ISessionLog _log = null!;
        private bool _holds;
        private long _committed;
        private long _reported;

        public bool IsClosed { get; private set; }

        public ISessionLogEvents Events => events;

        public Guid StoreId => _log.StoreId;

        public async Task OpenAsync(ISessionStore store, ISessionRecovery recovery, CancellationToken cancellationToken) =>
            _log = await store.OpenAsync(recovery, this, cancellationToken);

        public long Append(byte type, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second = default) => _log.Append(type, first, second);

        public void Obsolete(long upTo) => _log.Obsolete(upTo);

        public void Hold()
        {
            lock (_lock)
            {
                _holds = true;
            }
        }

        public void LetGo()
        {
            long committed;
            lock (_lock)
            {
                _holds = false;
                committed = _committed;
                if (committed <= _reported)
                {
                    return;
                }

                _reported = committed;
            }

            events.Committed(committed);
        }

        public void Committed(long sequence)
        {
            lock (_lock)
            {
                _committed = sequence;
                if (_holds)
                {
                    return;
                }

                _reported = sequence;
            }

            events.Committed(sequence);
        }

        public void Failed(StorageException failure) => events.Failed(failure);

        public void WentOn() => events.WentOn();

        public async ValueTask DisposeAsync()
        {
            await _log.DisposeAsync();
            IsClosed = true;
        }
    }
}
