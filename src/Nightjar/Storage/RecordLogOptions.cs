namespace Nightjar.Storage;

/// <summary>How a <see cref="RecordLog"/> works. Read once, when it is opened.</summary>
internal sealed class RecordLogOptions
{
    public const int SmallestSegment = 4 * 1024;
    public const int LargestSegment = 256 * 1024 * 1024;

    /// <summary>When a record is committed.</summary>
    public Durability Durability { get; set; } = Durability.Grouped;

    /// <summary>The length in bytes from which on a new file is begun; from 4 KiB to 256 MiB. A record that is longer gets a file of its own.</summary>
    public int SegmentSize { get; set; } = 16 * 1024 * 1024;

    /// <summary>How long <see cref="Durability.Grouped"/> leaves bytes to the system before it asks for them to be on the disk.</summary>
    public TimeSpan FlushInterval { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>How long the log waits after a failed write before it tries again.</summary>
    public TimeSpan RetryInterval { get; set; } = TimeSpan.FromSeconds(1);

    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <exception cref="InvalidOperationException">A value is outside its range.</exception>
    public void Validate()
    {
        if (SegmentSize is < SmallestSegment or > LargestSegment)
        {
            throw new InvalidOperationException($"{nameof(SegmentSize)} must be from {SmallestSegment} to {LargestSegment} bytes.");
        }

        if (FlushInterval <= TimeSpan.Zero || RetryInterval <= TimeSpan.Zero)
        {
            throw new InvalidOperationException($"{nameof(FlushInterval)} and {nameof(RetryInterval)} must be longer than zero.");
        }
    }
}
