using Nightjar.Protocol.Journal;

namespace Nightjar.Testing.Simulation;

/// <summary>
/// The log of a session under virtual time: what is appended is committed a while later, in order, as the disk allows. It outlives the client's process; what was not committed
/// when that ends survives as far as chance will have it, and never without what was appended before it.
/// </summary>
internal sealed class SimulatedLog(World world) : IRecordAppender
{
    // As a store numbers: a segment for each process, records counted within it.
    private const int SegmentBits = 24;

    private readonly List<Record> _records = [];
    private long _segment = 1;
    private int _appended;
    private int _process;
    private bool _isFlushing;
    private bool _isFailing;

    /// <summary>What the records say.</summary>
    public LogBook Book { get; } = new(world);

    public long Last { get; private set; }

    public long Committed { get; private set; }

    /// <summary>What the client said is needed no more.</summary>
    public long ObsoleteUpTo { get; private set; }

    /// <summary>The client was told that nothing can be written.</summary>
    public bool IsFailing => _isFailing;

    /// <summary>Everything is committed.</summary>
    public bool IsAtRest => Committed == Last && !_isFailing;

    /// <summary>Nothing is written before.</summary>
    public long FullUntil { get; set; }

    /// <summary>Until then the disk is slow.</summary>
    public long SlowUntil { get; set; }

    /// <summary>Bytes of the records that are not obsolete.</summary>
    public long LiveLength => _records.Where(record => record.Sequence > ObsoleteUpTo).Sum(record => record.Payload.Length + (long)LogSpan.Overhead);

    public long Append(byte type, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second = default)
    {
        Last = (_segment << SegmentBits) + _appended++;
        byte[] payload = [.. first, .. second];
        _records.Add(new Record(Last, type, payload));
        Book.Add(Last, (JournalRecord)type, payload, isNew: true);
        Flush();
        return Last;
    }

    public void Obsolete(long upTo)
    {
        world.Require(upTo <= Committed, "records are obsolete before what takes their place is committed");
        ObsoleteUpTo = Math.Max(ObsoleteUpTo, upTo);

        // Oldest first, and not always at once: a process may end between the two.
        if (world.Random.Chance(0.7))
        {
            var keeps = world.Random.Chance(0.3) ? world.Random.Below(20) : 0;
            _records.RemoveRange(0, Math.Max(0, _records.FindIndex(record => record.Sequence > ObsoleteUpTo) - keeps));
        }
    }

    /// <summary>The process ends. Returns the last record that survives.</summary>
    /// <param name="survival">How much of what is not committed survives: 0 to 1.</param>
    public long Crash(double survival)
    {
        var open = _records.FindIndex(record => record.Sequence > Committed);
        if (open >= 0)
        {
            var kept = open + (int)Math.Round((_records.Count - open) * survival);
            world.Note($"{_records.Count - kept} of {_records.Count - open} records that are not committed are lost");
            _records.RemoveRange(kept, _records.Count - kept);
        }

        _process++;
        _segment++;
        _appended = 0;
        _isFlushing = _isFailing = false;
        Last = Committed = _records.Count > 0 ? _records[^1].Sequence : 0;
        Book.Clear();
        foreach (var record in _records)
        {
            Book.Add(record.Sequence, (JournalRecord)record.Type, record.Payload, isNew: false);
        }

        return Last;
    }

    /// <summary>As a new process finds it.</summary>
    public RestoredSession Read()
    {
        var reader = new JournalReader();
        foreach (var record in _records)
        {
            reader.Record(record.Sequence, record.Type, record.Payload);
        }

        return reader.Complete();
    }

    /// <summary>The disk is well.</summary>
    public void CalmDown() => SlowUntil = FullUntil = 0;

    private void Flush()
    {
        if (_isFlushing)
        {
            return;
        }

        // One at a time, each with everything that was appended before it began; the first of a row comes alone, as in a store.
        _isFlushing = true;
        var process = _process;
        var upTo = Last;
        world.Time.After(Delay(), () => Flushed(process, upTo));
    }

    private long Delay()
    {
        var random = world.Random;
        return SlowUntil > world.Time.Now
            ? random.Magnitude(10 * VirtualTime.Millisecond, 3 * VirtualTime.Second)
            : random.Below((int)world.Traits.CommitDelay);
    }

    private void Flushed(int process, long upTo)
    {
        if (process != _process)
        {
            return;
        }

        var now = world.Time.Now;
        if (FullUntil > now)
        {
            if (!_isFailing)
            {
                _isFailing = true;
                world.Note("the disk is full");
                world.Client.StoreFailed();
            }

            world.Time.At(FullUntil, () => Flushed(process, upTo));
            return;
        }

        _isFlushing = false;
        if (_isFailing)
        {
            _isFailing = false;
            world.Note("the disk has room again");
            world.Client.StoreWentOn();
        }

        Committed = Math.Max(Committed, upTo);
        world.Client.StoreCommitted(Committed);
        if (process == _process && Last > Committed)
        {
            Flush();
        }
    }

    private readonly record struct Record(long Sequence, byte Type, byte[] Payload);
}
