using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Engine;

/// <summary>A message on its way into the engine: spans of the caller, read during the call and not kept.</summary>
internal readonly ref struct OutgoingPublish
{
    /// <summary>A valid topic name, UTF-8.</summary>
    public ReadOnlySpan<byte> Topic { get; init; }

    /// <summary>An MQTT 5 property section without topic alias; left out for 3.1 and 3.1.1.</summary>
    public ReadOnlySpan<byte> Properties { get; init; }

    public ReadOnlySpan<byte> Payload { get; init; }

    public QoS QoS { get; init; }

    public bool Retain { get; init; }

    /// <summary>An alias of the application's own choice; 0: ours.</summary>
    public ushort TopicAlias { get; init; }

    /// <summary>The application's own identifier, UTF-8; empty: none.</summary>
    public ReadOnlySpan<byte> Id { get; init; }

    /// <summary>How long it may wait to be sent for the first time, in ticks of 100 ns; 0: for ever.</summary>
    public long TimeToLive { get; init; }

    /// <summary>Its waiter is a receipt.</summary>
    public bool HasReceipt { get; init; }

    /// <summary>A segment made for this message, in which the payload lies already, behind the room for topic and properties.</summary>
    public MessageSegment? Filled { get; init; }

    /// <summary>Bytes of payload that are not there yet.</summary>
    public int ToCome { get; init; }

    /// <summary>What counts against the budget.</summary>
    public int Length => Topic.Length + Properties.Length + Payload.Length + Id.Length + ToCome;

    /// <summary>The same with other properties.</summary>
    public OutgoingPublish With(ReadOnlySpan<byte> properties) => new()
    {
        Topic = Topic,
        Properties = properties,
        Payload = Payload,
        QoS = QoS,
        Retain = Retain,
        TopicAlias = TopicAlias,
        Id = Id,
        TimeToLive = TimeToLive,
        HasReceipt = HasReceipt,
        Filled = Filled,
    };

    /// <summary>As it goes to the wire at QoS 0.</summary>
    public PublishPacket ToPacket() => new()
    {
        Topic = Topic,
        Properties = Properties,
        Payload = Payload,
        QoS = QoS,
        Retain = Retain,
    };
}

/// <summary>Names a message in the store for as long as it is there; a stale one is recognised by its generation.</summary>
internal readonly record struct MessageTicket(int Handle, uint Generation);
