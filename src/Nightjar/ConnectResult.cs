using Nightjar.Diagnostics;

namespace Nightjar;

/// <summary>What the server agreed to: the content of a CONNACK, with the defaults of the specification where it was silent.</summary>
public sealed record ConnectResult
{
    /// <summary>The version that is spoken.</summary>
    public required MqttVersion Version { get; init; }

    /// <summary>The client identifier in use, the server's if it assigned one.</summary>
    public required string ClientId { get; init; }

    /// <summary>The server kept the session.</summary>
    public bool SessionPresent { get; init; }

    /// <summary>How long the server keeps the session after the connection; <see cref="Timeout.InfiniteTimeSpan"/>: for ever.</summary>
    public TimeSpan SessionExpiryInterval { get; init; }

    /// <summary>The keep-alive in use.</summary>
    public TimeSpan KeepAlive { get; init; }

    /// <summary>The most QoS 1 and 2 messages in flight.</summary>
    public int ReceiveMaximum { get; init; } = 65_535;

    /// <summary>The largest packet that the server takes, in bytes; null: no limit.</summary>
    public uint? MaximumPacketSize { get; init; }

    /// <summary>The highest QoS that the server does.</summary>
    public QoS MaximumQoS { get; init; } = QoS.ExactlyOnce;

    /// <summary>Whether the server retains messages.</summary>
    public bool RetainAvailable { get; init; } = true;

    /// <summary>Whether it does wildcard subscriptions.</summary>
    public bool WildcardSubscriptionAvailable { get; init; } = true;

    /// <summary>Whether it does subscription identifiers.</summary>
    public bool SubscriptionIdentifiersAvailable { get; init; } = true;

    /// <summary>Whether it does shared subscriptions.</summary>
    public bool SharedSubscriptionAvailable { get; init; } = true;

    /// <summary>The most topic aliases that it takes.</summary>
    public int TopicAliasMaximum { get; init; }

    /// <summary>5.0: the basis for response topics.</summary>
    public string? ResponseInformation { get; init; }

    /// <summary>5.0: a text for people.</summary>
    public string? ReasonString { get; init; }

    /// <summary>5.0: in the order of the wire.</summary>
    public IReadOnlyList<UserProperty> UserProperties { get; init; } = [];

    /// <summary>What the server said itself, without the defaults of the specification.</summary>
    public ServerCapabilities Announced { get; init; } = new();

    /// <summary>The network connection under it; null in a result that no client made.</summary>
    public TransportInfo? Transport { get; init; }

    /// <summary>One line for people.</summary>
    public override string ToString() =>
        $"{Version} as '{OneLine.Of(ClientId)}', {(SessionPresent ? "session kept" : "new session")}, keep-alive {OneLine.Seconds(KeepAlive)}{(Transport is null ? "" : $", {Transport}")}";
}
