namespace Nightjar.Connection;

/// <summary>
/// Where the receive loop reads into: one chunk, with what was read and not parsed yet. When the rest of a packet does not fit, or messages still lie in the chunk, it moves on to another.
/// </summary>
internal sealed class ReceiveBuffer(ReceiveBudget budget) : IDisposable
{
    /// <summary>An idle connection holds a small chunk; one that fills its chunks gets larger ones, up to this.</summary>
    public const int LargestChunk = 64 * 1024;
    private const int SmallestChunk = 4 * 1024;

    private int _chunkSize = SmallestChunk;
    private int _end;

    public ReceiveChunk Chunk { get; private set; } = budget.Rent(SmallestChunk);

    /// <summary>Where in the chunk the unparsed bytes begin.</summary>
    public int Start { get; private set; }

    public Memory<byte> Free => Chunk.Bytes.AsMemory(_end);

    public ReadOnlySpan<byte> Unparsed => Chunk.Bytes.AsSpan(Start, _end - Start);

    /// <summary>Bytes came in.</summary>
    public void Read(int count) => _end += count;

    /// <summary>Bytes were parsed.</summary>
    public void Consume(int count) => Start += count;

    public void ConsumeAll() => Start = _end;

    /// <summary>Sees to it that the next read has room, for the rest of a packet that was cut too.</summary>
    /// <param name="needed">The size of that packet; 0 if it is not known.</param>
    public void MakeRoom(int needed)
    {
        var rest = _end - Start;
        if (_end == Chunk.Bytes.Length)
        {
            _chunkSize = Math.Min(_chunkSize * 4, LargestChunk);
        }

        if (rest == 0 && Chunk.IsUnshared)
        {
            Start = _end = 0;
            Chunk.Settle();
            if (Chunk.Bytes.Length < _chunkSize)
            {
                Replace(_chunkSize);
            }

            return;
        }

        needed = Math.Max(needed, rest + 1);
        if (Chunk.Bytes.Length - _end >= Chunk.Bytes.Length / 4 && (Start == 0 || Start + needed <= Chunk.Bytes.Length))
        {
            return;
        }

        if (Chunk.IsUnshared && needed <= Chunk.Bytes.Length)
        {
            Chunk.Settle();
            Chunk.Bytes.AsSpan(Start, rest).CopyTo(Chunk.Bytes);
            Start = 0;
            _end = rest;
            return;
        }

        MoveOn(needed);
    }

    /// <summary>Before a pause: the messages of this chunk would make no room when they are done, as long as the loop has its share in it.</summary>
    public void Leave()
    {
        if (Chunk.IsUnshared)
        {
            Chunk.Settle();
        }
        else
        {
            MoveOn(_end - Start + 1);
        }
    }

    /// <summary>Gives the chunk up for as long as there is nothing to read. False: the beginning of a packet lies in it.</summary>
    public bool TryRest()
    {
        if (Start != _end)
        {
            return false;
        }

        Chunk.LetGo();
        budget.Trim(0);
        _chunkSize = SmallestChunk;
        Chunk = ReceiveChunk.None;
        Start = _end = 0;
        return true;
    }

    /// <summary>There is something to read again.</summary>
    public void Wake() => Chunk = budget.Rent(_chunkSize);

    public void Dispose()
    {
        if (Chunk != ReceiveChunk.None)
        {
            Chunk.LetGo();
        }
    }

    /// <summary>To another chunk. A declared length is believed step by step, as its bytes arrive.</summary>
    private void MoveOn(int needed) => Replace(Math.Max(_chunkSize, Math.Min(needed, (_end - Start) * 2)));

    private void Replace(int size)
    {
        var next = budget.Rent(size);
        Unparsed.CopyTo(next.Bytes);
        Chunk.LetGo();
        Chunk = next;
        _end -= Start;
        Start = 0;
    }
}
