using System.Security.Cryptography;

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

    /// <summary>
    /// Encrypts each record with AES-256-GCM; this gives the keys. Who steals the disk then sees how many records there are, when they were written and how long they are, and can take records away, but can read and change none.
    /// Default: null, records are stored as they are.
    /// </summary>
    public SessionKeyProvider? EncryptionKey { get; set; }

    /// <summary>
    /// Which key encrypts new records; change it to rotate keys. Older records stay readable for as long as <see cref="EncryptionKey"/> knows their key. Default: 1; at least 1.
    /// </summary>
    public int EncryptionKeyId { get; set; } = 1;

    /// <summary>
    /// Whether records that are not encrypted count although there is an <see cref="EncryptionKey"/>: for the time in which a store that was begun without one moves over. Default: false; such a store is refused, and such
    /// a record among encrypted ones is reported as <see cref="DamageReason.Forged"/>.
    /// </summary>
    public bool AllowUnencryptedRecords { get; set; }

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
        conflicts.Range(nameof(EncryptionKeyId), EncryptionKeyId, 1, int.MaxValue);
        conflicts.Require(
            EncryptionKey is null || AesGcm.IsSupported, $"{nameof(EncryptionKey)} is set, but this platform has no AES-GCM. Leave it null, and encrypt the disk.");
        conflicts.NotNull(nameof(TimeProvider), TimeProvider);
        conflicts.ThrowIfAny("The options of the store do not fit together", parameterName);
        return (FileSessionStoreOptions)MemberwiseClone();
    }
}
