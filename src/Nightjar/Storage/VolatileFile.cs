namespace Nightjar.Storage;

/// <summary>A file that is only memory, in blocks, so that it grows without being copied. Used by one at a time.</summary>
internal sealed class VolatileFile(Action? disposed = null) : ILogFile
{
    private const int BlockSize = 64 * 1024;

    private readonly List<byte[]> _blocks = [];

    public long Length { get; private set; }

    public ValueTask<int> ReadAsync(Memory<byte> destination, long offset)
    {
        var count = (int)Math.Clamp(Length - offset, 0, destination.Length);
        for (var done = 0; done < count;)
        {
            var part = Block(offset + done, count - done);
            part.CopyTo(destination.Span[done..]);
            done += part.Length;
        }

        return ValueTask.FromResult(count);
    }

    public ValueTask WriteAsync(IReadOnlyList<ReadOnlyMemory<byte>> parts, long offset)
    {
        foreach (var part in parts)
        {
            for (var rest = part.Span; rest is not [];)
            {
                while (_blocks.Count <= offset / BlockSize)
                {
                    _blocks.Add(GC.AllocateUninitializedArray<byte>(BlockSize));
                }

                var room = Block(offset, rest.Length);
                rest[..room.Length].CopyTo(room);
                rest = rest[room.Length..];
                offset += room.Length;
            }
        }

        Length = Math.Max(Length, offset);
        return ValueTask.CompletedTask;
    }

    public ValueTask FlushAsync() => ValueTask.CompletedTask;

    public void Truncate(long length) => Length = length;

    public void Dispose() => disposed?.Invoke();

    private Span<byte> Block(long offset, int count)
    {
        var start = (int)(offset % BlockSize);
        return _blocks[(int)(offset / BlockSize)].AsSpan(start, Math.Min(count, BlockSize - start));
    }
}
