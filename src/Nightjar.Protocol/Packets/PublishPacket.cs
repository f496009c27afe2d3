namespace Nightjar.Protocol.Packets;

/// <summary>
/// An application message on the wire. A view: its spans point into the buffer that it was decoded from, or that it will be
/// encoded from, so that neither direction allocates.
/// </summary>
public readonly ref struct PublishPacket
{
    /// <summary>How it is delivered.</summary>
    public QoS QoS { get; init; }

    /// <summary>From a client: store it. From a server: it was stored.</summary>
    public bool Retain { get; init; }

    /// <summary>DUP: an earlier attempt may have arrived. Always false at QoS 0 [MQTT5-3.3.1-2].</summary>
    public bool Duplicate { get; init; }

    /// <summary>1 to 65,535 for QoS 1 and 2; 0 at QoS 0.</summary>
    public ushort PacketId { get; init; }

    /// <summary>The topic name, UTF-8, without wildcards. Empty only if <see cref="TopicAlias"/> stands for it.</summary>
    public ReadOnlySpan<byte> Topic { get; init; }

    /// <summary>5.0: stands for the topic on this connection; 0 if there is none.</summary>
    public ushort TopicAlias { get; init; }

    /// <summary>
    /// 5.0: the properties as they are on the wire, without their length; read them with <see cref="Codec.PropertyReader"/>. A
    /// decoded packet holds them all; when encoding, <see cref="TopicAlias"/> is added unless it is among them. Not written for 3.1 and
    /// 3.1.1.
    /// </summary>
    public ReadOnlySpan<byte> Properties { get; init; }

    /// <summary>The application's bytes; may be empty.</summary>
    public ReadOnlySpan<byte> Payload { get; init; }
}
