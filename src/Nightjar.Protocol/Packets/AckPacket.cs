namespace Nightjar.Protocol.Packets;

/// <summary>PUBACK, PUBREC, PUBREL or PUBCOMP: four packets of one form (MQTT 5, 3.4 to 3.7).</summary>
/// <param name="Type">Which of the four.</param>
/// <param name="PacketId">1 to 65,535.</param>
/// <param name="ReasonCode">5.0; always success in 3.1 and 3.1.1.</param>
public readonly record struct AckPacket(PacketType Type, ushort PacketId, ReasonCode ReasonCode = ReasonCode.Success)
{
    /// <summary>5.0: a text for people, or null.</summary>
    public string? ReasonString { get; init; }

    /// <summary>5.0: null if there are none.</summary>
    public IReadOnlyList<UserProperty>? UserProperties { get; init; }
}
