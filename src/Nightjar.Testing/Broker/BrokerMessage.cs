using System.Text;
using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;

namespace Nightjar.Testing.Broker;

/// <summary>A message inside the broker: its own copy, shared by all sessions that it goes to. Immutable.</summary>
internal sealed class BrokerMessage
{
    private string? _topicText;

    private BrokerMessage(byte[] topic, byte[] payload, byte[] properties)
    {
        Topic = topic;
        Payload = payload;
        Properties = properties;
    }

    /// <summary>UTF-8.</summary>
    public byte[] Topic { get; }

    public byte[] Payload { get; }

    /// <summary>The properties that are forwarded as they came [MQTT5-3.3.2-4, -15, -16, -17, -20]: not expiry, alias and subscription identifiers.</summary>
    public byte[] Properties { get; }

    public QoS QoS { get; private init; }

    public bool Retain { get; private init; }

    /// <summary>Who published it; null for the broker itself.</summary>
    public string? Publisher { get; private init; }

    /// <summary>On the broker's clock; null if never.</summary>
    public TimeSpan? Expires { get; private init; }

    public string TopicText => _topicText ??= Encoding.UTF8.GetString(Topic);

    public static BrokerMessage From(in PublishPacket packet, byte[] topic, string? publisher, TimeSpan now)
    {
        var properties = Forwarded(packet.Properties, out var lifetime);
        return new BrokerMessage(topic, packet.Payload.ToArray(), properties)
        {
            QoS = packet.QoS,
            Retain = packet.Retain,
            Publisher = publisher,
            Expires = ExpiresAt(now, lifetime),
        };
    }

    public static BrokerMessage From(WillPacket will, string publisher, TimeSpan now)
    {
        var properties = PublishProperties.Encode(
            will.PayloadFormat, will.ContentType, will.ResponseTopic, will.CorrelationData, will.UserProperties);
        return new BrokerMessage(Encoding.UTF8.GetBytes(will.Topic), will.Payload.ToArray(), properties)
        {
            QoS = will.QoS,
            Retain = will.Retain,
            Publisher = publisher,
            Expires = ExpiresAt(now, will.MessageExpiryInterval),
        };
    }

    public static BrokerMessage From(OutgoingMessage message, TimeSpan now)
    {
        var properties = PublishProperties.Encode(
            message.PayloadFormat, message.ContentType, message.ResponseTopic, message.CorrelationData, message.UserProperties);
        var payload = new byte[message.Payload.Length];
        System.Buffers.BuffersExtensions.CopyTo(message.Payload, payload);
        return new BrokerMessage(Encoding.UTF8.GetBytes(message.Topic), payload, properties)
        {
            QoS = message.QoS,
            Retain = message.Retain,
            Expires = message.TimeToLive is { } time ? now + time : null,
        };
    }

    /// <summary>Whether its time is over.</summary>
    public bool IsExpired(TimeSpan now) => Expires <= now;

    /// <summary>What is left of its lifetime in whole seconds, rounded up, as if only whole seconds had passed [MQTT5-3.3.2-6].</summary>
    public uint? SecondsLeft(TimeSpan now) => Expires is { } expires ? (uint)Math.Max(Math.Ceiling((expires - now).TotalSeconds), 0) : null;

    /// <summary>As a message for the outside.</summary>
    public MqttMessage ToMessage(TimeSpan now, bool duplicate = false, ushort packetId = 0)
    {
        var properties = MessageProperties.Read(Properties);
        if (SecondsLeft(now) is { } seconds)
        {
            properties ??= new MessageProperties();
            properties.TimeToLive = TimeSpan.FromSeconds(seconds);
        }

        return new MqttMessage(TopicText, Payload)
        {
            QoS = QoS,
            Retain = Retain,
            Duplicate = duplicate,
            PacketId = packetId,
            Properties = properties,
        };
    }

    private static TimeSpan? ExpiresAt(TimeSpan now, uint? seconds) => seconds is { } value ? now + TimeSpan.FromSeconds(value) : null;

    private static byte[] Forwarded(ReadOnlySpan<byte> section, out uint? lifetime)
    {
        lifetime = null;
        if (section.IsEmpty)
        {
            return [];
        }

        var kept = new byte[section.Length];
        var count = 0;
        var reader = new PropertyReader(section);
        var start = 0;
        var keep = false;
        while (reader.Read())
        {
            Keep(section[start..reader.Offset]);
            start = reader.Offset;
            keep = reader.Id is not (PropertyId.MessageExpiryInterval or PropertyId.TopicAlias or PropertyId.SubscriptionIdentifier);
            if (reader.Id == PropertyId.MessageExpiryInterval)
            {
                lifetime = reader.Number;
            }
        }

        Keep(section[start..]);
        return count == kept.Length ? kept : kept[..count];

        void Keep(ReadOnlySpan<byte> property)
        {
            if (keep)
            {
                property.CopyTo(kept.AsSpan(count));
                count += property.Length;
            }
        }
    }
}
