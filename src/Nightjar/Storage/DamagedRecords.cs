namespace Nightjar;

/// <summary>Why a part of a log was passed over.</summary>
public enum DamageReason
{
    /// <summary>The header of a file is not what was written. What follows it is read all the same.</summary>
    Header,

    /// <summary>No record begins where one must.</summary>
    NoRecord,

    /// <summary>A record begins, but its length or its checksum is wrong.</summary>
    Checksum,

    /// <summary>
    /// Up to the end of the newest file there is no record: what a process that was killed had begun to write, and had not been told to be committed. That is normal; only damage of the last records
    /// looks the same. It has been cut off.
    /// </summary>
    Torn,

    /// <summary>The record is what was written, but not by somebody who has the key: it was changed on purpose, or is one that is not encrypted among others that are.</summary>
    Forged,

    /// <summary>The whole file is another store's, or has another number than its name says. It is left alone.</summary>
    Foreign,
}

/// <summary>A part of a log that was passed over.</summary>
/// <param name="After">Every record that may be lost has a number greater than this: that of the record before.</param>
/// <param name="Before">Every record that may be lost has a number smaller than this: that of the record behind; <see cref="long.MaxValue"/> if there may be any number of them.</param>
/// <param name="Reason">Why.</param>
/// <param name="File">The name of the file; empty if the store has none.</param>
/// <param name="Offset">Where in the file it begins, in bytes.</param>
/// <param name="Length">In bytes.</param>
public readonly record struct DamagedRecords(long After, long Before, DamageReason Reason, string File, long Offset, long Length);
