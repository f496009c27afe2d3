namespace Nightjar;

/// <summary>What a DISCONNECT says (MQTT 5; 3.1 and 3.1.1 send it bare).</summary>
public sealed record DisconnectOptions
{
    /// <summary>Default: a normal disconnection. <see cref="ReasonCode.DisconnectWithWillMessage"/> makes the server publish the will.</summary>
    public ReasonCode ReasonCode { get; init; }

    /// <summary>A text for the server's log.</summary>
    public string? ReasonString { get; init; }

    /// <summary>Replaces the session expiry of CONNECT; zero ends the session now. Default: null, unchanged.</summary>
    public TimeSpan? SessionExpiryInterval { get; init; }

    /// <summary>In the order of the wire.</summary>
    public IReadOnlyList<UserProperty> UserProperties { get; init; } = [];
}
