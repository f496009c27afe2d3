using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Session;

/// <summary>What a CONNACK allows, with the specification's defaults where it is silent (MQTT 5, 3.2.2.3).</summary>
internal sealed record ServerLimits
{
    /// <summary>What 3.1 and 3.1.1 allow: everything, and no alias.</summary>
    public static ServerLimits None { get; } = new();

    public int ReceiveMaximum { get; init; } = ushort.MaxValue;

    public long MaximumPacketSize { get; init; } = long.MaxValue;

    public QoS MaximumQoS { get; init; } = QoS.ExactlyOnce;

    public bool RetainAvailable { get; init; } = true;

    public bool WildcardSubscriptionAvailable { get; init; } = true;

    public bool SubscriptionIdentifiersAvailable { get; init; } = true;

    public bool SharedSubscriptionAvailable { get; init; } = true;

    public int TopicAliasMaximum { get; init; }

    public static ServerLimits From(ConnAckPacket packet) => new()
    {
        ReceiveMaximum = packet.ReceiveMaximum ?? ushort.MaxValue,
        MaximumPacketSize = packet.MaximumPacketSize ?? long.MaxValue,
        MaximumQoS = packet.MaximumQoS ?? QoS.ExactlyOnce,
        RetainAvailable = packet.RetainAvailable ?? true,
        WildcardSubscriptionAvailable = packet.WildcardSubscriptionAvailable ?? true,
        SubscriptionIdentifiersAvailable = packet.SubscriptionIdentifiersAvailable ?? true,
        SharedSubscriptionAvailable = packet.SharedSubscriptionAvailable ?? true,
        TopicAliasMaximum = packet.TopicAliasMaximum ?? 0,
    };
}
