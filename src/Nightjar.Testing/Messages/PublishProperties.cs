using System.Buffers;
using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;

namespace Nightjar.Testing;

/// <summary>Writes the property section of a PUBLISH from the places that its properties come from.</summary>
internal static class PublishProperties
{
    public static byte[] Encode(
        PayloadFormat? payloadFormat,
        string? contentType,
        string? responseTopic,
        ReadOnlyMemory<byte>? correlationData,
        IReadOnlyList<UserProperty> userProperties,
        TimeSpan? timeToLive = null,
        IReadOnlyList<uint>? subscriptionIdentifiers = null)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new PropertyWriter(output);
        if (payloadFormat is { } format)
        {
            writer.Write(PropertyId.PayloadFormatIndicator, (uint)format);
        }

        if (timeToLive is { } time)
        {
            writer.Write(PropertyId.MessageExpiryInterval, (uint)time.TotalSeconds);
        }

        if (contentType is not null)
        {
            writer.Write(PropertyId.ContentType, contentType);
        }

        if (responseTopic is not null)
        {
            writer.Write(PropertyId.ResponseTopic, responseTopic);
        }

        if (correlationData is { } data)
        {
            writer.Write(PropertyId.CorrelationData, data.Span);
        }

        foreach (var property in userProperties)
        {
            writer.Write(property);
        }

        foreach (var identifier in subscriptionIdentifiers ?? [])
        {
            writer.Write(PropertyId.SubscriptionIdentifier, identifier);
        }

        return output.WrittenSpan.ToArray();
    }

    /// <summary>A whole PUBLISH that says what a message says.</summary>
    public static byte[] EncodePacket(MqttMessage message, MqttVersion version)
    {
        var packet = new PublishPacket
        {
            QoS = message.QoS,
            Retain = message.Retain,
            Duplicate = message.Duplicate,
            PacketId = message.PacketId,
            Topic = System.Text.Encoding.UTF8.GetBytes(message.Topic),
            TopicAlias = message.TopicAlias ?? 0,
            Properties = Encode(
                message.PayloadFormat,
                message.ContentType,
                message.ResponseTopic,
                message.CorrelationData,
                message.UserProperties,
                message.TimeToLive,
                message.SubscriptionIdentifiers),
            Payload = message.Payload.Span,
        };
        return PacketWriter.ToArray(packet, version);
    }
}
