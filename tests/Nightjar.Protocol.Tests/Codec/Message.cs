using System.Text;
using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Tests.Codec;

/// <summary>A PUBLISH that can be kept and compared: <see cref="PublishPacket"/> is a view of a buffer.</summary>
internal sealed record Message
{
    public QoS QoS { get; init; }

    public bool Retain { get; init; }

    public bool Duplicate { get; init; }

    public ushort PacketId { get; init; }

    public string Topic { get; init; } = "";

    public ushort TopicAlias { get; init; }

    public byte[] Properties { get; init; } = [];

    public byte[] Payload { get; init; } = [];

    public static Message From(PublishPacket packet) => new()
    {
        QoS = packet.QoS,
        Retain = packet.Retain,
        Duplicate = packet.Duplicate,
        PacketId = packet.PacketId,
        Topic = Encoding.UTF8.GetString(packet.Topic),
        TopicAlias = packet.TopicAlias,
        Properties = packet.Properties.ToArray(),
        Payload = packet.Payload.ToArray(),
    };

    public PublishPacket ToPacket() => new()
    {
        QoS = QoS,
        Retain = Retain,
        Duplicate = Duplicate,
        PacketId = PacketId,
        Topic = Encoding.UTF8.GetBytes(Topic),
        TopicAlias = TopicAlias,
        Properties = Properties,
        Payload = Payload,
    };
}
