using System.Diagnostics;
using Nightjar.Bench.Peer;

namespace Nightjar.Bench.Work;

/// <summary>Opens a client on a store in which many messages wait to be sent: from <see cref="MqttClient.OpenAsync"/> to its end. They are still there afterwards, for the next run.</summary>
internal sealed class SessionRecoveryWork : IWork
{
    private readonly PeerEndpoint _peer;
    private readonly Row _row;
    private readonly StoreDirectory _files;
    private OfflineClient? _offline;

    private SessionRecoveryWork(PeerEndpoint peer, Row row, StoreDirectory files)
    {
        _peer = peer;
        _row = row;
        _files = files;
    }

    public static async Task<IWork> OpenAsync(PeerEndpoint peer, Row row, string directory)
    {
        var files = new StoreDirectory(directory);
        await FillAsync(peer, row, files);
        return new SessionRecoveryWork(peer, row, files);
    }

    /// <summary>Enqueues the messages, and ends the client that did.</summary>
    public static async Task FillAsync(PeerEndpoint peer, Row row, StoreDirectory files)
    {
        await using var offline = new OfflineClient(peer, row, files);
        await offline.EnqueueAsync(row.Messages);
    }

    public async Task PrepareRunAsync()
    {
        await CloseAsync();
        _offline = new OfflineClient(_peer, _row, _files);
    }

    public async Task<Run> RunAsync(Quota quota)
    {
        var client = _offline!.Client;
        var started = Stopwatch.GetTimestamp();
        await client.OpenAsync();
        var ended = Stopwatch.GetTimestamp();
        var restored = client.Statistics.PendingMessages;
        return restored == _row.Messages
            ? new Run(restored, started, ended)
            : throw new InvalidOperationException($"{_row.Messages} messages were enqueued; {restored} were restored");
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        _files.Dispose();
    }

    private async ValueTask CloseAsync()
    {
        if (_offline is not null)
        {
            await _offline.DisposeAsync();
            _offline = null;
        }
    }
}
