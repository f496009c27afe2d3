using System.Text;
using Nightjar.Protocol.Topics;

namespace Nightjar.Testing;

/// <summary>Makes received messages, which otherwise only the client makes: to call a handler in a test without a client.</summary>
public static class MqttMessageFactory
{
    extension(MqttMessage)
    {
        /// <summary>A message as the client would hand it over.</summary>
        /// <param name="topic">A topic name.</param>
        /// <param name="payload">Its bytes; they are not copied.</param>
        /// <param name="qos">Default: 1.</param>
        /// <param name="retain">Whether it says that it was retained.</param>
        /// <param name="duplicate">Whether it says that it was sent before.</param>
        /// <param name="packetId">Default: 1, and 0 at QoS 0.</param>
        /// <param name="timeToLive">5.0; null: none.</param>
        /// <param name="payloadFormat">5.0; null: none.</param>
        /// <param name="contentType">5.0; null: none.</param>
        /// <param name="responseTopic">5.0; null: none.</param>
        /// <param name="correlationData">5.0; null: none.</param>
        /// <param name="userProperties">5.0; null: none.</param>
        /// <param name="subscriptionIdentifiers">5.0; null: none.</param>
        /// <exception cref="ArgumentException">The topic is no topic name.</exception>
        public static MqttMessage Create(
            string topic,
            ReadOnlyMemory<byte> payload = default,
            QoS qos = QoS.AtLeastOnce,
            bool retain = false,
            bool duplicate = false,
            ushort? packetId = null,
            TimeSpan? timeToLive = null,
            PayloadFormat? payloadFormat = null,
            string? contentType = null,
            string? responseTopic = null,
            ReadOnlyMemory<byte>? correlationData = null,
            IEnumerable<UserProperty>? userProperties = null,
            IEnumerable<uint>? subscriptionIdentifiers = null)
        {
            TopicName.ThrowIfInvalid(topic, nameof(topic));
            var properties = new MessageProperties
            {
                TimeToLive = timeToLive,
                PayloadFormat = payloadFormat,
                ContentType = contentType,
                ResponseTopic = responseTopic,
                CorrelationData = correlationData,
            };
            properties.UserProperties.AddRange(userProperties ?? []);
            properties.SubscriptionIdentifiers.AddRange(subscriptionIdentifiers ?? []);
            return new MqttMessage(topic, payload)
            {
                QoS = qos,
                Retain = retain,
                Duplicate = duplicate,
                PacketId = packetId ?? (ushort)(qos == QoS.AtMostOnce ? 0 : 1),
                Properties = properties,
            };
        }

        /// <summary>A message of text, as UTF-8, as the client would hand it over; for properties use the other overload.</summary>
        /// <param name="topic">A topic name.</param>
        /// <param name="text">The payload.</param>
        /// <param name="qos">Default: 1.</param>
        /// <param name="retain">Whether it says that it was retained.</param>
        /// <exception cref="ArgumentException">The topic is no topic name.</exception>
        public static MqttMessage Create(string topic, string text, QoS qos = QoS.AtLeastOnce, bool retain = false)
        {
            ArgumentNullException.ThrowIfNull(text);
            return MqttMessage.Create(topic, Encoding.UTF8.GetBytes(text).AsMemory(), qos, retain);
        }
    }
}
