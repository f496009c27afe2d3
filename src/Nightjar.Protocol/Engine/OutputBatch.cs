using System.Buffers;

namespace Nightjar.Protocol.Engine;

/// <summary>What one flush writes: blocks in order. It belongs to the flusher, which returns them with <see cref="Release"/>.</summary>
internal sealed class OutputBatch
{
    // Two small blocks are worth one copy to save a system call.
    private const int JoinUpTo = 4 * 1024;

    private readonly List<ArraySegment<byte>> _blocks = [];

    public int Count => _blocks.Count;

    /// <summary>All bytes.</summary>
    public long Length { get; private set; }

    public ReadOnlyMemory<byte> this[int index] => _blocks[index];

    public void Add(ArraySegment<byte> block)
    {
        Length += block.Count;
        if (_blocks.Count > 0 && block.Count <= JoinUpTo)
        {
            var last = _blocks[^1];
            if (last.Array!.Length - last.Count >= block.Count)
            {
                block.AsSpan().CopyTo(last.Array.AsSpan(last.Count));
                _blocks[^1] = new ArraySegment<byte>(last.Array, 0, last.Count + block.Count);
                ArrayPool<byte>.Shared.Return(block.Array!);
                return;
            }
        }

        _blocks.Add(block);
    }

    /// <summary>Gives the blocks back; the batch can be filled again.</summary>
    public void Release()
    {
        foreach (var block in _blocks)
        {
            ArrayPool<byte>.Shared.Return(block.Array!);
        }

        _blocks.Clear();
        Length = 0;
    }
}
