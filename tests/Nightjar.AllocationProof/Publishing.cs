using System.Diagnostics.CodeAnalysis;
using Nightjar.Bench.Peer;

namespace Nightjar.AllocationProof;

/// <summary>Publishes with a token that could be cancelled, keeps so many in flight and awaits the oldest.</summary>
internal sealed class Publishing(MqttClient client, PeerControl control, QoS qos, int inFlight, CancellationToken cancellable) : Workload(client, control)
{
    private readonly ValueTask<PublishResult>[] _ring = new ValueTask<PublishResult>[inFlight];
    private readonly byte[] _payload = PublishTemplate.Payload(PayloadSize);
    private long _published;

    public override int WarmUp => qos == QoS.AtMostOnce ? 4_000_000 : inFlight * 5_000;

    [SuppressMessage("Reliability", "CA2012:Use ValueTasks correctly", Justification = "Each is kept in the ring until it is awaited, once.")]
    public override async Task RunAsync(int messages)
    {
        for (var index = 0; index < messages + _ring.Length; index++)
        {
            var at = index % _ring.Length;
            await _ring[at];
            _ring[at] = index < messages ? Client.PublishAsync(Topic, _payload, qos, cancellationToken: cancellable) : default;
        }

        _published += messages;
        var arrived = await Control.AwaitMessagesAsync(Client.ClientId, _published);
        if (arrived.Messages != _published || arrived.PayloadBytes != _published * PayloadSize)
        {
            throw new InvalidOperationException($"{_published} messages were sent, {arrived.Messages} arrived");
        }
    }
}
