namespace Nightjar;

/// <summary>What kept a session store from working.</summary>
public enum StorageFailureKind
{
    /// <summary>The disk, or the share of it that this user may have, is full.</summary>
    DiskFull,

    /// <summary>The file system can only be read.</summary>
    ReadOnly,

    /// <summary>This user may not write there.</summary>
    Denied,

    /// <summary>Another process, or another client in this one, has the store open.</summary>
    InUse,

    /// <summary>Others could change the files.</summary>
    Unsafe,

    /// <summary>A newer version wrote the files.</summary>
    NewerFormat,

    /// <summary>The files do not even say any more which store they are.</summary>
    Unreadable,

    /// <summary>The records are encrypted, and the key is not known.</summary>
    KeyMissing,

    /// <summary>The records are encrypted with another key.</summary>
    WrongKey,

    /// <summary>There is a key, and the records are not encrypted.</summary>
    NotEncrypted,

    /// <summary>There is no store, or it was taken away.</summary>
    NotFound,

    /// <summary>Anything else, as the system said it.</summary>
    Other,
}

/// <summary>A session store could not do what it should. The message says what was tried and where, why it failed, and what to do about it; it holds nothing of what is stored, and no keys.</summary>
public sealed class StorageException : IOException
{
    private const int Win32 = unchecked((int)0x8007_0000);

    /// <summary>For a store of your own.</summary>
    /// <param name="kind">What kept it from working.</param>
    /// <param name="message">What was tried, why it failed, and what to do.</param>
    /// <param name="path">The directory or file; null if there is none.</param>
    /// <param name="innerException">What the system said.</param>
    public StorageException(StorageFailureKind kind, string message, string? path = null, Exception? innerException = null)
        : base(message, innerException)
    {
        Kind = kind;
        Path = path;
    }

    /// <summary>What kept the store from working.</summary>
    public StorageFailureKind Kind { get; }

    /// <summary>The directory of the store, or the file in it that is concerned; null if the store has none.</summary>
    public string? Path { get; }

    /// <summary>Only what is obsolete could not be deleted: records are written and committed all the same, and nothing has to wait.</summary>
    internal bool IsWriting { get; init; }

    /// <summary>How a message goes on that names a path.</summary>
    internal static string At(string? path) => path is null ? "" : $" in {path}";

    /// <param name="doing">What was tried, such as "write to the session store".</param>
    /// <param name="path">Where.</param>
    /// <param name="error">What came of it.</param>
    /// <param name="isWriting">Records are written all the same.</param>
    internal static StorageException From(string doing, string? path, Exception error, bool isWriting = false)
    {
        if (error is StorageException known)
        {
            return known;
        }

        var kind = Classify(error);
        var hint = kind switch
        {
            StorageFailureKind.DiskFull => "the disk is full, or the quota used up. Make room.",
            StorageFailureKind.ReadOnly => "the file system is read-only. Mount it for writing, or choose another directory.",
            StorageFailureKind.Denied => "the user of this process must own the directory and may write to it. Change its owner or mode, or choose another directory.",
            StorageFailureKind.InUse => "another process, or another client in this one, has it open. One store belongs to one process at a time: end that one, or choose another directory.",
            StorageFailureKind.NotFound => "there is none, or what was in it was taken away. Look at the path.",
            _ => error.Message,
        };
        return new StorageException(kind, $"Could not {doing}{At(path)}: {hint}", path, error) { IsWriting = isWriting };
    }

    // Where the system is not Windows, the base class library gives the error number itself.
    private static StorageFailureKind Classify(Exception error) => error switch
    {
        UnauthorizedAccessException => StorageFailureKind.Denied,
        DirectoryNotFoundException or FileNotFoundException => StorageFailureKind.NotFound,
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
