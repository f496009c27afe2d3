using System.Diagnostics.CodeAnalysis;
using Nightjar.Protocol.Journal;
using Nightjar.Subscriptions;

namespace Nightjar.Connection;

/// <summary>
/// The session's store, from its opening to its end: opened at the first use, once; what is called before it is open is called then, in its order. Brings commits to the engine, and keeps what is
/// known of the store's troubles.
/// </summary>
/// <remarks>Its lock is held for a few fields, never across I/O, user code or the gate.</remarks>
[SuppressMessage("Design", "CA1001", Justification = "Close disposes of the log; a source without a timer holds nothing.")]
internal sealed class DurableSession(EngineHost host, ISessionStore store) : ISessionLogEvents, IRecordAppender
{
    private readonly Lock _lock = new();
    private readonly Queue<WaitingCall> _waiting = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private State _state;
    private volatile bool _isReady;
    private volatile ISessionLog? _log;
    private bool _ended;

    private enum State
    {
        NotOpened,
        Opening,
        Open,
        Closed,
    }

    /// <summary>The store is open and nobody waits for a turn; or the client is closed, and every call hears that for itself.</summary>
    public bool IsReady => _isReady;

    public CommitMark Commits { get; } = new();

    /// <summary>Ends when the store is let go of.</summary>
    public Task Closed => _closed.Task;

    /// <summary>The store's trouble, and since when; null: there is none. Under the gate.</summary>
    public (StorageException Error, DateTimeOffset Since)? Failing { get; private set; }

    /// <summary>For people; under the gate.</summary>
    public StorageStatus Status
    {
        get
        {
            var log = _ended ? null : _log;
            var statistics = log?.Statistics ?? default;
            return new StorageStatus
            {
                IsOpen = log is not null,
                StoreId = log?.StoreId,
                Error = Failing?.Error,
                FailingSince = Failing?.Since,
                PendingBytes = statistics.Pending,
                Bytes = statistics.Bytes,
                Segments = statistics.Segments,
            };
        }
    }

    /// <summary>Opens the store if nobody has begun to; nobody waits for it.</summary>
    public void Begin()
    {
        if (!_isReady)
        {
            lock (_lock)
            {
                BeginOpening();
            }
        }
    }

    /// <summary>Makes a call once the store is open, behind the calls that came before it. The call begins what it does before it returns, and does not block.</summary>
    public Task<T> InTurn<T>(Func<ValueTask<T>> call, CancellationToken cancellationToken)
    {
        var waiting = new WaitingCall<T>(call, cancellationToken);
        lock (_lock)
        {
            if (_state is State.NotOpened or State.Opening || (_state == State.Open && !_isReady))
            {
                BeginOpening();
                _waiting.Enqueue(waiting);
                return waiting.Result;
            }
        }

        waiting.Run(failure: null);
        return waiting.Result;
    }

    /// <summary>Waits for an opening that is under way, and for what was called before; not longer than it may take. Never throws.</summary>
    public async Task WhenSettledAsync(TimeSpan atMost)
    {
        lock (_lock)
        {
            if (_state != State.Opening && (_state != State.Open || _isReady))
            {
                return;
            }
        }

        var turn = InTurn(static () => ValueTask.FromResult(true), CancellationToken.None);
        try
        {
            await turn.WaitAsync(atMost, host.Options.TimeProvider).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // It could not be opened, which those who asked for it hear; or it takes too long.
        }
    }

    /// <summary>Called under the gate when the engine is closed: nothing is appended from here on.</summary>
    public void End() => _ended = true;

    /// <summary>The client is closed: writes what is left and lets go of the store. Not under a lock; waits for nothing.</summary>
    public void Close()
    {
        State before;
        lock (_lock)
        {
            before = _state;
            _state = State.Closed;
        }

        switch (before)
        {
            case State.NotOpened:
                _closed.TrySetResult();
                break;
            case State.Opening:
                // Whoever opens it sees that nobody wants it any more. What is registered with the token is the store's code.
                _ = Task.Run(StopAsync);
                break;
            case State.Open:
                _ = Task.Run(CloseLogAsync);
                break;
        }

        _isReady = true;
        MakeCalls();
    }

