namespace Nightjar.Protocol.Packets;

/// <summary>SUBACK: one code per filter, in the order of the SUBSCRIBE (MQTT 5, 3.9).</summary>
public sealed class SubAckPacket
{
    /// <summary>That of the SUBSCRIBE.</summary>
    public ushort PacketId { get; init; }

    /// <summary>Granted QoS or a failure; 3.1 and 3.1.1 know only 0x80.</summary>
    public required IReadOnlyList<ReasonCode> ReasonCodes { get; init; }

    /// <summary>5.0: a text for people.</summary>
    public string? ReasonString { get; init; }

    /// <summary>5.0, in the order of the wire.</summary>
    public IReadOnlyList<UserProperty> UserProperties { get; init; } = [];
}
