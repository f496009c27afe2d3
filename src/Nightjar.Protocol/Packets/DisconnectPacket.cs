namespace Nightjar.Protocol.Packets;

/// <summary>DISCONNECT (MQTT 5, 3.14). In 3.1 and 3.1.1 a bare packet that only the client sends.</summary>
public sealed class DisconnectPacket
{
    /// <summary>5.0: why the connection ends.</summary>
    public ReasonCode ReasonCode { get; init; }

    /// <summary>5.0, from the client alone [MQTT5-3.14.2-2]: seconds that replace those of CONNECT; not above 0 if CONNECT said 0.</summary>
    public uint? SessionExpiryInterval { get; init; }

    /// <summary>5.0: a text for people.</summary>
    public string? ReasonString { get; init; }

    /// <summary>5.0, from the server: another server to use.</summary>
    public string? ServerReference { get; init; }

    /// <summary>5.0, in the order of the wire.</summary>
    public IReadOnlyList<UserProperty> UserProperties { get; init; } = [];
}
