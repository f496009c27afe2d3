using System.Diagnostics;
using Nightjar.Bench.Peer;

namespace Nightjar.Bench.Work;

/// <summary>
/// Enqueues while there is no connection, and drops the receipts. The clock stops when the last message is admitted and, with a store, committed; many callers wait for that at once. A client, and a
/// store, for each run.
/// </summary>
internal sealed class QueueWork(PeerEndpoint peer, Row row, string directory) : IWork
{
    // They keep what they have to the end: else the next one would find its memory in the array pool, and seem to weigh less.
    private readonly List<OfflineClient> _clients = [];
    private long _heapBefore;

    public async Task PrepareRunAsync()
    {
        var client = new OfflineClient(peer, row, directory);
        _clients.Add(client);

        // What the first message brings along, a pool or a table, is no matter of a message's.
        await client.EnqueueAsync(1);
        _heapBefore = GC.GetTotalMemory(forceFullCollection: true);
    }

    public async Task<Run> RunAsync(Quota quota)
    {
        var started = Stopwatch.GetTimestamp();
        await _clients[^1].EnqueueAsync(row.Messages);
        return new Run(row.Messages, started, Stopwatch.GetTimestamp());
    }

    public long? CountLiveBytes() => GC.GetTotalMemory(forceFullCollection: true) - _heapBefore;

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
        {
            await client.DisposeAsync();
        }
    }
}
