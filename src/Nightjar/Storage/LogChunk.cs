using System.Buffers;

namespace Nightjar.Storage;

/// <summary>Records one behind the other, as they will lie in one segment. Used again and again; the bytes are rented for each use.</summary>
internal sealed class LogChunk
{
    /// <summary>Room for many small records; a record that is longer gets a chunk of its own.</summary>
    public const int UsualSize = 64 * 1024;

    private byte[] _bytes = [];

    public long Segment { get; private set; }

    /// <summary>Where in the segment it begins.</summary>
    public long Offset { get; private set; }

    public int Length { get; private set; }

    public long LastSequence { get; set; }

    public int Room => _bytes.Length - Length;

    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, Length);

    public void Begin(int size, long segment, long offset)
    {
        _bytes = ArrayPool<byte>.Shared.Rent(Math.Max(size, UsualSize));
        Segment = segment;
        Offset = offset;
        Length = 0;
    }

    public Span<byte> Take(int size)
    {
        var room = _bytes.AsSpan(Length, size);
        Length += size;
        return room;
    }

    public void GiveBack()
    {
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = [];
    }
}
