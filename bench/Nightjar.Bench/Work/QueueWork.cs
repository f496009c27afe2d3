using System.Diagnostics;
using Nightjar.Bench.Peer;

namespace Nightjar.Bench.Work;

/// <summary>
/// Enqueues while there is no connection, and drops the receipts. The clock stops when the last message is admitted and, with a store, committed; many callers wait for that at once. A client, and a
/// store, for each run.
/// </summary>
internal sealed class QueueWork(PeerEndpoint peer, Row row, string directory) : IWork
{
    private OfflineClient? _offline;
    private long _heapBefore;

    public async Task PrepareRunAsync()
    {
        await DisposeAsync();
        _offline = new OfflineClient(peer, row, directory);

        // What the first message brings along, a pool or a table, is no matter of a message's.
        await _offline.EnqueueAsync(1);
        _heapBefore = GC.GetTotalMemory(forceFullCollection: true);
    }

    public async Task<Run> RunAsync(Quota quota)
    {
        var started = Stopwatch.GetTimestamp();
        await _offline!.EnqueueAsync(row.Messages);
        return new Run(row.Messages, started, Stopwatch.GetTimestamp());
    }

    public long? CountLiveBytes()
    {
        var live = GC.GetTotalMemory(forceFullCollection: true) - _heapBefore;
        GC.KeepAlive(_offline);
        return live;
    }

    public async ValueTask DisposeAsync()
    {
        if (_offline is not null)
        {
            await _offline.DisposeAsync();
            _offline = null;
        }
    }
}
