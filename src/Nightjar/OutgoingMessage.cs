using System.Buffers;
using System.Text;

namespace Nightjar;

/// <summary>A message to publish. The properties of MQTT 5 are left out with 3.1 and 3.1.1.</summary>
public sealed record OutgoingMessage
{
    /// <summary>A message without payload; set <see cref="Payload"/>.</summary>
    public OutgoingMessage()
    {
    }

    /// <summary>A message of text, as UTF-8.</summary>
    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public OutgoingMessage(string topic, string text)
    {
        Topic = topic;
        Payload = new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(text));
    }

    /// <summary>A message of bytes; they are read during the call that publishes it, and may be used again when that ends.</summary>
    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public OutgoingMessage(string topic, ReadOnlyMemory<byte> payload)
    {
        Topic = topic;
        Payload = new ReadOnlySequence<byte>(payload);
    }

    /// <summary>A topic name: no wildcards, at most 65,535 bytes of UTF-8.</summary>
    public required string Topic { get; init; }

    /// <summary>The bytes; empty removes a retained message.</summary>
    public ReadOnlySequence<byte> Payload { get; init; }

    /// <summary>Default: 1.</summary>
    public QoS QoS { get; init; } = QoS.AtLeastOnce;

    /// <summary>Whether the server keeps it for later subscribers. Default: false.</summary>
    public bool Retain { get; init; }

    /// <summary>5.0: whole seconds (Message Expiry Interval). Default: null, it never expires.</summary>
    public TimeSpan? TimeToLive { get; init; }

    /// <summary>5.0: null, not sent.</summary>
    public PayloadFormat? PayloadFormat { get; init; }

    /// <summary>5.0: a MIME type, for instance.</summary>
    public string? ContentType { get; init; }

    /// <summary>5.0: where an answer is expected; a topic name.</summary>
    public string? ResponseTopic { get; init; }

    /// <summary>5.0: what the answer should carry.</summary>
    public ReadOnlyMemory<byte>? CorrelationData { get; init; }

    /// <summary>5.0: in the order of the wire.</summary>
    public IReadOnlyList<UserProperty> UserProperties { get; init; } = [];

    /// <summary>5.0: an alias of the application's own choice, 1 to the server's Topic Alias Maximum. Default: null, the client chooses.</summary>
    public ushort? TopicAlias { get; init; }
}
