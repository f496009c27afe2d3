namespace Nightjar.Testing;

/// <summary>
/// What a <see cref="FaultyNetwork"/> does to the bytes of one direction, on all its connections. Everything may be changed while
/// connections are open, from any thread. Offsets count from the first byte of a connection in this direction.
/// </summary>
public sealed class NetworkDirection
{
    private readonly Lock _gate = new();
    private readonly TimeProvider _timeProvider;
    private readonly Random _random;
    private readonly SortedSet<long> _splits = [];
    private TaskCompletionSource? _stalled;
    private long? _cutAfter;
    private long _bytes;

    internal NetworkDirection(TimeProvider timeProvider, int seed)
    {
        _timeProvider = timeProvider;
        _random = new Random(seed);
    }

    /// <summary>How long each piece waits before it passes, by the network's clock. Default: zero.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>The most bytes that pass at once; 1 delivers every byte alone. Default: no limit.</summary>
    public int MaximumPiece { get; set; } = int.MaxValue;

    /// <summary>Makes pieces of random length, from 1 byte to <see cref="MaximumPiece"/>, the same for the same seed and traffic. Default: false.</summary>
    public bool RandomPieces { get; set; }

    /// <summary>How many bytes passed in this direction, over all connections.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Whether <see cref="Stall"/> holds bytes back.</summary>
    public bool IsStalled
    {
        get
        {
            lock (_gate)
            {
                return _stalled is not null;
            }
        }
    }

    /// <summary>Lets no byte through, and no end of the stream, until <see cref="Resume"/>; the connections stay open.</summary>
    public void Stall()
    {
        lock (_gate)
        {
            _stalled ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>Lets bytes through again.</summary>
    public void Resume()
    {
        lock (_gate)
        {
            _stalled?.TrySetResult();
            _stalled = null;
        }
    }

    /// <summary>On every connection, the byte at <paramref name="offset"/> starts a new piece. May be called for several offsets.</summary>
    public void SplitAt(long offset)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        lock (_gate)
        {
            _splits.Add(offset);
        }
    }

    /// <summary>
    /// Cuts the first connection on which this many bytes have passed: exactly these arrive, nothing behind them, and both ends then find the
    /// connection closed. It happens once; the connections after it are left alone until this is called again.
    /// </summary>
    public void CutAfter(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        lock (_gate)
        {
            _cutAfter = bytes;
        }
    }

    /// <summary>Waits for the delay, and for as long as the direction is stalled.</summary>
    internal async ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        if (Delay > TimeSpan.Zero)
        {
            await Task.Delay(Delay, _timeProvider, cancellationToken).ConfigureAwait(false);
        }

        while (true)
        {
            Task resumed;
            lock (_gate)
            {
                if (_stalled is null)
                {
                    return;
                }

                resumed = _stalled.Task;
            }

            await resumed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>How many of <paramref name="available"/> bytes may pass together; 0 if the connection must be cut instead.</summary>
    internal int NextPiece(long passed, int available)
    {
        lock (_gate)
        {
            var limit = Math.Max(MaximumPiece, 1);
            var piece = Math.Min(available, RandomPieces ? (int)_random.NextInt64(1, limit + 1L) : limit);
            foreach (var split in _splits.GetViewBetween(passed + 1, passed + piece))
            {
                piece = (int)(split - passed);
                break;
            }

            if (_cutAfter is not { } cut)
            {
                return piece;
            }

            if (passed >= cut)
            {
                _cutAfter = null;
                return 0;
            }

            return (int)Math.Min(piece, cut - passed);
        }
    }

    /// <summary>Counts a piece; true if the connection must be cut behind it.</summary>
    internal bool Pass(ref long passed, int piece)
    {
        passed += piece;
        Interlocked.Add(ref _bytes, piece);
        lock (_gate)
        {
            if (_cutAfter != passed)
            {
                return false;
            }

            _cutAfter = null;
            return true;
        }
    }
}
