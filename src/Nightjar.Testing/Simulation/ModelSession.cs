namespace Nightjar.Testing.Simulation;

/// <summary>A message that the broker has to deliver, from its arrival to the client's last word.</summary>
internal sealed class ModelDelivery(ushort packetId, IncomingRecord record)
{
    public ushort PacketId => packetId;

    public IncomingRecord Record => record;

    /// <summary>PUBREC came: PUBREL is what to send.</summary>
    public bool Released { get; set; }

    /// <summary>It was sent on some connection, so that DUP is due.</summary>
    public bool SentEver { get; set; }

    /// <summary>The connection that its PUBLISH was sent on last.</summary>
    public int SentOn { get; set; }

    /// <summary>It counts against the client's Receive Maximum on this connection.</summary>
    public bool IsCharged(int connection) => SentOn == connection;
}

/// <summary>What the broker keeps of a client between its connections.</summary>
internal sealed class ModelSession
{
    public Dictionary<string, QoS> Subscriptions { get; } = new(StringComparer.Ordinal);

    /// <summary>In the order of arrival.</summary>
    public List<ModelDelivery> Deliveries { get; } = [];

    /// <summary>The client's QoS 2 identifiers that it has not released, and which message took each.</summary>
    public Dictionary<ushort, int> Received { get; } = [];

    /// <summary>The message that each of the client's identifiers carried last, to see that DUP is set when it must be.</summary>
    public Dictionary<ushort, int> LastMessage { get; } = [];

    public ushort LastId { get; set; }

    public ushort NextId()
    {
        do
        {
            LastId = (ushort)((LastId % ushort.MaxValue) + 1);
        }
        while (Deliveries.Exists(delivery => delivery.PacketId == LastId));

        return LastId;
    }
}
