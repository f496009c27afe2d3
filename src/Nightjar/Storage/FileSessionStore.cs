using Nightjar.Storage;

namespace Nightjar;

/// <summary>
/// A session in a directory of its own: an append-only log in files, whose format is described in docs/session-log.md. One process has it open at a time. Nobody else may be able to write there: the directory is made with mode
/// 0700, the files with 0600. Credentials are never stored; messages are, as they are. Thread-safe.
/// </summary>
public sealed class FileSessionStore : ISessionStore
{
    private readonly FileSessionStoreOptions _options;

    /// <param name="directory">Where it lives; made by the first client that opens it. A relative one is taken from the working directory of this moment.</param>
    /// <param name="options">How it works. Default: as <see cref="FileSessionStoreOptions"/> is made.</param>
    /// <exception cref="ArgumentException">The directory is no path, or options are out of range; the message lists all.</exception>
    public FileSessionStore(string directory, FileSessionStoreOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
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
        return await RecordLog.OpenAsync(new DiskLogFiles(Directory), _options, recovery, events, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The directory.</summary>
    public override string ToString() => Directory;
}
