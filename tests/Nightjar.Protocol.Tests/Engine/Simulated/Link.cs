namespace Nightjar.Protocol.Tests.Engine.Simulated;

/// <summary>Which way bytes go.</summary>
internal enum LinkDirection
{
    ToServer,
    ToClient,
}

/// <summary>Where a connection breaks: after this many bytes in one direction.</summary>
internal readonly record struct Cut(LinkDirection Direction, long Offset);

/// <summary>
/// One connection: bytes on their way in both directions, and a budget after which it breaks. What is on its way at that moment is lost.
/// </summary>
internal sealed class Link(Cut? cut)
{
    private readonly Queue<byte>[] _underway = [new(), new()];
    private readonly long[] _carried = new long[2];

    /// <summary>Whether the budget is used up.</summary>
    public bool IsCut => cut is { } at && _carried[(int)at.Direction] >= at.Offset;

    /// <summary>How many bytes arrived at the end of this direction.</summary>
    public long Carried(LinkDirection direction) => _carried[(int)direction];

    public int Underway(LinkDirection direction) => _underway[(int)direction].Count;

    public void Send(LinkDirection direction, ReadOnlySpan<byte> bytes)
    {
        foreach (var value in bytes)
        {
            _underway[(int)direction].Enqueue(value);
        }
    }

    /// <summary>At most <paramref name="count"/> bytes arrive, fewer if the link breaks before.</summary>
    public byte[] Arrive(LinkDirection direction, int count)
    {
        var queue = _underway[(int)direction];
        var left = cut is { } at && at.Direction == direction ? at.Offset - _carried[(int)direction] : long.MaxValue;
        var bytes = new byte[Math.Min(Math.Min(count, queue.Count), left)];
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] = queue.Dequeue();
        }

        _carried[(int)direction] += bytes.Length;
        return bytes;
    }
}
