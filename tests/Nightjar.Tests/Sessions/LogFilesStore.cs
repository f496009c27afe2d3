using Nightjar.Storage;
using Nightjar.Tests.Storage;

namespace Nightjar.Tests.Sessions;

/// <summary>A file store whose files are in memory: its disk can be full, and it can be copied as a killed process leaves it.</summary>
internal sealed class LogFilesStore(MemoryLogFiles files) : ISessionStore
{
    public LogFilesStore()
        : this(new MemoryLogFiles())
    {
    }

    public MemoryLogFiles Files => files;

    /// <summary>What another process would find if this one were killed now.</summary>
    public LogFilesStore AsAfterAKill() => new(files.Copy());

    public async ValueTask<ISessionLog> OpenAsync(ISessionRecovery recovery, ISessionLogEvents events, CancellationToken cancellationToken = default) =>
        await RecordLog.OpenAsync(
            files,
            new FileSessionStoreOptions { Durability = Durability.System, RetryInterval = TimeSpan.FromMilliseconds(10) },
            recovery,
            events,
            cancellationToken);
}
