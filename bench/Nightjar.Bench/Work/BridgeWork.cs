using Nightjar.Bench.Peer;

namespace Nightjar.Bench.Work;

/// <summary>
/// The peer publishes at QoS 1, a handler passes each message on to a second client, whose server is 20 ms away. The handler returns a receipt, so that many messages are on their way at once; or, as the
/// yardstick, it waits for each. The clock stops when the peer has the last acknowledgement of what it published, which is not before the far server's.
/// </summary>
internal sealed class BridgeWork : IWork
{
    private const string Target = "bench/bridged";

    private readonly Row _row;
    private readonly MqttClient _source;
    private readonly MqttClient _target;
    private readonly PeerControl _control;
    private long _passedOn;

    private BridgeWork(PeerEndpoint peer, Row row)
    {
        _row = row;
        _source = new MqttClient($"mqtt://127.0.0.1:{peer.MqttPort}");
        _target = new MqttClient($"mqtt://127.0.0.1:{peer.DelayedPort}");
        _control = new PeerControl(peer.ControlPort);
    }

    public static async Task<IWork> OpenAsync(PeerEndpoint peer, Row row, bool waitsForEach)
    {
        var work = new BridgeWork(peer, row);
        var options = new SubscribeOptions { QoS = (QoS)row.QoS };
        await work._target.ConnectAsync();
        var subscription = waitsForEach
            ? work._source.On(Row.Topic, async message => { await work._target.PublishAsync(OutgoingMessage.From(message, Target)); }, options)
            : work._source.On(Row.Topic, message => work._target.EnqueueAsync(OutgoingMessage.From(message, Target)), options);
        await subscription.Granted;
        return work;
    }

    public async Task<Run> RunAsync(Quota quota)
    {
        var sent = await _control.SendAsync(_source.ClientId, _row.QoS, _row.PayloadSize, quota);
        _passedOn += sent.Messages;
        (await _control.AwaitMessagesAsync(_target.ClientId, _passedOn)).Check(_passedOn, _row.PayloadSize);
        return new Run(sent.Messages, sent.Started, sent.Ended);
    }

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        await _target.DisposeAsync();
        _control.Dispose();
    }
}
