using Nightjar.Bench.Peer;

namespace Nightjar.AllocationProof;

/// <summary>A kind of use that must not allocate in steady state.</summary>
internal abstract class Workload(MqttClient client, PeerControl control)
{
    protected const string Topic = "proof/topic/1";
    protected const int PayloadSize = 16;

    protected MqttClient Client { get; } = client;

    protected PeerControl Control { get; } = control;

    /// <summary>
    /// How many messages it takes until the pools have grown to what this workload ever needs. In a flood it is chance how far one side gets ahead of
    /// the other, so the flood must last; about a second.
    /// </summary>
    public abstract int WarmUp { get; }

    public static Workload Create(string name, MqttClient client, PeerControl control, CancellationToken cancellable) => name switch
    {
        "publish-qos0" => new Publishing(client, control, QoS.AtMostOnce, inFlight: 1, cancellable),
        "publish-qos1" => new Publishing(client, control, QoS.AtLeastOnce, inFlight: 1, cancellable),
        "publish-qos1-w100" => new Publishing(client, control, QoS.AtLeastOnce, inFlight: 100, cancellable),
        "receive-qos0" => new Receiving(client, control, QoS.AtMostOnce),
        "receive-qos1" => new Receiving(client, control, QoS.AtLeastOnce),
        _ => throw new ArgumentException($"no workload {name}", nameof(name)),
    };

    /// <summary>Moves the messages; returns when the peer or the handler has the last, and throws if one is missing.</summary>
    public abstract Task RunAsync(int messages);
}