    long IRecordAppender.Append(byte type, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        // What a handler reports after the end is not recorded: its message comes again.
        return _ended ? long.MaxValue : _log!.Append(type, first, second);
    }

    void IRecordAppender.Obsolete(long upTo)
    {
        if (!_ended)
        {
            _log!.Obsolete(upTo);
        }
    }

    void ISessionLogEvents.Committed(long sequence)
    {
        Commits.Advance(sequence);
        host.Committed(sequence);
    }

    void ISessionLogEvents.Failed(StorageException failure)
    {
        if (_log is not null)
        {
            host.StoreFailed(this, failure);
        }
    }

    void ISessionLogEvents.WentOn()
    {
        if (_log is not null)
        {
            host.StoreWentOn(this);
        }
    }

    /// <summary>Under the gate. True: an episode begins.</summary>
    public bool NoteFailure(StorageException failure, DateTimeOffset now)
    {
        var begins = Failing is null;
        Failing = (failure, Failing?.Since ?? now);
        return begins;
    }

    /// <summary>Under the gate. True: an episode is over.</summary>
    public bool NoteRecovery()
    {
        var ends = Failing is not null;
        Failing = null;
        return ends;
    }

    private void BeginOpening()
    {
        if (_state == State.NotOpened)
        {
            _state = State.Opening;
            _ = Task.Run(OpenAsync);
        }
    }

    private async Task OpenAsync()
    {
        ISessionLog? log = null;
        try
        {
            var recovery = new SessionRecovery();
            log = await store.OpenAsync(recovery, this, _stopping.Token).ConfigureAwait(false);
            Commits.Advance(recovery.Last);
            _log = log;
            host.Restore(recovery, this);
        }
        catch (Exception error)
        {
            _log = null;
            await LetGoAsync(log).ConfigureAwait(false);
            HandleFailure(error);
            return;
        }

        lock (_lock)
        {
            if (_state == State.Opening)
            {
                _state = State.Open;
                log = null;
            }
        }

        if (log is not null)
        {
            // The client was closed meanwhile.
            await CloseLogAsync().ConfigureAwait(false);
            return;
        }

        MakeCalls();
    }

    /// <summary>Makes the calls that waited; those that come meanwhile are behind them, and from the last on nobody waits any more.</summary>
    private void MakeCalls()
    {
        while (true)
        {
            WaitingCall? call;
            lock (_lock)
            {
                if (!_waiting.TryDequeue(out call))
                {
                    _isReady = true;
                    return;
                }
            }

            call.Run(failure: null);
        }
    }

    /// <summary>All who wait hear it; a later call tries again.</summary>
    private void HandleFailure(Exception error)
    {
        List<WaitingCall> calls;
        bool isClosed;
        lock (_lock)
        {
            isClosed = _state == State.Closed;
            _state = isClosed ? State.Closed : State.NotOpened;
            calls = [.. _waiting];
            _waiting.Clear();
        }

        if (isClosed)
        {
            _closed.TrySetResult();
            return;
        }

        var failure = error as StorageException ?? new StorageException(StorageFailureKind.Other, $"Could not open the session store ({store}): {error.Message}", path: null, error);
        host.OpeningFailed(this, failure);
        calls.ForEach(call => call.Run(failure));
    }

    private async Task StopAsync()
    {
        try
        {
            await _stopping.CancelAsync().ConfigureAwait(false);
        }
        catch (Exception error)
        {
            host.ReportStoreFailure(error);
        }
    }

    private async Task CloseLogAsync()
    {
        await LetGoAsync(_log).ConfigureAwait(false);
        _closed.TrySetResult();
    }

    /// <summary>A store of the application's throws what it likes.</summary>
    private async Task LetGoAsync(ISessionLog? log)
    {
        try
        {
            if (log is not null)
            {
                await log.DisposeAsync().ConfigureAwait(false);
            }
        }
        catch (Exception error)
        {
            host.ReportStoreFailure(error);
        }
    }
}
