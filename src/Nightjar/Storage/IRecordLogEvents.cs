namespace Nightjar.Storage;

/// <summary>
/// Who owns a <see cref="RecordLog"/> hears this from its writer, one call at a time and without a lock. The writer waits for the calls; they must not throw.
/// </summary>
internal interface IRecordLogEvents
{
    /// <summary>All records up to this one are committed. Each number is greater than the one before.</summary>
    void Committed(long sequence);

    /// <summary>Something could not be written. The log keeps what it has and tries again; nothing that is concerned counts as committed meanwhile.</summary>
    void Failed(StorageException failure);

    /// <summary>What failed before has been made up for.</summary>
    void WentOn();
}
