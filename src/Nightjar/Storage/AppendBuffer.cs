namespace Nightjar.Storage;

/// <summary>
/// Where records wait for the writer. It decides the place of each in the files, so that writing can be done over, and gives out the sequence numbers. Not thread-safe.
/// </summary>
internal sealed class AppendBuffer(RecordFrame frame, Guid storeId, int segmentSize, long firstSegment)
{
    private readonly Stack<LogChunk> _spare = new();
    private List<LogChunk> _chunks = [];
    private long _segment = firstSegment - 1;
    private long _offset = long.MaxValue;
    private long _next;

    public bool IsEmpty => _chunks.Count == 0;

    /// <summary>What was appended and is not committed yet, in bytes of the log.</summary>
    public long Pending { get; private set; }

    public long Append(byte type, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        var size = RecordFrame.SizeOf(checked(first.Length + second.Length));
        var begins = _offset > segmentSize - size;
        var chunk = Chunk(size, begins);
        var sequence = _next++;
        frame.Write(chunk.Take(size), _offset, sequence, type, first, second);
        chunk.LastSequence = sequence;
        _offset += size;
        Pending += size;
        return sequence;
    }

    /// <summary>All that waits. The list that is handed in is empty and used from now on.</summary>
    public List<LogChunk> TakeAll(List<LogChunk> empty)
    {
        var taken = _chunks;
        _chunks = empty;
        return taken;
    }

    /// <summary>The chunk has been written.</summary>
    public void Release(LogChunk chunk)
    {
        Pending -= chunk.Length;
        chunk.GiveBack();
        _spare.Push(chunk);
    }

    private LogChunk Chunk(int size, bool begins)
    {
        if (!begins && _chunks.Count > 0 && _chunks[^1].Room >= size)
        {
            return _chunks[^1];
        }

        if (!_spare.TryPop(out var chunk))
        {
            chunk = new LogChunk();
        }

        if (begins)
        {
            _segment++;
            _offset = LogHeader.Size;
            _next = RecordSequence.FirstOf(_segment);
            chunk.Begin(LogHeader.Size + size, _segment, offset: 0);
            new LogHeader(LogHeader.CurrentVersion, storeId, _segment).Write(chunk.Take(LogHeader.Size));
            Pending += LogHeader.Size;
        }
        else
        {
            chunk.Begin(size, _segment, _offset);
        }

        _chunks.Add(chunk);
        return chunk;
    }
}
