namespace Nightjar.Storage;

/// <summary>What kept the log from working.</summary>
internal enum StorageFailureKind
{
    /// <summary>The disk, or the share of it that this user may have, is full.</summary>
    DiskFull,

    /// <summary>The file system can only be read.</summary>
    ReadOnly,

    /// <summary>This user may not write there.</summary>
    Denied,

    /// <summary>Another process, or another log in this one, has the directory.</summary>
    InUse,

    /// <summary>Others could change the files.</summary>
    Unsafe,

    /// <summary>A newer version wrote the files.</summary>
    NewerFormat,

    /// <summary>The files do not even say any more which store they are.</summary>
    Unreadable,

    /// <summary>Anything else, as the system said it.</summary>
    Other,
}

/// <summary>The log on disk could not do what it should.</summary>
internal sealed class StorageException(StorageFailureKind kind, string message, Exception? innerException = null) : IOException(message, innerException)
{
    private const int Win32 = unchecked((int)0x8007_0000);

    public StorageFailureKind Kind { get; } = kind;

    /// <param name="doing">What was tried, such as "write to the log".</param>
    /// <param name="error">What came of it.</param>
    public static StorageException From(string doing, Exception error)
    {
        if (error is StorageException known)
        {
            return known;
        }

        var kind = Classify(error);
        var hint = kind switch
        {
            StorageFailureKind.DiskFull => "The disk is full, or the quota used up; make room.",
            StorageFailureKind.ReadOnly => "The file system is read-only.",
            StorageFailureKind.Denied => "The user of this process must own the directory and may write to it.",
            StorageFailureKind.InUse => "Another process has the directory open; one store belongs to one process at a time.",
            _ => error.Message,
        };
        return new StorageException(kind, $"Could not {doing}: {hint}", error);
    }

    // Where the system is not Windows, the base class library gives the error number itself.
    private static StorageFailureKind Classify(Exception error) => error switch
    {
        UnauthorizedAccessException => StorageFailureKind.Denied,
        IOException io when OperatingSystem.IsWindows() => (io.HResult - Win32) switch
        {
            0x70 or 0x27 => StorageFailureKind.DiskFull,
            0x13 => StorageFailureKind.ReadOnly,
            0x20 or 0x21 => StorageFailureKind.InUse,
            _ => StorageFailureKind.Other,
        },
        IOException io => io.HResult switch
        {
            28 => StorageFailureKind.DiskFull,
            30 => StorageFailureKind.ReadOnly,
            69 when OperatingSystem.IsMacOS() => StorageFailureKind.DiskFull,
            122 when OperatingSystem.IsLinux() => StorageFailureKind.DiskFull,
            35 when OperatingSystem.IsMacOS() => StorageFailureKind.InUse,
            11 when OperatingSystem.IsLinux() => StorageFailureKind.InUse,
            _ => StorageFailureKind.Other,
        },
        _ => StorageFailureKind.Other,
    };
}
