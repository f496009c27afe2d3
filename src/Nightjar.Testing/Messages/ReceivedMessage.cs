using System.Text;
using Nightjar.Protocol.Packets;

namespace Nightjar.Testing;

/// <summary>Makes a message of its own out of a PUBLISH, which is a view of a buffer.</summary>
internal static class ReceivedMessage
{
    public static MqttMessage From(in PublishPacket packet) => new(Encoding.UTF8.GetString(packet.Topic), packet.Payload.ToArray())
    {
        QoS = packet.QoS,
        Retain = packet.Retain,
        Duplicate = packet.Duplicate,
        PacketId = packet.PacketId,
        Properties = MessageProperties.Read(packet.Properties),
    };
}
