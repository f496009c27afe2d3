namespace Nightjar.Protocol.Tests.Engine.Simulated;

/// <summary>One application message.</summary>
internal readonly record struct ModelMessage(string Topic, string Payload, QoS QoS);

/// <summary>A message that the broker has to deliver, from its arrival to the client's last word.</summary>
internal sealed class ModelDelivery(ushort packetId, ModelMessage message)
{
    public ushort PacketId => packetId;

    public ModelMessage Message => message;

    /// <summary>PUBREC came: PUBREL is what to send.</summary>
    public bool Released { get; set; }

    /// <summary>It was sent on some connection, so that DUP is due.</summary>
    public bool SentEver { get; set; }

    /// <summary>It was sent on this connection.</summary>
    public bool SentNow { get; set; }
}

/// <summary>What the broker keeps of a client between its connections.</summary>
internal sealed class ModelSession
{
    public Dictionary<string, QoS> Subscriptions { get; } = new(StringComparer.Ordinal);

    /// <summary>In the order of arrival.</summary>
    public List<ModelDelivery> Deliveries { get; } = [];

    /// <summary>The client's QoS 2 identifiers that it has not released.</summary>
    public Dictionary<ushort, string> Received { get; } = [];

    /// <summary>The payload that each of the client's identifiers carried last, to see that DUP is set when it must be.</summary>
    public Dictionary<ushort, string> LastPayload { get; } = [];

    public ushort LastId { get; set; }
}
