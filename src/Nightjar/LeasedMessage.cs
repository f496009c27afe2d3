namespace Nightjar;

/// <summary>
/// A received message that still lives in the receive buffer: nothing was copied or allocated. Valid until the handler's task ends; then every member
/// throws <see cref="InvalidOperationException"/>. <see cref="ToMessage"/> keeps it.
/// </summary>
public readonly struct LeasedMessage
{
    /// <summary>The topic as UTF-8.</summary>
    public ReadOnlySpan<byte> TopicUtf8 => throw new NotSupportedException("skeleton");

    /// <summary>The topic; the string is cached per topic, so in steady state nothing is allocated.</summary>
    public string Topic => throw new NotSupportedException("skeleton");

    /// <summary>The bytes.</summary>
    public ReadOnlyMemory<byte> Payload => throw new NotSupportedException("skeleton");

    /// <summary>How it was delivered.</summary>
    public QoS QoS => throw new NotSupportedException("skeleton");

    /// <summary>It was stored before the subscription was made.</summary>
    public bool Retain => throw new NotSupportedException("skeleton");

    /// <summary>The server sent it before and had no answer.</summary>
    public bool Duplicate => throw new NotSupportedException("skeleton");

    /// <summary>The packet identifier; 0 at QoS 0.</summary>
    public ushort PacketId => throw new NotSupportedException("skeleton");

    /// <summary>5.0: the property section as it came; read it with <see cref="Protocol.Codec.PropertyReader"/>.</summary>
    public ReadOnlySpan<byte> Properties => throw new NotSupportedException("skeleton");

    /// <summary>A copy that is valid for ever.</summary>
    public MqttMessage ToMessage() => throw new NotSupportedException("skeleton");
}
