using System.Text;
using Nightjar.Protocol.Codec;
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
        Properties = ReadProperties(packet.Properties),
    };

    public static MessageProperties? ReadProperties(ReadOnlySpan<byte> section)
    {
        if (section.IsEmpty)
        {
            return null;
        }

        var properties = new MessageProperties();
        var reader = new PropertyReader(section);
        while (reader.Read())
        {
            switch (reader.Id)
            {
                case PropertyId.PayloadFormatIndicator:
                    properties.PayloadFormat = (PayloadFormat)reader.Number;
                    break;
                case PropertyId.MessageExpiryInterval:
                    properties.TimeToLive = TimeSpan.FromSeconds(reader.Number);
                    break;
                case PropertyId.ContentType:
                    properties.ContentType = Encoding.UTF8.GetString(reader.Bytes);
                    break;
                case PropertyId.ResponseTopic:
                    properties.ResponseTopic = Encoding.UTF8.GetString(reader.Bytes);
                    break;
                case PropertyId.CorrelationData:
                    properties.CorrelationData = reader.Bytes.ToArray();
                    break;
                case PropertyId.SubscriptionIdentifier:
                    properties.SubscriptionIdentifiers.Add(reader.Number);
                    break;
                case PropertyId.TopicAlias:
                    properties.TopicAlias = (ushort)reader.Number;
                    break;
                case PropertyId.UserProperty:
                    properties.UserProperties.Add(new UserProperty(Encoding.UTF8.GetString(reader.Bytes), Encoding.UTF8.GetString(reader.Value)));
                    break;
            }
        }

        return properties;
    }
}
