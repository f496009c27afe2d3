using System.Diagnostics;
using Nightjar.Bench.Peer;
using Nightjar.Bench.Work;

namespace Nightjar.Bench.Bare;

/// <summary>Reads the files of a store from the first byte to the last, and does nothing with them.</summary>
internal sealed class BareRead : IWork
{
    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly Row _row;
    private readonly StoreDirectory _files;

    private BareRead(Row row, StoreDirectory files)
    {
        _row = row;
        _files = files;
    }

    public static async Task<IWork> OpenAsync(PeerEndpoint peer, Row row, string directory)
    {
        var files = new StoreDirectory(directory);
        await (row.Kind == RowKind.RecoverRecords ? RecordRecoveryWork.FillAsync(files, row) : SessionRecoveryWork.FillAsync(peer, row, files));
        return new BareRead(row, files);
    }

    public Task<Run> RunAsync(Quota quota)
    {
        var started = Stopwatch.GetTimestamp();
        foreach (var path in Directory.EnumerateFiles(_files.Path))
        {
            using var file = File.OpenHandle(path, options: FileOptions.SequentialScan);
            var offset = 0L;
            while (RandomAccess.Read(file, _buffer, offset) is var read and > 0)
            {
                offset += read;
            }
        }

        return Task.FromResult(new Run(_row.Messages, started, Stopwatch.GetTimestamp()));
    }

    public ValueTask DisposeAsync()
    {
        _files.Dispose();
        return ValueTask.CompletedTask;
    }
}
