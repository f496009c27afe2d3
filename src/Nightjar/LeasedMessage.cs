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

    /// <summary>5.0: the property section as it came; read it with <see cref="Protocol.Codec.PropertyReader"/>.</summary>
    public ReadOnlySpan<byte> Properties => Message.Properties;

    private ref readonly ReceivedMessage Message
    {
        get
        {
            if (_lease is null)
            {
                throw new InvalidOperationException("This leased message is no message: it was not received.");
            }

            return ref _lease.Get(_generation);
        }
    }

    /// <summary>A copy that is valid for ever.</summary>
    public MqttMessage ToMessage() => Message.ToMessage();
}
