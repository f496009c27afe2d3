namespace Nightjar.Protocol.Packets;

/// <summary>UNSUBSCRIBE (MQTT 5, 3.10).</summary>
public sealed class UnsubscribePacket
{
    /// <summary>1 to 65,535.</summary>
    public ushort PacketId { get; init; }

    /// <summary>At least one [MQTT5-3.10.3-2].</summary>
    public required IReadOnlyList<string> Filters { get; init; }

    /// <summary>5.0, in the order of the wire.</summary>
    public IReadOnlyList<UserProperty> UserProperties { get; init; } = [];
}
