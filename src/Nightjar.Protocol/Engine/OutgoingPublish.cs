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

    /// <summary>The application's own id, UTF-8; empty: it has none.</summary>
    public ReadOnlySpan<byte> Id { get; init; }

    /// <summary>After how many ticks it is not worth sending any more; 0: never.</summary>
    public long TimeToLive { get; init; }

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
