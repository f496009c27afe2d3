using Nightjar.Bench.Peer;

namespace Nightjar.Bench.Work;

/// <summary>What most rows of the client share: an <see cref="MqttClient"/> with default options, and a store if the row has one, and the peer's count of what it publishes.</summary>
internal abstract class ClientWork : IWork
{
    private readonly StoreDirectory? _files;
    private long _published;

    protected ClientWork(PeerEndpoint peer, Row row, string? directory = null)
    {
        Row = row;
        Payload = PublishTemplate.Payload(row.PayloadSize);
        Control = new PeerControl(peer.ControlPort);
        _files = row.Store is null ? null : new StoreDirectory(directory!);
        Client = new MqttClient(new MqttClientOptions($"mqtt://127.0.0.1:{peer.MqttPort}") { Session = { Store = _files?.Open(row.Store!.Value) } });
    }

    protected MqttClient Client { get; }

    protected PeerControl Control { get; }

    protected Row Row { get; }

    protected byte[] Payload { get; }

    /// <summary>Connects, and makes ready.</summary>
    public static async Task<IWork> ConnectAsync(ClientWork work)
    {
        await work.Client.ConnectAsync();
        await work.PrepareAsync();
        return work;
    }

    public abstract Task<Run> RunAsync(Quota quota);

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        Control.Dispose();
        _files?.Dispose();
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
