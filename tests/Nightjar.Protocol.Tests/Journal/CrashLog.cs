using Nightjar.Protocol.Journal;
using Xunit;

namespace Nightjar.Protocol.Tests.Journal;

/// <summary>A log that commits when the test says so, forgets what is obsolete at once, and loses at a crash what was not committed.</summary>
internal sealed class CrashLog : IRecordAppender
{
    private List<(long Sequence, byte Type, byte[] Payload)> _records = [];

    public IReadOnlyList<(long Sequence, byte Type, byte[] Payload)> Records => _records;

    public long Last { get; private set; }

    public long Committed { get; private set; }

    /// <summary>All bytes in it.</summary>
    public long Bytes => _records.Sum(record => record.Payload.Length + (long)LogSpan.Overhead);

    public long Append(byte type, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second = default)
    {
        Last++;
        _records.Add((Last, type, [.. first, .. second]));
        return Last;
    }

    public void Obsolete(long upTo)
    {
        Assert.True(upTo <= Committed, "a record is obsolete before what takes its place is committed");
        _records.RemoveAll(record => record.Sequence <= upTo);
    }

    /// <summary>The next records are committed.</summary>
    public long Commit(long count = long.MaxValue) => Committed = count >= Last - Committed ? Last : Committed + count;

    /// <summary>The process ends: what was not committed is lost, or not.</summary>
    public void Crash(long kept = 0)
    {
        Committed = Math.Min(Committed + kept, Last);
        _records.RemoveAll(record => record.Sequence > Committed);

        // No number is used a second time.
        Last = Committed = Last + 1000;
    }

    /// <summary>Records that are lost although they were committed.</summary>
    public void Lose(Func<long, bool> isLost) => _records = [.. _records.Where(record => !isLost(record.Sequence))];

    public RestoredSession Read(Func<long, bool>? isLost = null)
    {
        var reader = new JournalReader();
        var last = 0L;
        var damaged = false;
        foreach (var (sequence, type, payload) in _records)
        {
            if (isLost is not null && isLost(sequence))
            {
                damaged = true;
                continue;
            }

            if (damaged)
            {
                reader.Damage(last, sequence, isTorn: false);
                damaged = false;
            }

            reader.Record(sequence, type, payload);
            last = sequence;
        }

        if (damaged)
        {
            reader.Damage(last, 0, isTorn: false);
        }

        return reader.Complete();
    }
}
