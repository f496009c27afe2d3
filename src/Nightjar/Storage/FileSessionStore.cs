using Nightjar.Storage;

namespace Nightjar;

/// <summary>
/// A session in a directory of its own: an append-only log in files, whose format is described in docs/session-log.md. One process has it open at a time. Nobody else may be able to write there: the directory is made with mode
/// 0700, the files with 0600. Credentials are never stored; messages are, as they are unless
/// <see cref="FileSessionStoreOptions.EncryptionKey"/> is set. Thread-safe.
/// </summary>
public sealed class FileSessionStore : ISessionStore
{
    private readonly FileSessionStoreOptions _options;

    /// <param name="directory">Where it lives; made by the first client that opens it. A relative one is taken from the working directory of this moment.</param>
    /// <param name="options">How it works. Default: as <see cref="FileSessionStoreOptions"/> is made.</param>
    /// <exception cref="ArgumentException">The directory is no path, or options are out of range; the message lists all.</exception>
    /// <exception cref="NotSupportedException">The program was trimmed without it (the switch <c>Nightjar.FileStore</c>).</exception>
    public FileSessionStore(string directory, FileSessionStoreOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        ThrowIfSwitchedOff();
        Directory = Path.GetFullPath(directory);
        _options = (options ?? new FileSessionStoreOptions()).Snapshot(nameof(options));
    }

    /// <summary>Where it lives, as a full path.</summary>
    public string Directory { get; }

    /// <inheritdoc/>
    public async ValueTask<ISessionLog> OpenAsync(ISessionRecovery recovery, ISessionLogEvents events, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(recovery);
        ArgumentNullException.ThrowIfNull(events);
        if (FileStoreFeature.IsSupported)
        {
            return await RecordLog.OpenAsync(new DiskLogFiles(Directory), _options, recovery, events, cancellationToken).ConfigureAwait(false);
        }

        throw new NotSupportedException(FileStoreFeature.SwitchedOff);
    }

    /// <summary>
    /// Reads what lies in the store, and changes nothing. It takes no lock and needs no right to write, so it works beside a process that has the store open: it then sees the log about as it was at the call, and perhaps the
    /// first bytes of a record that is being written (<see cref="DamageReason.Torn"/>, and nothing is cut off). Of the options only the encryption keys count.
    /// </summary>
    /// <param name="recovery">Takes what lies there, one call at a time, in order.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="StorageException">It cannot be read; the message says why and what to do.</exception>
    public async ValueTask<SessionStoreInspection> ReadAsync(ISessionRecovery recovery, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(recovery);
        if (FileStoreFeature.IsSupported)
        {
            return await RecordLog.ReadAsync(new DiskLogFiles(Directory), _options, recovery, cancellationToken).ConfigureAwait(false);
        }

        throw new NotSupportedException(FileStoreFeature.SwitchedOff);
    }

    /// <summary>The directory.</summary>
    public override string ToString() => Directory;

    private static void ThrowIfSwitchedOff()
    {
        if (!FileStoreFeature.IsSupported)
        {
            throw new NotSupportedException(FileStoreFeature.SwitchedOff);
        }
    }
}
