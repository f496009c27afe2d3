namespace Nightjar;

/// <summary>How a <see cref="FileSessionStore"/> works. Settable until it is given to one, which takes a copy.</summary>
public sealed class FileSessionStoreOptions
{
    internal const int SmallestSegment = 4 * 1024;
    internal const int LargestSegment = 256 * 1024 * 1024;

    /// <summary>When a record is committed. Default: <see cref="Durability.Grouped"/>.</summary>
    public Durability Durability { get; set; } = Durability.Grouped;

    /// <summary>How long <see cref="Durability.Grouped"/> leaves bytes to the system before it asks for them to be on the disk. Default: 100 ms; more than zero, up to 49 days.</summary>
    public TimeSpan FlushInterval { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>How long the log waits after a failed write before it tries again. Default: 1 s; more than zero, up to 49 days.</summary>
    public TimeSpan RetryInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The length in bytes from which on a new file is begun. Default: 16 MiB; from 4 KiB to 256 MiB. A file goes when nothing in it is needed any more, so this is also about what a store takes on the disk
    /// beyond what it holds. A record that is longer gets a file of its own.
    /// </summary>
    public long SegmentSize { get; set; } = 16 * 1024 * 1024;

    /// <summary>The clock of the two intervals. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>A validated copy. Throws one <see cref="ArgumentException"/> that lists every conflict.</summary>
    internal FileSessionStoreOptions Snapshot(string parameterName)
    {
        var conflicts = new OptionConflicts();
        conflicts.Defined(nameof(Durability), Durability);
        conflicts.Timer(nameof(FlushInterval), FlushInterval);
        conflicts.Timer(nameof(RetryInterval), RetryInterval);
        conflicts.Require(
            SegmentSize is >= SmallestSegment and <= LargestSegment, $"{nameof(SegmentSize)} is {SegmentSize}; it must be from {SmallestSegment} to {LargestSegment} bytes (4 KiB to 256 MiB).");
        conflicts.NotNull(nameof(TimeProvider), TimeProvider);
        conflicts.ThrowIfAny("The options of the store do not fit together", parameterName);
        return (FileSessionStoreOptions)MemberwiseClone();
    }
}
