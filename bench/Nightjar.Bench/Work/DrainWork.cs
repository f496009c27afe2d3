using System.Diagnostics;
using Nightjar.Bench.Peer;

namespace Nightjar.Bench.Work;

/// <summary>
/// What was queued without a connection goes out: the clock runs from <see cref="MqttClient.ConnectAsync"/> until <see cref="MqttClient.DrainAsync"/> says that all of it is acknowledged. A client, and a
/// store, for each run.
/// </summary>
internal sealed class DrainWork(PeerEndpoint peer, Row row, string directory) : IWork
{
    private OfflineClient? _offline;

    public async Task PrepareRunAsync()
    {
        await DisposeAsync();
        _offline = new OfflineClient(peer, row, directory);
        await _offline.EnqueueAsync(row.Messages);
    }

    public async Task<Run> RunAsync(Quota quota)
    {
        var client = _offline!.Client;
        var started = Stopwatch.GetTimestamp();
        await client.ConnectAsync();
        await client.DrainAsync();
        var ended = Stopwatch.GetTimestamp();

        using var control = new PeerControl(peer.ControlPort);
        (await control.AwaitMessagesAsync(client.ClientId, row.Messages)).Check(row.Messages, row.PayloadSize);
        return new Run(row.Messages, started, ended);
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
