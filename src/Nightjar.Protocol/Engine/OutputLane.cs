using System.Buffers;
using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Engine;

/// <summary>
/// Bytes that wait to be written, whole packets only, in blocks from a pool. It is append-only and dies with its connection. Packets may depend on a record of the log:
/// they, and what follows them, leave only when the log is committed up to there.
/// </summary>
internal sealed class OutputLane
{
    // One block is one write: large enough that a system call carries thousands of small packets, small enough to stay in the cache and off the large object heap.
    private const int LargestBlock = 64 * 1024;
    private const int SmallestBlock = 1024;

    // Of a PUBLISH's first byte.
    private const int QoSBits = 0b0110;

    private readonly Queue<ArraySegment<byte>> _full = new();
    private readonly Queue<(long Position, long Lsn)> _dependencies = new();
    private readonly ArrayBufferWriter<byte> _aside = new();
    private bool _setsAside;
    private bool _asideHoldsAll;
    private long _asideLsn;
    private byte[]? _current;
    private int _used;
    private int _nextBlock = SmallestBlock;

    /// <summary>Bytes appended since the connection began.</summary>
    public long Position { get; private set; }

    /// <summary>Bytes that wait.</summary>
    public int Length { get; private set; }

    /// <summary>Room for a packet of this size; it is in the lane after <see cref="Commit"/>.</summary>
    public Span<byte> Reserve(int size)
    {
        if (_current is null || _current.Length - _used < size)
        {
            NewBlock(size);
        }

        return _current.AsSpan(_used, size);
    }

    /// <summary>The reserved packet is written.</summary>
    public void Commit(int size, long lsn, long committed)
    {
        if (_setsAside && (lsn > committed || (HasAside && (lsn > 0 || _asideHoldsAll))))
        {
            // Also one that need not wait any more: it keeps its place among those that do.
            _aside.Write(_current.AsSpan(_used, size));
            _asideLsn = Math.Max(_asideLsn, lsn);
            return;
        }

        if (lsn > committed)
        {
            _dependencies.Enqueue((Position, lsn));
        }

        _used += size;
        Position += size;
        Length += size;
    }

    /// <summary>Whether anything may leave.</summary>
    public bool HasOutput(long committed) =>
        Length > 0 && (!_dependencies.TryPeek(out var first) || first.Lsn <= committed || first.Position > Position - Length);

    /// <summary>Packets were set aside, and will leave after those that come now.</summary>
    public bool HasAside => _aside.WrittenCount > 0;

    /// <summary>
    /// No records can be committed for the time being. What waits for one is set aside, so that what depends on none can pass; <see cref="PutBack"/> ends that. Returns how far the lane is as it was.
    /// </summary>
    public long SetAside(long committed, bool unreliablePasses = false)
    {
        _setsAside = true;
        if (!TryFindBlocked(committed, out var blocked))
        {
            return Position;
        }

        var ready = new OutputBatch();
        var blockedToo = new OutputBatch();
        var taken = Position - Length;
        TakePart(ready, (int)(blocked.Position - taken));
        foreach (var (_, lsn) in _dependencies)
        {
            _asideLsn = Math.Max(_asideLsn, lsn);
        }

        _dependencies.Clear();
        TakeInto(blockedToo, committed);
        Refill(ready, taken, committed);
        var kept = Position;
        for (var i = 0; i < blockedToo.Count; i++)
        {
            Sort(blockedToo[i].Span, unreliablePasses);
        }

        blockedToo.Release();
        return kept;
    }

    /// <summary>
    /// QoS 0 passes, lest one that comes later overtake it. Where it cannot, everything that comes later waits behind it.
    /// </summary>
    private void Sort(ReadOnlySpan<byte> packets, bool passes)
    {
        while (packets.Length > 1 && VariableByteInteger.Read(packets[1..], out var rest) is > 0 and var lengthSize)
        {
            var size = 1 + lengthSize + (int)rest;
            var packet = packets[..size];
            packets = packets[size..];
            var isUnreliable = FixedHeader.TypeOf(packet[0]) == PacketType.Publish && (packet[0] & QoSBits) == 0;
            if (isUnreliable && passes)
            {
                packet.CopyTo(Reserve(size));
                _used += size;
                Position += size;
                Length += size;
                continue;
            }

            _aside.Write(packet);
            _asideHoldsAll |= isUnreliable;
        }
    }

    /// <summary>Records can be committed again: what was set aside waits in its turn.</summary>
    public void PutBack(long committed)
    {
        _setsAside = false;
        if (_aside.WrittenCount > 0)
        {
            _aside.WrittenSpan.CopyTo(Reserve(_aside.WrittenCount));
            Commit(_aside.WrittenCount, _asideLsn, committed);
            ForgetAside();
        }
    }

