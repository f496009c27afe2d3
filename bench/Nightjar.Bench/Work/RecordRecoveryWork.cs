using System.Diagnostics;
using Nightjar.Bench.Peer;

namespace Nightjar.Bench.Work;

/// <summary>Opens a store that has many records, reads them all, and closes it. The records have the length of the row's messages, and nobody makes anything of them.</summary>
internal sealed class RecordRecoveryWork : IWork
{
    private readonly Row _row;
    private readonly StoreDirectory _files;

    private RecordRecoveryWork(Row row, StoreDirectory files)
    {
        _row = row;
        _files = files;
    }

    public static async Task<IWork> OpenAsync(Row row, string directory)
    {
        var files = new StoreDirectory(directory);
        await FillAsync(files, row);
        return new RecordRecoveryWork(row, files);
    }

    /// <summary>Appends the records.</summary>
    public static async Task FillAsync(StoreDirectory files, Row row)
    {
        var payload = PublishTemplate.Payload(row.PayloadSize);
        await using var log = await files.Open(row.Store!.Value).OpenAsync(new RecordCount(), new NoEvents());
        for (var index = 0; index < row.Messages; index++)
        {
            log.Append(type: 1, payload);
        }
    }

    public async Task<Run> RunAsync(Quota quota)
    {
        var count = new RecordCount();
        var started = Stopwatch.GetTimestamp();
        var log = await _files.Open(_row.Store!.Value).OpenAsync(count, new NoEvents());
        var ended = Stopwatch.GetTimestamp();
        await log.DisposeAsync();
        new SinkReport(count.Records, count.Bytes, ended).Check(_row.Messages, _row.PayloadSize);
        return new Run(count.Records, started, ended);
    }

    public ValueTask DisposeAsync()
    {
        _files.Dispose();
        return ValueTask.CompletedTask;
    }

    private sealed class RecordCount : ISessionRecovery
    {
        public long Records { get; private set; }

        public long Bytes { get; private set; }

        public void Record(long sequence, byte type, ReadOnlySpan<byte> payload)
        {
            Records++;
            Bytes += payload.Length;
        }

        public void Damage(in DamagedRecords stretch) => throw new InvalidOperationException($"the log is damaged: {stretch}");
    }

    private sealed class NoEvents : ISessionLogEvents
    {
        public void Committed(long sequence)
        {
        }

        public void Failed(StorageException failure)
        {
        }

        public void WentOn()
        {
        }
    }
}
