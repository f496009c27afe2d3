using Nightjar.Bench.Peer;

namespace Nightjar.AllocationProof;

/// <summary>Receives leased messages, looks at topic and payload, and waits for the last, which is marked.</summary>
internal sealed class Receiving(MqttClient client, PeerControl control, QoS qos) : Workload(client, control)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private TaskCompletionSource? _last;
    private Subscription? _subscription;
    private int _received;

    public override int WarmUp => qos == QoS.AtMostOnce ? 4_000_000 : 500_000;

    public override async Task RunAsync(int messages)
    {
        _subscription ??= Client.OnLeased(Topic, Take, new SubscribeOptions { QoS = qos });
        await _subscription.Granted;
        _received = 0;
        _last = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        await Control.SendAsync(Client.ClientId, (int)qos, PayloadSize, Quota.Of(messages));
        await _last.Task.WaitAsync(Patience);
        if (_received != messages)
        {
            throw new InvalidOperationException($"{messages} messages were sent, {_received} arrived");
        }
    }

    private void Take(LeasedMessage message)
    {
        var payload = message.Payload.Span;
        _received += message.Topic == Topic && payload.Length == PayloadSize ? 1 : 0;
        if (payload[0] == PublishTemplate.LastMark)
        {
            _last!.SetResult();
        }
    }
}
