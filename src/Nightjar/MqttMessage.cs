using System.Text;

namespace Nightjar;

/// <summary>A received message: a copy of its own, valid for ever, immutable, safe from any thread.</summary>
public sealed class MqttMessage
{
    internal MqttMessage(string topic, ReadOnlyMemory<byte> payload)
    {
        Topic = topic;
        Payload = payload;
    }

    /// <summary>The topic it was published to.</summary>
    public string Topic { get; }

    /// <summary>The bytes.</summary>
    public ReadOnlyMemory<byte> Payload { get; }

    /// <summary>The payload as UTF-8 text; bytes that are none become U+FFFD.</summary>
    public string Text => Encoding.UTF8.GetString(Payload.Span);

    /// <summary>How it was delivered.</summary>
    public QoS QoS { get; internal init; }

    /// <summary>It was stored before the subscription was made (or, with Retain As Published, published so).</summary>
    public bool Retain { get; internal init; }

    /// <summary>The server sent it before and had no answer.</summary>
    public bool Duplicate { get; internal init; }

    /// <summary>The packet identifier; 0 at QoS 0.</summary>
    public ushort PacketId { get; internal init; }

    /// <summary>
    /// With a <see cref="SessionOptions.Store"/>, at QoS 1 and 2: the number of this delivery, unique in the store. A message whose handler was running when the process was killed comes again, and then
    /// carries the same number: an application that keeps the number together with what it does for the message does it exactly once. 0 at QoS 0, and without a store.
    /// </summary>
    public long DeliveryId { get; internal init; }

    /// <summary>5.0: what is left of its time to live; null if it has none.</summary>
    public TimeSpan? TimeToLive => Properties?.TimeToLive;

    /// <summary>5.0.</summary>
    public PayloadFormat? PayloadFormat => Properties?.PayloadFormat;

    /// <summary>5.0.</summary>
    public string? ContentType => Properties?.ContentType;

    /// <summary>5.0: where an answer is expected.</summary>
    public string? ResponseTopic => Properties?.ResponseTopic;

    /// <summary>5.0: what the answer should carry.</summary>
    public ReadOnlyMemory<byte>? CorrelationData => Properties?.CorrelationData;

    /// <summary>5.0: in the order of the wire.</summary>
    public IReadOnlyList<UserProperty> UserProperties => Properties?.UserProperties ?? [];

    /// <summary>5.0: the identifiers of the subscriptions that it matched: those of <see cref="SubscribeOptions.SubscriptionIdentifier"/>, and those that the client chose itself.</summary>
    public IReadOnlyList<uint> SubscriptionIdentifiers => Properties?.SubscriptionIdentifiers ?? RouteIdentifiers;

    /// <summary>5.0: the topic alias that it came with; null if it had none.</summary>
    public ushort? TopicAlias => Properties?.TopicAlias;

    internal MessageProperties? Properties { get; init; }

    /// <summary>The identifiers of a message that has no other properties.</summary>
    internal IReadOnlyList<uint> RouteIdentifiers { get; init; } = [];

    /// <summary>The same message under the topic that was meant.</summary>
    internal MqttMessage WithTopic(string topic) => new(topic, Payload)
    {
        QoS = QoS,
        Retain = Retain,
        Duplicate = Duplicate,
        PacketId = PacketId,
        DeliveryId = DeliveryId,
        Properties = Properties,
        RouteIdentifiers = RouteIdentifiers,
        Acknowledgement = Acknowledgement,
    };

    internal MessageAcknowledgement? Acknowledgement { get; init; }

    /// <summary>A level of the topic; of <c>home/kitchen</c>, 0 is <c>home</c>. Empty if there are not so many.</summary>
    /// <param name="index">From 0; not negative.</param>
    public ReadOnlySpan<char> Level(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        var topic = Topic.AsSpan();
        foreach (var level in topic.Split('/'))
        {
            if (index-- == 0)
            {
                return topic[level];
            }
        }

        return default;
    }

    /// <summary>
    /// Acknowledges it now, from any thread, once; see <see cref="MessageAcknowledgement.Acknowledge"/>. With <see cref="AcknowledgeMode.Manual"/> nobody else does. At QoS 0, and
    /// for a message that was acknowledged at its arrival, nothing happens.
    /// </summary>
    /// <param name="reasonCode">Default: success. 5.0: a failure refuses the message, and the server does not send it again.</param>
    /// <exception cref="ArgumentOutOfRangeException">A code that PUBACK and PUBREC do not know.</exception>
    /// <exception cref="NotSupportedException">A failure, before 5.0.</exception>
    public void Acknowledge(ReasonCode reasonCode = ReasonCode.Success) => Acknowledgement?.Acknowledge(reasonCode);

    /// <summary>Leaves it unacknowledged: the server sends it again on the next connection. At QoS 0 nothing happens.</summary>
    public void LeaveUnacknowledged() => Acknowledgement?.LeaveUnacknowledged();

    /// <summary>Topic, QoS and size; not the payload.</summary>
    public override string ToString() => $"{Topic} QoS {(int)QoS} {Payload.Length} B";
}
