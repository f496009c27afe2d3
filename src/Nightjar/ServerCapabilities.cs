namespace Nightjar;

/// <summary>
/// What the server's CONNACK said, word for word: null means "not said", which is not the same as saying the default. <see cref="ConnectResult"/> has the values in
/// effect. Before 5.0 a
/// CONNACK says none of it. (MQTT 5, 3.2.2.3)
/// </summary>
public sealed record ServerCapabilities
{
    /// <summary>How long the server keeps the session, in seconds, if it is not what was asked for.</summary>
    public uint? SessionExpiryInterval { get; init; }

    /// <summary>The most QoS 1 and 2 messages in flight towards the server.</summary>
    public ushort? ReceiveMaximum { get; init; }

    /// <summary>0 or 1.</summary>
    public QoS? MaximumQoS { get; init; }

    /// <summary>Whether the server retains messages.</summary>
    public bool? RetainAvailable { get; init; }

    /// <summary>The largest packet that the server takes, in bytes.</summary>
    public uint? MaximumPacketSize { get; init; }

    /// <summary>The name that the server gave to a client that had none.</summary>
    public string? AssignedClientIdentifier { get; init; }

    /// <summary>The most topic aliases that the server takes.</summary>
    public ushort? TopicAliasMaximum { get; init; }

    /// <summary>Whether the server does wildcard subscriptions.</summary>
    public bool? WildcardSubscriptionAvailable { get; init; }

    /// <summary>Whether it does subscription identifiers.</summary>
    public bool? SubscriptionIdentifiersAvailable { get; init; }

    /// <summary>Whether it does shared subscriptions.</summary>
    public bool? SharedSubscriptionAvailable { get; init; }

    /// <summary>The keep-alive that the server wants instead of the client's, in seconds.</summary>
    public ushort? ServerKeepAlive { get; init; }

    /// <summary>The basis for response topics.</summary>
    public string? ResponseInformation { get; init; }

    /// <summary>Another server to use.</summary>
    public string? ServerReference { get; init; }

    /// <summary>The method of enhanced authentication.</summary>
    public string? AuthenticationMethod { get; init; }
}
