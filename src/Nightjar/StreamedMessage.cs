using Nightjar.Subscriptions;

namespace Nightjar;

/// <summary>
/// A received message whose payload is read as it arrives, so that it may be larger than memory allows; see <see cref="MqttClient.OnStream"/>. Topic and properties are there from the
/// beginning and stay valid; <see cref="Payload"/> is over when the handler's task ends.
/// </summary>
public sealed class StreamedMessage
{
    private readonly MqttMessage _head;

    internal StreamedMessage(MqttMessage head, StreamedPayload payload)
    {
        _head = head;
        Payload = payload;
    }

    /// <summary>The topic it was published to.</summary>
    public string Topic => _head.Topic;

    /// <summary>How many bytes the whole payload has.</summary>
    public long Length => Payload.Length;

    /// <summary>
    /// The bytes, once, from the beginning; <see cref="Stream.Position"/> says how far the reading has come. Asynchronous only, one read at a time. While it is not read, the client
    /// soon stops reading from the network. If the connection ends before the last byte, reading throws <see cref="MqttDisconnectedException"/>; at QoS 1 and 2 the message
    /// comes again.
    /// </summary>
    public Stream Payload { get; }

    /// <summary>How it was delivered.</summary>
    public QoS QoS => _head.QoS;

    /// <summary>It was stored before the subscription was made (or, with Retain As Published, published so).</summary>
    public bool Retain => _head.Retain;

    /// <summary>The server sent it before and had no answer.</summary>
    public bool Duplicate => _head.Duplicate;

    /// <summary>The packet identifier; 0 at QoS 0.</summary>
    public ushort PacketId => _head.PacketId;

    /// <inheritdoc cref="MqttMessage.DeliveryId"/>
    public long DeliveryId => _head.DeliveryId;

    /// <summary>5.0: what is left of its time to live; null if it has none.</summary>
    public TimeSpan? TimeToLive => _head.TimeToLive;

    /// <summary>5.0.</summary>
    public PayloadFormat? PayloadFormat => _head.PayloadFormat;

    /// <summary>5.0.</summary>
    public string? ContentType => _head.ContentType;

    /// <summary>5.0: where an answer is expected.</summary>
    public string? ResponseTopic => _head.ResponseTopic;

    /// <summary>5.0: what the answer should carry.</summary>
    public ReadOnlyMemory<byte>? CorrelationData => _head.CorrelationData;

    /// <summary>5.0: in the order of the wire.</summary>
    public IReadOnlyList<UserProperty> UserProperties => _head.UserProperties;

    /// <summary>5.0: the identifiers of the subscriptions that it matched.</summary>
    public IReadOnlyList<uint> SubscriptionIdentifiers => _head.SubscriptionIdentifiers;

    /// <summary>Acknowledges it now, once; see <see cref="MqttMessage.Acknowledge"/>. It goes out when the last byte has come. At QoS 0 nothing happens.</summary>
    public void Acknowledge(ReasonCode reasonCode = ReasonCode.Success) => _head.Acknowledge(reasonCode);

    /// <summary>Leaves it unacknowledged: the server sends it again on the next connection. At QoS 0 nothing happens.</summary>
    public void LeaveUnacknowledged() => _head.LeaveUnacknowledged();

    /// <summary>Topic, QoS and size; not the payload.</summary>
    public override string ToString() => $"{Topic} QoS {(int)QoS} {Length} B";
}
