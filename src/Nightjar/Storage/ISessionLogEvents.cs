namespace Nightjar;

/// <summary>
/// Who opened a log hears this from it: one call at a time, from any thread, without a lock, and never from within <see cref="ISessionLog.Append"/> or <see cref="ISessionLog.Obsolete"/>. The
/// log waits for the calls, so they must be short; they must not throw. They may append. None comes after the log has been disposed.
/// </summary>
public interface ISessionLogEvents
{
    /// <summary>All records up to this one are committed. Each number is that of a record, and greater than the one before.</summary>
    void Committed(long sequence);

    /// <summary>
    /// Something could not be written. The log keeps what it has and tries again by itself; it says so each time. Until <see cref="WentOn"/> nothing that was not committed yet need ever be:
    /// whatever depends on it has to wait. Appending goes on as before.
    /// </summary>
    void Failed(StorageException failure);

    /// <summary>What failed before has been made up for.</summary>
    void WentOn();
}
