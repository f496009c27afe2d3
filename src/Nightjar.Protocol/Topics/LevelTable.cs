using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nightjar.Protocol.Topics;

/// <summary>
/// The named children of a level, found by UTF-8 without making a string or an array: open addressing with linear probing.
/// </summary>
internal sealed class LevelTable<TNode>
    where TNode : class
{
    // 2^64 divided by the golden ratio, odd: multiplying by it spreads neighbouring values (Knuth, volume 3, 6.4).
    private const ulong Multiplier = 0x9E37_79B9_7F4A_7C15;

    private Slot[] _slots = new Slot[4];

    public int Count { get; private set; }

    public TNode? Find(ReadOnlySpan<byte> level)
    {
        var slots = _slots;
        var hash = Hash(level);
        for (var i = (int)hash & (slots.Length - 1); ; i = (i + 1) & (slots.Length - 1))
        {
            ref readonly var slot = ref slots[i];
            if (slot.Node is null || (slot.Hash == hash && level.SequenceEqual(slot.Level)))
            {
                return slot.Node;
            }
        }
    }

    /// <summary>All of them, in no particular order; with <paramref name="hidden"/> also those whose level begins with <c>$</c>.</summary>
    public void CopyTo(Stack<TNode> nodes, bool hidden)
    {
        foreach (var slot in _slots)
        {
            if (slot.Node is { } node && (hidden || slot.Level is not [(byte)'$', ..]))
            {
                nodes.Push(node);
            }
        }
    }

    /// <summary>Adds a level that is not there yet.</summary>
    public void Add(byte[] level, TNode node)
    {
        // At most three quarters full, so that probing always meets an empty slot soon.
        if ((Count + 1) * 4 > _slots.Length * 3)
        {
            var old = _slots;
            _slots = new Slot[old.Length * 2];
            foreach (var slot in old)
            {
                if (slot.Node is not null)
                {
                    Place(slot);
                }
            }
        }

        Place(new Slot(Hash(level), level, node));
        Count++;
    }

    /// <summary>Removes a level that is there.</summary>
    public void Remove(ReadOnlySpan<byte> level)
    {
        var mask = _slots.Length - 1;
        var hole = (int)Hash(level) & mask;
        while (!level.SequenceEqual(_slots[hole].Level))
        {
            hole = (hole + 1) & mask;
        }

        // What was pushed past the hole by it moves back; no tombstones, so that finding stays as fast as it was.
        for (var i = (hole + 1) & mask; _slots[i].Node is not null; i = (i + 1) & mask)
        {
            var home = (int)_slots[i].Hash & mask;
            if (((i - home) & mask) >= ((i - hole) & mask))
            {
                _slots[hole] = _slots[i];
                hole = i;
            }
        }

        _slots[hole] = default;
        Count--;
    }

    private static uint Hash(ReadOnlySpan<byte> level)
    {
        // Eight bytes at a time, the last eight overlapping those before; levels are short. Not keyed: the table's keys are
        // filters, and those who may subscribe may do worse.
        ref var start = ref MemoryMarshal.GetReference(level);
        var hash = (ulong)level.Length;
        for (var i = 0; i + sizeof(ulong) < level.Length; i += sizeof(ulong))
        {
            hash = BitOperations.RotateLeft((hash ^ Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, i))) * Multiplier, 29);
        }

        var last = level.Length switch
        {
            >= sizeof(ulong) => Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, level.Length - sizeof(ulong))),
            >= sizeof(uint) => Unsafe.ReadUnaligned<uint>(ref start)
                | ((ulong)Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref start, level.Length - sizeof(uint))) << 32),
            > 0 => start | ((ulong)Unsafe.Add(ref start, level.Length / 2) << 8) | ((ulong)Unsafe.Add(ref start, level.Length - 1) << 16),
            _ => 0UL,
        };
        return (uint)(((hash ^ last) * Multiplier) >> 32);
    }

    private void Place(Slot slot)
    {
        var i = (int)slot.Hash & (_slots.Length - 1);
        while (_slots[i].Node is not null)
        {
            i = (i + 1) & (_slots.Length - 1);
        }

        _slots[i] = slot;
    }

    private readonly record struct Slot(uint Hash, byte[] Level, TNode? Node);
}
