namespace Nightjar.Protocol.Packets;

/// <summary>SUBSCRIBE (MQTT 5, 3.8).</summary>
public sealed class SubscribePacket
{
    /// <summary>1 to 65,535.</summary>
    public ushort PacketId { get; init; }

    /// <summary>At least one [MQTT5-3.8.3-2].</summary>
    public required IReadOnlyList<RequestedSubscription> Subscriptions { get; init; }

    /// <summary>5.0: 1 to 268,435,455; sent back with each message of these subscriptions.</summary>
    public uint? SubscriptionIdentifier { get; init; }

    /// <summary>5.0, in the order of the wire.</summary>
    public IReadOnlyList<UserProperty> UserProperties { get; init; } = [];
}

/// <summary>One filter of a SUBSCRIBE and its options (MQTT 5, 3.8.3.1).</summary>
/// <param name="Filter">A topic filter, perhaps shared.</param>
/// <param name="QoS">The highest QoS that messages may come with.</param>
public readonly record struct RequestedSubscription(string Filter, QoS QoS)
{
    /// <summary>5.0: do not send back what this client published.</summary>
    public bool NoLocal { get; init; }

    /// <summary>5.0: keep the RETAIN flag as it was published.</summary>
    public bool RetainAsPublished { get; init; }

    /// <summary>5.0: what to do with retained messages now.</summary>
    public RetainHandling RetainHandling { get; init; }
}
