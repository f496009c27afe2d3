namespace Nightjar.Protocol.Packets;

/// <summary>UNSUBACK (MQTT 5, 3.11).</summary>
public sealed class UnsubAckPacket
{
    /// <summary>That of the UNSUBSCRIBE.</summary>
    public ushort PacketId { get; init; }

    /// <summary>5.0: one code per filter, in the order of the UNSUBSCRIBE; empty in 3.1 and 3.1.1.</summary>
    public IReadOnlyList<ReasonCode> ReasonCodes { get; init; } = [];

    /// <summary>5.0: a text for people.</summary>
    public string? ReasonString { get; init; }

    /// <summary>5.0, in the order of the wire.</summary>
    public IReadOnlyList<UserProperty> UserProperties { get; init; } = [];
}
