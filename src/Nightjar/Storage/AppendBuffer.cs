namespace Nightjar.Storage;

/// <summary>
/// Where records wait for the writer. It decides the place of each in the files, so that writing can be done over, and gives out the sequence numbers. Not thread-safe.
/// </summary>
internal sealed class AppendBuffer(LogHeader header, RecordCipher? cipher, int segmentSize, long firstSegment) : IDisposable
{
    private readonly RecordFrame _frame = new(header.StoreId);
    private readonly int _trailer = cipher is null ? 0 : RecordCipher.TrailerSize;
    private readonly Stack<LogChunk> _spare = new();
    private List<LogChunk> _chunks = [];
    private long _segment = firstSegment - 1;
    private long _offset = long.MaxValue;
    private long _next;

    public bool IsEmpty => _chunks.Count == 0;

    /// <summary>The record that was appended last; before the first, the number before its segment, so that all that lies in the log is not after it.</summary>
    public long Last { get; private set; } = RecordSequence.FirstOf(firstSegment) - 1;

    /// <summary>What was appended and is not committed yet, in bytes of the log.</summary>
    public long Pending { get; private set; }

    public long Append(byte type, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        var size = RecordFrame.SizeOf(checked(first.Length + second.Length + _trailer));
        var begins = _offset > segmentSize - size;
        var chunk = Chunk(size, begins);
        var sequence = _next++;
        _frame.Write(chunk.Take(size), _offset, sequence, type, first, second, cipher);
        Last = sequence;
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

    public void Dispose() => cipher?.Dispose();

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
            (header with { Segment = _segment }).Write(chunk.Take(LogHeader.Size));
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
