namespace Nightjar.Protocol.Packets;

/// <summary>AUTH: a step of enhanced authentication, 5.0 only (MQTT 5, 3.15).</summary>
public sealed class AuthPacket
{
    /// <summary>Success, ContinueAuthentication or ReAuthenticate.</summary>
    public ReasonCode ReasonCode { get; init; }

    /// <summary>The method; mandatory unless the packet is a bare success.</summary>
    public string? AuthenticationMethod { get; init; }

    /// <summary>The method's data.</summary>
    public ReadOnlyMemory<byte>? AuthenticationData { get; init; }

    /// <summary>A text for people.</summary>
    public string? ReasonString { get; init; }

    /// <summary>In the order of the wire.</summary>
    public IReadOnlyList<UserProperty> UserProperties { get; init; } = [];

    /// <summary>Names the method, never the data.</summary>
    public override string ToString() => $"AUTH {ReasonCode} {AuthenticationMethod}";
}
