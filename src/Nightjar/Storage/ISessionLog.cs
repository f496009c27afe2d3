namespace Nightjar;

/// <summary>A store that is open. Thread-safe.</summary>
public interface ISessionLog : IAsyncDisposable
{
    /// <summary>Which store this is: chosen at random when it was made, and never changed.</summary>
    Guid StoreId { get; }

    /// <summary>How large the log is; default if the store does not say.</summary>
    SessionLogStatistics Statistics => default;

    /// <summary>
    /// Appends a record and returns its sequence number: greater than zero, greater than that of all before, and never given again. It copies and never waits; the record is committed when
    /// <see cref="ISessionLogEvents.Committed"/> says so, which happens by itself and never within this call. Nothing bounds what waits to be committed: who appends has to.
    /// </summary>
    /// <param name="type">The caller's; comes back as it is.</param>
    /// <param name="first">The payload, or the part of it that goes in front.</param>
    /// <param name="second">The rest of the payload, if it lies elsewhere. Both come back as one.</param>
    /// <exception cref="ObjectDisposedException">The log is closed.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The payload is too long. A store takes at least 256 MiB and 64 KiB.</exception>
    long Append(byte type, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second = default);

    /// <summary>
    /// All records up to this one are needed no more; they may go, or come back once more. They go only after everything that was appended before this call is committed, so what takes their place
    /// may be on its way. Cheap, and made to be called often; after the log is closed it does nothing.
    /// </summary>
    /// <param name="upTo">A sequence number that was given, or any that lies between; one that is smaller than an earlier one does nothing.</param>
    void Obsolete(long upTo);
}

/// <summary>How large a log is.</summary>
/// <param name="Segments">The files, or whatever it is made of; 0 if the store does not say.</param>
/// <param name="Bytes">What they hold, records that are obsolete included; 0 if the store does not say.</param>
/// <param name="Pending">What was appended and is not committed yet, in bytes of memory.</param>
public readonly record struct SessionLogStatistics(int Segments, long Bytes, long Pending);
