using Nightjar.Storage;

namespace Nightjar;

/// <summary>
/// A session in memory: it outlives the client, not the process. One client after the other goes on with it, so a client can be made anew, with other options, without losing a message; and tests need no disk. Thread-safe.
/// </summary>
public sealed class MemorySessionStore : ISessionStore
{
    private readonly VolatileLogFiles _files = new();

    // The system has what is in memory: nothing is to be flushed. Small segments, so that obsolete records do not hold memory for long.
    private readonly FileSessionStoreOptions _options = new() { Durability = Durability.System, SegmentSize = 1024 * 1024 };

    /// <inheritdoc/>
    public async ValueTask<ISessionLog> OpenAsync(ISessionRecovery recovery, ISessionLogEvents events, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(recovery);
        ArgumentNullException.ThrowIfNull(events);
        return await RecordLog.OpenAsync(_files, _options, recovery, events, cancellationToken).ConfigureAwait(false);
    }
}
