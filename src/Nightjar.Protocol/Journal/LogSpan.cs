namespace Nightjar.Protocol.Journal;

/// <summary>How many bytes of log lie behind a record: near enough, from a mark now and then.</summary>
internal sealed class LogSpan
{
    /// <summary>What a record takes beside its payload.</summary>
    public const int Overhead = 24;

    private const int BetweenMarks = 16 * 1024;

    private readonly Queue<(long Sequence, long Position)> _marks = new();
    private long _markedAt = -BetweenMarks;

    /// <summary>All bytes that were appended.</summary>
    public long Position { get; private set; }

    public void Append(long sequence, int payload)
    {
        if (Position - _markedAt >= BetweenMarks)
        {
            _marks.Enqueue((sequence, Position));
            _markedAt = Position;
        }

        Position += payload + Overhead;
    }

    /// <summary>From this record to the end. Records are asked for in order; the marks before them are forgotten.</summary>
    public long From(long sequence)
    {
        while (_marks.Count > 1 && Second().Sequence <= sequence)
        {
            _marks.Dequeue();
        }

        return _marks.TryPeek(out var mark) && mark.Sequence <= sequence ? Position - mark.Position : Position;
    }

    // A queue shows its head alone; the next one is a step of its enumerator away, which allocates nothing.
    private (long Sequence, long Position) Second()
    {
        using var marks = _marks.GetEnumerator();
        marks.MoveNext();
        marks.MoveNext();
        return marks.Current;
    }
}
