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

    /// <summary>
    /// How long it is worth sending. The time counts down while the message waits in the outbox: when it is over before the message was sent for the first time, the message is dropped, which is
    /// reported. 5.0: what is left goes out with it, in whole seconds, rounded up (Message Expiry Interval), and the server counts on. Before 5.0 it counts here only. Default: null, it never
    /// expires.
    /// </summary>
    public TimeSpan? TimeToLive { get; init; }

    /// <summary>
    /// The application's own identifier of this message, which makes sending it idempotent: while a message with it is pending, or among the last that were delivered
    /// (<see cref="OutboxOptions.RememberedIds"/>), another one with the same identifier is not sent; its sender gets the result of the first. 1 to 256 bytes of UTF-8; it stays on this side. Default:
    /// null, none.
    /// </summary>
    public string? Id { get; init; }

    /// <summary>
    /// What happens to it if there is no connection. Default: null, what <see cref="OutboxOptions.WhenOffline"/> or, at QoS 0, <see cref="OutboxOptions.AtMostOnceWhenOffline"/> says.
    /// <see cref="WhenOffline.Drop"/> is for QoS 0 only.
    /// </summary>
    public WhenOffline? WhenOffline { get; init; }

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

    /// <summary>
    /// A received message as one to send: payload, QoS, RETAIN and all properties but those that belong to a connection; what is left of its time to live goes with it. The bytes are not copied.
    /// Add what is to be different with <c>with</c>.
    /// </summary>
    /// <param name="message">The received message.</param>
    /// <param name="topic">Where to send it. Default: null, its own topic.</param>
    public static OutgoingMessage From(MqttMessage message, string? topic = null)
    {
        ArgumentNullException.ThrowIfNull(message);
        return new OutgoingMessage
        {
            Topic = topic ?? message.Topic,
            Payload = new ReadOnlySequence<byte>(message.Payload),
            QoS = message.QoS,
            Retain = message.Retain,
            TimeToLive = message.TimeToLive,
            PayloadFormat = message.PayloadFormat,
            ContentType = message.ContentType,
            ResponseTopic = message.ResponseTopic,
            CorrelationData = message.CorrelationData,
            UserProperties = message.UserProperties,
        };
    }
}
