namespace Nightjar.Storage;

/// <summary>
/// Sequence numbers: the number of the segment, and in its lowest 24 bits the number of the record in it, from 0 on. Each process begins a segment of its own, so a number is never
/// given out again, even if the records that had it are lost without a trace.
/// </summary>
internal static class RecordSequence
{
    private const int IndexBits = 24;

    public static long FirstOf(long segment) => segment << IndexBits;

    public static long LastOf(long segment) => FirstOf(segment + 1) - 1;

    public static long SegmentOf(long sequence) => sequence >> IndexBits;
}
