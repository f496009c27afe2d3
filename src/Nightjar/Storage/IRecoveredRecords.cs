namespace Nightjar.Storage;

/// <summary>Takes what lies in the log when it is opened, in order.</summary>
internal interface IRecoveredRecords
{
    /// <param name="sequence">Greater than that of the record before.</param>
    /// <param name="type">As it was appended.</param>
    /// <param name="payload">As it was appended; valid during the call.</param>
    void Record(long sequence, byte type, ReadOnlySpan<byte> payload);

    /// <summary>Here lies something that is no record, or no longer.</summary>
    void Damage(in DamagedStretch stretch);
}

/// <summary>Why bytes of the log were passed over.</summary>
internal enum DamageReason
{
    /// <summary>The header of a segment is not what was written. What follows it is read all the same.</summary>
    Header,

    /// <summary>No record begins where one must.</summary>
    NoRecord,

    /// <summary>A record begins, but its length or its checksum is wrong.</summary>
    Checksum,

    /// <summary>As the two before, up to the end of the newest segment: what a process that was killed had begun to write. It has been cut off.</summary>
    Torn,

    /// <summary>The whole segment is another store's, or has another number than its name says. It is left alone.</summary>
    Foreign,
}

/// <summary>Bytes of the log that were passed over.</summary>
/// <param name="Segment">The number of the segment.</param>
/// <param name="Offset">Where in the segment it begins, in bytes.</param>
/// <param name="Length">In bytes.</param>
/// <param name="Reason">Why.</param>
/// <param name="After">The last record before it in the segment; 0 if there is none.</param>
/// <param name="Before">The first record after it in the segment; 0 if there is none. Sequence numbers in a segment have no gaps, so the two say what is lost.</param>
internal readonly record struct DamagedStretch(long Segment, long Offset, long Length, DamageReason Reason, long After, long Before);
