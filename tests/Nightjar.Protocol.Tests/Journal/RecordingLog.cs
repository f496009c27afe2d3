using Nightjar.Protocol.Journal;

namespace Nightjar.Protocol.Tests.Journal;

/// <summary>A log that commits when the test says so.</summary>
internal sealed class RecordingLog : IRecordAppender
{
    public List<(JournalRecord Type, byte[] Payload)> Records { get; } = [];

    /// <summary>Whether a scripted server commits everything before it expects CONNECT.</summary>
    public bool CommitsConnect { get; set; } = true;

    public long ObsoleteUpTo { get; private set; }

    public IEnumerable<JournalRecord> Types => Records.Select(record => record.Type);

    public long Append(byte type, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second = default)
    {
        Records.Add(((JournalRecord)type, [.. first, .. second]));
        return Records.Count;
    }

    public void Obsolete(long upTo) => ObsoleteUpTo = upTo;
}
