using System.Threading.Channels;

namespace Nightjar.Testing.Tests.Storage;

/// <summary>What a store of a user may do wrong.</summary>
public enum Flaw
{
    None,
    CommitsWithinAppend,
    CommitsBeforeItKeeps,
    SkipsCommits,
    ReusesNumbers,
    KeepsTheMemory,
    LosesTheSecondPart,
    ForgetsTheLast,
    OpensTwice,
    DropsTooMuch,
    DropsTooEarly,
    StaysLocked,
    TwoEventsAtOnce,
}

/// <summary>The simplest store that keeps the contract, or all of it but one thing.</summary>
internal sealed class PlainSessionStore(Flaw flaw) : ISessionStore
{
    private readonly Lock _lock = new();
    private readonly Guid _id = Guid.NewGuid();
    private List<(long Sequence, byte Type, byte[] Payload)> _kept = [];
    private long _next = 1;
    private bool _isOpen;

    /// <summary>What a killed process leaves.</summary>
    public PlainSessionStore AfterKill()
    {
        lock (_lock)
        {
            return new PlainSessionStore(flaw) { _kept = [.. _kept], _next = _next };
        }
    }

    public ValueTask<ISessionLog> OpenAsync(ISessionRecovery recovery, ISessionLogEvents events, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            if (_isOpen && flaw != Flaw.OpensTwice)
            {
                throw new StorageException(StorageFailureKind.InUse, "Could not open the store: it is open.");
            }

            _isOpen = true;
        }

        _next = flaw == Flaw.ReusesNumbers ? (_kept.Count > 0 ? _kept[^1].Sequence + 1 : 1) : _next;
        var isRead = false;
        try
        {
            foreach (var (sequence, type, payload) in _kept)
            {
                recovery.Record(sequence, type, payload);
            }

            isRead = true;
        }
        finally
        {
            _isOpen = isRead || flaw == Flaw.StaysLocked;
        }

        return ValueTask.FromResult<ISessionLog>(new Log(this, events, flaw));
    }

    private sealed class Log : ISessionLog
    {
        private readonly PlainSessionStore _store;
        private readonly ISessionLogEvents _events;
        private readonly Flaw _flaw;
        private readonly Channel<Entry> _waiting = Channel.CreateUnbounded<Entry>();
        private readonly Task _writing;
        private long _last;
        private bool _isClosed;

        public Log(PlainSessionStore store, ISessionLogEvents events, Flaw flaw)
        {
            (_store, _events, _flaw) = (store, events, flaw);
            _writing = flaw == Flaw.TwoEventsAtOnce ? Task.WhenAll(Task.Run(WriteAsync), Task.Run(WriteAsync)) : Task.Run(WriteAsync);
        }

        public Guid StoreId => _store._id;

        public long Append(byte type, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second = default)
        {
            lock (_store._lock)
            {
                ObjectDisposedException.ThrowIf(_isClosed, this);
                byte[] payload = _flaw == Flaw.LosesTheSecondPart ? [.. first] : [.. first, .. second];
                if (_flaw == Flaw.KeepsTheMemory && payload.Length == 100)
                {
                    payload.AsSpan().Clear();
                }

                _last = _store._next++;
                _waiting.Writer.TryWrite(new Entry(_last, type, payload, Obsolete: 0));
            }

            if (_flaw == Flaw.CommitsWithinAppend)
            {
                _events.Committed(_last);
            }

            return _last;
        }

        public void Obsolete(long upTo)
        {
            lock (_store._lock)
            {
                if (_flaw == Flaw.DropsTooEarly)
                {
                    _store._kept = [.. _store._kept.Where(record => record.Sequence > upTo)];
                }

                // Behind what was appended by now.
                _waiting.Writer.TryWrite(new Entry(0, 0, [], _flaw == Flaw.DropsTooMuch ? upTo + 1 : upTo));
            }
        }

        public async ValueTask DisposeAsync()
        {
            lock (_store._lock)
            {
                _isClosed = true;
                _waiting.Writer.TryComplete();
            }

            await _writing;
            lock (_store._lock)
            {
                _store._isOpen = _flaw == Flaw.StaysLocked;
            }
        }

        private async Task WriteAsync()
        {
            await foreach (var entry in _waiting.Reader.ReadAllAsync())
            {
                if (_flaw == Flaw.CommitsBeforeItKeeps && entry.Sequence > 0)
                {
                    _events.Committed(entry.Sequence);
                    await Task.Yield();
                    Thread.SpinWait(2000);
                }

                lock (_store._lock)
                {
                    if (entry.Obsolete > 0)
                    {
                        _store._kept = [.. _store._kept.Where(record => record.Sequence > entry.Obsolete)];
                        continue;
                    }

                    if (_flaw != Flaw.ForgetsTheLast || !_isClosed || _waiting.Reader.Count > 0)
                    {
                        _store._kept.Add((entry.Sequence, entry.Type, entry.Payload));
                    }
                }

                if (_flaw is not (Flaw.CommitsBeforeItKeeps or Flaw.CommitsWithinAppend) && (_flaw != Flaw.SkipsCommits || !_isClosed))
                {
                    _events.Committed(entry.Sequence);
                }
            }
        }

        private sealed record Entry(long Sequence, byte Type, byte[] Payload, long Obsolete);
    }
}
