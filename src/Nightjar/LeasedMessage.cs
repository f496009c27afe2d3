using Nightjar.Subscriptions;

namespace Nightjar;

/// <summary>
/// A received message that still lies in the receive buffer: nothing was copied or allocated. Valid until the handler's task ends; then every member
/// throws <see cref="InvalidOperationException"/>. <see cref="ToMessage"/> keeps it.
/// </summary>
public readonly struct LeasedMessage
{
    private readonly MessageLease? _lease;
    private readonly int _generation;

    internal LeasedMessage(MessageLease lease, int generation)
    {
        _lease = lease;
        _generation = generation;
    }

    /// <summary>The topic as UTF-8.</summary>
    public ReadOnlySpan<byte> TopicUtf8 => Message.Route.Topic.Span;

    /// <summary>The topic; messages of one topic share the string, so in steady state nothing is allocated.</summary>
    public string Topic => Message.Route.Name;

    /// <summary>The bytes.</summary>
    public ReadOnlyMemory<byte> Payload => Message.Payload;

    /// <summary>How it was delivered.</summary>
    public QoS QoS => Message.QoS;

    /// <summary>It was stored before the subscription was made.</summary>
    public bool Retain => Message.Retain;

    /// <summary>The server sent it before and had no answer.</summary>
    public bool Duplicate => Message.Duplicate;

    /// <summary>The packet identifier; 0 at QoS 0.</summary>
    public ushort PacketId => Message.PacketId;

    /// <inheritdoc cref="MqttMessage.DeliveryId"/>
    public long DeliveryId => Message.DeliveryId;

    /// <summary>5.0: the property section as it came; read it with <see cref="Protocol.Codec.PropertyReader"/>.</summary>
    public ReadOnlySpan<byte> Properties => Message.Properties;

    /// <summary>
    /// The right to acknowledge it, to be kept beyond the handler (it is an object: asking for it allocates). Null if there is nothing to acknowledge: at QoS 0, and with
    /// <see cref="AcknowledgeMode.AtArrival"/>.
    /// </summary>
    public MessageAcknowledgement? Acknowledgement => Lease.Acknowledgement(_generation);

    private MessageLease Lease => _lease ?? throw new InvalidOperationException("This leased message is no message: it was not received.");

    private ref readonly ReceivedMessage Message => ref Lease.Get(_generation);

    /// <summary>A level of the topic as UTF-8; of <c>home/kitchen</c>, 0 is <c>home</c>. Empty if there are not so many.</summary>
    /// <param name="index">From 0; not negative.</param>
    public ReadOnlySpan<byte> Level(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        foreach (var level in TopicUtf8.Split((byte)'/'))
        {
            if (index-- == 0)
            {
                return TopicUtf8[level];
            }
        }

        return default;
    }

    /// <summary>Acknowledges it now; see <see cref="MessageAcknowledgement.Acknowledge"/>. At QoS 0 nothing happens.</summary>
    public void Acknowledge(ReasonCode reasonCode = ReasonCode.Success) => Acknowledgement?.Acknowledge(reasonCode);

    /// <summary>Leaves it unacknowledged; see <see cref="MessageAcknowledgement.LeaveUnacknowledged"/>. At QoS 0 nothing happens.</summary>
    public void LeaveUnacknowledged() => Acknowledgement?.LeaveUnacknowledged();

    /// <summary>A copy that is valid for ever, and can acknowledge the message.</summary>
    public MqttMessage ToMessage() => Message.ToMessage(Acknowledgement);
}
