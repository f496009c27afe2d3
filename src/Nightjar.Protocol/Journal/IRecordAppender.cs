namespace Nightjar.Protocol.Journal;

/// <summary>
/// Where a session writes what must outlive the process: records that are only ever appended. Appending never waits and copies what it is given. What depends on a record waits
/// until the host says that it is committed.
/// </summary>
internal interface IRecordAppender
{
    /// <summary>Appends; returns a number greater than all before, which is never used again.</summary>
    /// <param name="type">What the record is.</param>
    /// <param name="first">The payload, or the part of it that goes in front.</param>
    /// <param name="second">The rest of the payload, if it lies elsewhere.</param>
    long Append(byte type, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second = default);

    /// <summary>All records up to this one are needed no more. Called when what takes their place is committed.</summary>
    void Obsolete(long upTo);
}
