using Xunit;

namespace Nightjar.Testing.Tests.Messages;

public sealed class MqttMessageFactoryTests
{
    [Fact]
    public void A_message_of_text_says_what_was_given()
    {
        var message = MqttMessage.Create("a/b", "21.5");

        Assert.Equal(("a/b", "21.5", QoS.AtLeastOnce), (message.Topic, message.Text, message.QoS));
        Assert.False(message.Retain);
        Assert.Equal(1, message.PacketId);
        Assert.Empty(message.UserProperties);
        Assert.Null(message.ContentType);
    }

    [Fact]
    public void A_message_of_bytes_may_have_every_property()
    {
        var message = MqttMessage.Create(
            "a/b",
            new byte[] { 1, 2 },
            QoS.ExactlyOnce,
            retain: true,
            duplicate: true,
            packetId: 7,
            timeToLive: TimeSpan.FromMinutes(1),
            payloadFormat: PayloadFormat.Utf8,
            contentType: "text/plain",
            responseTopic: "a/answer",
            correlationData: new byte[] { 3 },
            userProperties: [new UserProperty("k", "v"), new UserProperty("k", "w")],
            subscriptionIdentifiers: [5, 6]);

        Assert.Equal([1, 2], message.Payload.ToArray());
        Assert.Equal((QoS.ExactlyOnce, true, true, (ushort)7), (message.QoS, message.Retain, message.Duplicate, message.PacketId));
        Assert.Equal((TimeSpan.FromMinutes(1), PayloadFormat.Utf8), (message.TimeToLive, message.PayloadFormat));
        Assert.Equal(("text/plain", "a/answer"), (message.ContentType, message.ResponseTopic));
        Assert.Equal([3], message.CorrelationData?.ToArray());
        Assert.Equal([new UserProperty("k", "v"), new UserProperty("k", "w")], message.UserProperties);
        Assert.Equal([5u, 6u], message.SubscriptionIdentifiers);
    }

    [Fact]
    public void At_QoS_0_there_is_no_packet_identifier() => Assert.Equal(0, MqttMessage.Create("a", "", QoS.AtMostOnce).PacketId);

    [Fact]
    public void A_topic_with_a_wildcard_is_refused() =>
        Assert.Equal("topic", Assert.Throws<ArgumentException>(() => MqttMessage.Create("a/#", "")).ParamName);
}
