using Nightjar.Bench.Peer;

namespace Nightjar.Bench.Work;

/// <summary>What all rows of the client share: an <see cref="MqttClient"/> with default options, and the peer's count of what it publishes.</summary>
internal abstract class ClientWork(PeerEndpoint peer, Row row) : IWork
{
    private long _published;

    protected MqttClient Client { get; } = new($"mqtt://127.0.0.1:{peer.MqttPort}");

    protected PeerControl Control { get; } = new(peer.ControlPort);

    protected Row Row { get; } = row;

    protected byte[] Payload { get; } = PublishTemplate.Payload(row.PayloadSize);

    /// <summary>Opens the work of a row.</summary>
    public static async Task<IWork> OpenAsync(PeerEndpoint peer, Row row)
    {
        ClientWork work = row switch
        {
            { Kind: RowKind.Receive } => new ReceiveWork(peer, row),
            { InFlight: 0 } => new PublishWork(peer, row),
            { IsLatency: true } => new LatencyWork(peer, row),
            _ => new WindowWork(peer, row),
        };
        await work.Client.ConnectAsync();
        await work.PrepareAsync();
        return work;
    }

    public abstract Task<Run> RunAsync(Quota quota);

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        Control.Dispose();
    }

    protected virtual Task PrepareAsync() => Task.CompletedTask;

    /// <summary>Waits until the peer has counted all of them, each with its whole payload.</summary>
    protected async Task<SinkReport> AwaitArrivalAsync(long messages)
    {
        _published += messages;
        var report = await Control.AwaitMessagesAsync(Client.ClientId, _published);
        report.Check(_published, Row.PayloadSize);
        return report;
    }
}
