namespace Nightjar;

/// <summary>What the server publishes when this client goes without a DISCONNECT (MQTT 5, 3.1.2.5).</summary>
public sealed record WillMessage
{
    /// <summary>A topic name.</summary>
    public required string Topic { get; init; }

    /// <summary>At most 65,535 bytes.</summary>
    public ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>Default: 1.</summary>
    public QoS QoS { get; init; } = QoS.AtLeastOnce;

    /// <summary>Whether it is retained. Default: false.</summary>
    public bool Retain { get; init; }

    /// <summary>5.0: how long the server waits for the client to come back. Default: zero; whole seconds.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>5.0: null, not sent.</summary>
    public PayloadFormat? PayloadFormat { get; init; }

    /// <summary>5.0: whole seconds. Default: null, it never expires.</summary>
    public TimeSpan? TimeToLive { get; init; }

    /// <summary>5.0: a MIME type, for instance.</summary>
    public string? ContentType { get; init; }

    /// <summary>5.0: a topic name.</summary>
    public string? ResponseTopic { get; init; }

    /// <summary>5.0.</summary>
    public ReadOnlyMemory<byte>? CorrelationData { get; init; }

    /// <summary>5.0.</summary>
    public IReadOnlyList<UserProperty> UserProperties { get; init; } = [];

    /// <summary>A copy that shares nothing that can change.</summary>
    internal WillMessage Snapshot() => this with
    {
        Payload = Payload.ToArray(),
        CorrelationData = CorrelationData is { } data ? data.ToArray() : (ReadOnlyMemory<byte>?)null,
        UserProperties = [.. UserProperties],
    };
}
