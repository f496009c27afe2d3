using System.Buffers;

namespace Nightjar.Storage;

/// <summary>Reads one segment from front to back, through a window. Where it is damaged, the next record is looked for at every multiple of 8 bytes.</summary>
internal sealed class SegmentReader(ILogFile file, long segment, RecordFrame frame, RecordKeys keys, ISessionRecovery records) : IDisposable
{
    private const int UsualWindow = 1024 * 1024;

    // No larger than what there is to read: the pool keeps one of each size for every thread, and most sessions are small.
    private byte[] _window = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(file.Length, LogHeader.Size, UsualWindow));
    private long _start;
    private int _filled;

    /// <summary>The last intact record; if there is none, the number before the first that the segment may have.</summary>
    public long LastSequence { get; private set; } = RecordSequence.FirstOf(segment) - 1;

    /// <summary>Where the last intact record, or the header, ends.</summary>
    public long IntactUpTo { get; private set; } = LogHeader.Size;

    public bool IsDamaged { get; private set; }

    public async Task<(LogHeaderState State, LogHeader Header)> ReadHeaderAsync()
    {
        await LoadAsync(0, LogHeader.Size).ConfigureAwait(false);
        return (LogHeader.Read(At(0), out var header), header);
    }

    /// <param name="isNewest">Whether a damaged end is what a process that was killed leaves behind.</param>
    public async Task ReadAsync(bool isNewest)
    {
        var length = file.Length;
        var damage = -1L;
        var reason = DamageReason.NoRecord;
        for (long offset = LogHeader.Size; offset < length;)
        {
            var size = 0;
            if (length - offset >= RecordFrame.HeaderSize)
            {
                if (!Holds(offset, RecordFrame.HeaderSize))
                {
                    await LoadAsync(offset, RecordFrame.HeaderSize).ConfigureAwait(false);
                }

                size = Holds(offset, RecordFrame.HeaderSize) ? frame.Measure(At(offset), length - offset) : 0;
                if (size > 0 && !Holds(offset, size))
                {
                    await LoadAsync(offset, size).ConfigureAwait(false);
                }
            }

            if (size > 0 && Holds(offset, size) && frame.IsIntact(At(offset)[..size], offset, segment))
            {
                var bytes = At(offset)[..size];
                var sequence = RecordFrame.Sequence(bytes);
                if (RecordFrame.TryPayload(bytes, offset, keys, out var payload))
                {
                    Report(ref damage, offset, reason, sequence);
                    records.Record(sequence, RecordFrame.Type(bytes), payload);
                    LastSequence = sequence;
                }
                else if (damage < 0)
                {
                    damage = offset;
                    reason = DamageReason.Forged;
                }

                offset += size;
                IntactUpTo = offset;
                continue;
            }

            if (damage < 0)
            {
                damage = offset;
                reason = Holds(offset, sizeof(uint)) && frame.Begins(At(offset)) ? DamageReason.Checksum : DamageReason.NoRecord;
            }

            offset += RecordFrame.Alignment;
        }

        Report(ref damage, length, isNewest && reason != DamageReason.Forged ? DamageReason.Torn : reason, before: RecordSequence.LastOf(segment) + 1);
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_window);
        _window = [];
    }

    private void Report(ref long damage, long end, DamageReason reason, long before)
    {
        if (damage >= 0)
        {
            IsDamaged = true;
            records.Damage(new DamagedRecords(LastSequence, before, reason, SegmentName.Of(segment), damage, end - damage));
            damage = -1;
        }
    }

    private bool Holds(long offset, int count) => offset >= _start && offset + count <= _start + _filled;

    private Span<byte> At(long offset) => _window.AsSpan((int)(offset - _start), (int)(_start + _filled - offset));

    /// <summary>Moves the window there, and makes it larger if it must be. At the end of the file it holds what there is.</summary>
    private async ValueTask LoadAsync(long offset, int count)
    {
        var kept = (int)Math.Max(0, _start + _filled - offset);
        var from = _filled - kept;
        var old = _window;
        if (count > _window.Length)
        {
            _window = ArrayPool<byte>.Shared.Rent(count);
        }

        old.AsSpan(from, kept).CopyTo(_window);
        if (!ReferenceEquals(old, _window))
        {
            ArrayPool<byte>.Shared.Return(old);
        }

        _start = offset;
        _filled = kept;
        while (_filled < _window.Length)
        {
            var read = await file.ReadAsync(_window.AsMemory(_filled), _start + _filled).ConfigureAwait(false);
            if (read == 0)
            {
                return;
            }

            _filled += read;
        }
    }
}
