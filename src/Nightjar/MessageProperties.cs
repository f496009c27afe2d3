namespace Nightjar;

/// <summary>The MQTT 5 properties of a received message, decoded; most messages have none.</summary>
internal sealed class MessageProperties
{
    public TimeSpan? TimeToLive { get; set; }

    public PayloadFormat? PayloadFormat { get; set; }

    public string? ContentType { get; set; }

    public string? ResponseTopic { get; set; }

    public ReadOnlyMemory<byte>? CorrelationData { get; set; }

    public List<UserProperty> UserProperties { get; } = [];

    public List<uint> SubscriptionIdentifiers { get; } = [];

    public ushort? TopicAlias { get; set; }

    /// <summary>Reads a validated property section; null for an empty one.</summary>
    public static MessageProperties? Read(ReadOnlySpan<byte> section) => throw new NotSupportedException("skeleton");
}
