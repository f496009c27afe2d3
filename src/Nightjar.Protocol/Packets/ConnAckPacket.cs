namespace Nightjar.Protocol.Packets;

/// <summary>CONNACK: the server's answer to CONNECT (MQTT 5, 3.2). Properties are 5.0 only; null means "not sent".</summary>
public sealed class ConnAckPacket
{
    /// <summary>The server has this client's session. Not to be had in 3.1.</summary>
    public bool SessionPresent { get; init; }

    /// <summary>Success, or why not. The codes 1 to 5 of 3.1 and 3.1.1 are read as their counterparts.</summary>
    public ReasonCode ReasonCode { get; init; }

    /// <summary>Seconds; replaces the client's.</summary>
    public uint? SessionExpiryInterval { get; init; }

    /// <summary>1 to 65,535; default 65,535.</summary>
    public ushort? ReceiveMaximum { get; init; }

    /// <summary>0 or 1; default: QoS 2.</summary>
    public QoS? MaximumQoS { get; init; }

    /// <summary>Default true.</summary>
    public bool? RetainAvailable { get; init; }

    /// <summary>Bytes, at least 1; default: no limit.</summary>
    public uint? MaximumPacketSize { get; init; }

    /// <summary>The name that the server gave to a client that had none.</summary>
    public string? AssignedClientIdentifier { get; init; }

    /// <summary>Default 0: the client may send no alias.</summary>
    public ushort? TopicAliasMaximum { get; init; }

    /// <summary>A text for people.</summary>
    public string? ReasonString { get; init; }

    /// <summary>Default true.</summary>
    public bool? WildcardSubscriptionAvailable { get; init; }

    /// <summary>Default true.</summary>
    public bool? SubscriptionIdentifiersAvailable { get; init; }

    /// <summary>Default true.</summary>
    public bool? SharedSubscriptionAvailable { get; init; }

    /// <summary>Seconds; replaces the client's.</summary>
    public ushort? ServerKeepAlive { get; init; }

    /// <summary>The basis for response topics.</summary>
    public string? ResponseInformation { get; init; }

    /// <summary>Another server to use.</summary>
    public string? ServerReference { get; init; }

    /// <summary>Enhanced authentication.</summary>
    public string? AuthenticationMethod { get; init; }

    /// <summary>Enhanced authentication.</summary>
    public ReadOnlyMemory<byte>? AuthenticationData { get; init; }

    /// <summary>In the order of the wire.</summary>
    public IReadOnlyList<UserProperty> UserProperties { get; init; } = [];
}
