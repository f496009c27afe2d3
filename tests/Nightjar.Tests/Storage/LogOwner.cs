using System.Collections.Concurrent;
using Nightjar.Storage;

namespace Nightjar.Tests.Storage;

/// <summary>Keeps what a log says, and what lay in it.</summary>
internal sealed class LogOwner : ISessionLogEvents, ISessionRecovery
{
    private long _lastCommitted;
    private int _recoveries;

    public long LastCommitted => Volatile.Read(ref _lastCommitted);

    public bool IsInOrder { get; private set; } = true;

    public ConcurrentQueue<StorageException> Failures { get; } = [];

    public int Recoveries => Volatile.Read(ref _recoveries);

    public List<(long Sequence, byte Type, byte[] Payload)> Records { get; } = [];

    public List<DamagedRecords> Stretches { get; } = [];

    public Task<RecordLog> OpenAsync(ILogFiles files, FileSessionStoreOptions? options = null) =>
        RecordLog.OpenAsync(files, options ?? new FileSessionStoreOptions { Durability = Durability.EveryMessage }, this, this);

    public void Committed(long sequence)
    {
        IsInOrder &= sequence > _lastCommitted;
        Volatile.Write(ref _lastCommitted, sequence);
    }

    public void Failed(StorageException failure) => Failures.Enqueue(failure);

    public void WentOn() => Interlocked.Increment(ref _recoveries);

    public void Record(long sequence, byte type, ReadOnlySpan<byte> payload) => Records.Add((sequence, type, payload.ToArray()));

    public void Damage(in DamagedRecords stretch) => Stretches.Add(stretch);

    /// <summary>What a new process finds there.</summary>
    public static async Task<LogOwner> ReadAsync(ILogFiles files)
    {
        var owner = new LogOwner();
        await (await owner.OpenAsync(files)).DisposeAsync();
        return owner;
    }
}
