namespace Nightjar.Connection;

/// <summary>
/// How many bytes received messages hold while they wait for their handlers. When the limit is reached the receive loop pauses, and the server feels it through TCP.
/// </summary>
/// <remarks>
/// Well before that, at <see cref="ReadAhead"/>, the loop takes a breath and lets the handlers catch up: what they find is still in the processor's cache, and in a
/// flood the same few chunks go round. The chunk that the loop reads into does not count, for it is there when no message waits, too. Chunks are kept until the loop finds nothing to read (<see cref="Trim"/>), so that an idle client holds next to nothing.
/// </remarks>
internal sealed class ReceiveBudget(long limit)
{
    /// <summary>How many chunks stay when there is nothing to read for a moment.</summary>
    public const int KeptWhenQuiet = 2;

    // A few large chunks, and the queue entries of the smallest messages in them: a second-level cache.
    private const long LargestReadAhead = 1024 * 1024;

    private readonly Stack<ReceiveChunk> _spares = new();
    private readonly List<RoomWait> _waits = [];
    private readonly Lock _lock = new();
    private long _held;
    private long _roomBelow;

    /// <summary>Where the loop takes a breath.</summary>
    public long ReadAhead { get; } = Math.Min(limit, LargestReadAhead);

    /// <summary>From here on a message no longer keeps the whole chunk that it came in: it is copied into a block of its size.</summary>
    public long CopyFrom { get; } = limit / 4;

    /// <summary>Bytes held now.</summary>
    public long Held => Volatile.Read(ref _held);

    public bool IsExhausted => Held >= limit;

    /// <summary>
    /// What asks for an acknowledgement is never dropped, and reading on past the limit brings more of it; at twice the limit nothing more is read.
    /// </summary>
    public bool IsOverdrawn => Held >= limit * 2;

    public ReceiveChunk Rent(int size)
    {
        ReceiveChunk? chunk;
        lock (_lock)
        {
            _spares.TryPop(out chunk);
        }

        if (chunk is null || chunk.Bytes.Length < size)
        {
            chunk?.Discard();
            chunk = new ReceiveChunk(this, size);
        }

        return chunk;
    }

    public void Charge(int bytes) => Interlocked.Add(ref _held, bytes);

    /// <summary>Nobody needs the chunk any more.</summary>
    public void Return(ReceiveChunk chunk, int charged)
    {
        if (!chunk.IsBlock && chunk.Bytes.Length <= ReceiveBuffer.LargestChunk)
        {
            lock (_lock)
            {
                _spares.Push(chunk);
            }
        }
        else
        {
            chunk.Discard();
        }

        if (Interlocked.Add(ref _held, -charged) < Volatile.Read(ref _roomBelow))
        {
            EndWaits();
        }
    }

    /// <summary>The flood is over.</summary>
    public void Trim(int kept)
    {
        if (_spares.Count <= kept)
        {
            return;
        }

        lock (_lock)
        {
            while (_spares.Count > kept)
            {
                _spares.Pop().Discard();
            }
        }
    }

    /// <summary>Somebody waits; two do when a connection follows another, whose loop is not through yet.</summary>
    public void Add(RoomWait wait)
    {
        lock (_lock)
        {
            _waits.Add(wait);
            SetRoomBelow();
        }
    }

    public void Remove(RoomWait wait)
    {
        lock (_lock)
        {
            _waits.Remove(wait);
            SetRoomBelow();
        }
    }

    private void EndWaits()
    {
        lock (_lock)
        {
            // Backwards: one that ends leaves the list.
            for (var i = _waits.Count - 1; i >= 0; i--)
            {
                _waits[i].Look();
            }
        }
    }

    private void SetRoomBelow()
    {
        long below = 0;
        foreach (var wait in _waits)
        {
            below = Math.Max(below, wait.Below);
        }

        // Whoever returns a chunk either sees this, or was counted before the wait looks at what is held.
        Interlocked.Exchange(ref _roomBelow, below);
    }
}