    /// <summary>What waits for records need not wait any more.</summary>
    public void Waive() => _dependencies.Clear();

    /// <summary>What waits for a record will not leave on this connection.</summary>
    public void DropBlocked(long committed)
    {
        ForgetAside();
        if (!TryFindBlocked(committed, out var blocked))
        {
            return;
        }

        var kept = new OutputBatch();
        var taken = Position - Length;
        TakePart(kept, (int)(blocked.Position - taken));
        Refill(kept, taken, committed);
    }

    /// <summary>Moves what may leave into a batch; returns whether there was anything.</summary>
    public bool TakeInto(OutputBatch batch, long committed)
    {
        var isBlocked = TryFindBlocked(committed, out var blocked);
        if (Length == 0)
        {
            return false;
        }

        if (isBlocked)
        {
            return TakePart(batch, (int)(blocked.Position - (Position - Length)));
        }

        // The next gathering is likely to be as large as this one.
        _nextBlock = Math.Clamp(Length, SmallestBlock, LargestBlock);
        while (_full.TryDequeue(out var block))
        {
            batch.Add(block);
        }

        if (_used > 0)
        {
            batch.Add(new ArraySegment<byte>(_current!, 0, _used));
            _current = null;
            _used = 0;
        }

        Length = 0;
        return true;
    }

    /// <summary>The connection is gone.</summary>
    public void Clear()
    {
        ForgetAside();
        Clear(position: 0);
    }

    private void Clear(long position)
    {
        while (_full.TryDequeue(out var block))
        {
            ArrayPool<byte>.Shared.Return(block.Array!);
        }

        if (_current is not null)
        {
            ArrayPool<byte>.Shared.Return(_current);
            _current = null;
        }

        _dependencies.Clear();
        _used = 0;
        Position = position;
        Length = 0;
    }

    /// <summary>The first packet that may not leave yet.</summary>
    private bool TryFindBlocked(long committed, out (long Position, long Lsn) blocked)
    {
        while (_dependencies.TryPeek(out blocked) && blocked.Lsn <= committed)
        {
            _dependencies.Dequeue();
        }

        return _dependencies.Count > 0;
    }

    /// <summary>Everything was taken out; this comes in again, as it was.</summary>
    private void Refill(OutputBatch batch, long position, long committed)
    {
        Clear(position);
        for (var i = 0; i < batch.Count; i++)
        {
            batch[i].Span.CopyTo(Reserve(batch[i].Length));
            Commit(batch[i].Length, lsn: 0, committed);
        }

        batch.Release();
    }

    private void ForgetAside()
    {
        _aside.ResetWrittenCount();
        _asideHoldsAll = false;
        _asideLsn = 0;
    }

    private void NewBlock(int size)
    {
        if (_used > 0)
        {
            _full.Enqueue(new ArraySegment<byte>(_current!, 0, _used));
            _nextBlock = Math.Min(_nextBlock * 2, LargestBlock);
        }
        else if (_current is not null)
        {
            ArrayPool<byte>.Shared.Return(_current);
        }

        _current = ArrayPool<byte>.Shared.Rent(Math.Max(size, _nextBlock));
        _used = 0;
    }

    /// <summary>Takes the first <paramref name="count"/> bytes, by copying: only a log that is behind leads here.</summary>
    private bool TakePart(OutputBatch batch, int count)
    {
        if (count == 0)
        {
            return false;
        }

        var part = ArrayPool<byte>.Shared.Rent(count);
        var copied = 0;
        while (copied < count)
        {
            if (_full.TryPeek(out var block))
            {
                var length = Math.Min(block.Count, count - copied);
                block.AsSpan(0, length).CopyTo(part.AsSpan(copied));
                copied += length;
                RemoveFromFirstBlock(length);
                continue;
            }

            var rest = count - copied;
            _current.AsSpan(0, rest).CopyTo(part.AsSpan(copied));
            _current.AsSpan(rest, _used - rest).CopyTo(_current);
            _used -= rest;
            copied = count;
        }

        Length -= count;
        batch.Add(new ArraySegment<byte>(part, 0, count));
        return true;
    }

    private void RemoveFromFirstBlock(int length)
    {
        var block = _full.Peek();
        if (length == block.Count)
        {
            _full.Dequeue();
            ArrayPool<byte>.Shared.Return(block.Array!);
            return;
        }

        block.AsSpan(length).CopyTo(block.AsSpan());
        // A queue cannot replace its head: go once round.
        _full.Dequeue();
        var others = _full.Count;
        _full.Enqueue(new ArraySegment<byte>(block.Array!, 0, block.Count - length));
        for (var i = 0; i < others; i++)
        {
            _full.Enqueue(_full.Dequeue());
        }
    }
}
