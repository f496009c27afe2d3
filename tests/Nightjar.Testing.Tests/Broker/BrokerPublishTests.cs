using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;
using Xunit;

namespace Nightjar.Testing.Tests.Broker;

public sealed class BrokerPublishTests : IAsyncDisposable
{
    private readonly MqttTestBrokerOptions _options = new() { Listen = false };
    private readonly MqttTestBroker _broker;

    public BrokerPublishTests() => _broker = new MqttTestBroker(_options);

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Theory]
    [MemberData(nameof(VersionsAndQoS))]
    public async Task A_message_arrives_with_the_lower_QoS(MqttVersion from, MqttVersion to, QoS published, QoS subscribed)
    {
        await using var publisher = await RawClient.ConnectAsync(_broker, "publisher", from);
        await using var subscriber = await RawClient.ConnectAsync(_broker, "subscriber", to);
        Assert.Equal((ReasonCode)subscribed, await subscriber.SubscribeAsync("a/+", subscribed));

        Assert.Equal(ReasonCode.Success, await publisher.PublishAsync("a/b", "hello", published));
        var message = await subscriber.ReceiveAsync();
        await subscriber.FenceAsync();

        Assert.Equal(("a/b", "hello", published < subscribed ? published : subscribed), (message.Topic, message.Text, message.QoS));
        Assert.False(message.Retain);
        Assert.False(message.Duplicate);
    }

    public static TheoryData<MqttVersion, MqttVersion, QoS, QoS> VersionsAndQoS()
    {
        var data = new TheoryData<MqttVersion, MqttVersion, QoS, QoS>();
        foreach (var version in Enum.GetValues<MqttVersion>())
        {
            foreach (var published in Enum.GetValues<QoS>())
            {
                foreach (var subscribed in Enum.GetValues<QoS>())
                {
                    data.Add(version, version, published, subscribed);
                }
            }

            data.Add(MqttVersion.Mqtt5, version, QoS.ExactlyOnce, QoS.ExactlyOnce);
            data.Add(version, MqttVersion.Mqtt5, QoS.ExactlyOnce, QoS.ExactlyOnce);
        }

        return data;
    }

    [Fact(DisplayName = "[MQTT5-3.3.2-4] [MQTT5-3.3.2-15] [MQTT5-3.3.2-16] [MQTT5-3.3.2-17] [MQTT5-3.3.2-20] Properties are forwarded as they came")]
    public async Task Properties_are_forwarded()
    {
        await using var publisher = await RawClient.ConnectAsync(_broker, "publisher");
        await using var subscriber = await RawClient.ConnectAsync(_broker, "subscriber");
        await using var older = await RawClient.ConnectAsync(_broker, "older", MqttVersion.Mqtt311);
        await subscriber.SubscribeAsync("#");
        await older.SubscribeAsync("#");

        await publisher.Peer.SendAsync(MqttMessage.Create(
            "a",
            new byte[] { 0x31 },
            QoS.AtLeastOnce,
            payloadFormat: PayloadFormat.Utf8,
            contentType: "text/plain",
            responseTopic: "answers",
            correlationData: new byte[] { 1, 2 },
            userProperties: [new UserProperty("k", "1"), new UserProperty("j", "2"), new UserProperty("k", "3")]));
        await publisher.AcknowledgedAsync(1, QoS.AtLeastOnce);
        var message = await subscriber.ReceiveAsync();

        Assert.Equal((PayloadFormat.Utf8, "text/plain", "answers"), (message.PayloadFormat, message.ContentType, message.ResponseTopic));
        Assert.Equal([1, 2], message.CorrelationData?.ToArray());
        Assert.Equal([new UserProperty("k", "1"), new UserProperty("j", "2"), new UserProperty("k", "3")], message.UserProperties);
        Assert.Equal("1", (await older.ReceiveAsync()).Text);
        Assert.Equal("text/plain", _broker.Published[0].ContentType);
    }

    [Fact]
    public async Task Nobody_there_is_told_to_a_5_0_client()
    {
        await using var client = await RawClient.ConnectAsync(_broker);
        await using var older = await RawClient.ConnectAsync(_broker, "older", MqttVersion.Mqtt311);

        Assert.Equal(ReasonCode.NoMatchingSubscribers, await client.PublishAsync("a", "x"));
        Assert.Equal(ReasonCode.NoMatchingSubscribers, await client.PublishAsync("a", "x", QoS.ExactlyOnce));
        Assert.Equal(ReasonCode.Success, await older.PublishAsync("a", "x"));
    }

    [Fact(DisplayName = "[MQTT5-4.3.3-10] A QoS 2 PUBLISH that comes twice is delivered once")]
    public async Task A_repeated_QoS_2_message_is_delivered_once()
    {
        await using var publisher = await RawClient.ConnectAsync(_broker, "publisher");
        await using var subscriber = await RawClient.ConnectAsync(_broker, "subscriber");
        await subscriber.SubscribeAsync("a", QoS.AtMostOnce);

        await publisher.Peer.SendAsync(MqttMessage.Create("a", "x", QoS.ExactlyOnce));
        await publisher.Peer.ExpectAckAsync(PacketType.PubRec, 1);
        await publisher.Peer.SendAsync(MqttMessage.Create("a", new byte[] { 0x78 }, QoS.ExactlyOnce, duplicate: true));
        await publisher.AcknowledgedAsync(1, QoS.ExactlyOnce);
        Assert.Equal("x", (await subscriber.ReceiveAsync()).Text);
        await subscriber.FenceAsync();

        // After PUBCOMP the identifier stands for a new message.
        await publisher.Peer.SendAsync(MqttMessage.Create("a", "y", QoS.ExactlyOnce));
        await publisher.AcknowledgedAsync(1, QoS.ExactlyOnce);
        Assert.Equal("y", (await subscriber.ReceiveAsync()).Text);
    }

    [Fact]
    public async Task A_PUBREL_or_PUBREC_for_nothing_is_answered_with_0x92()
    {
        await using var client = await RawClient.ConnectAsync(_broker);

        await client.Peer.SendAsync(new AckPacket(PacketType.PubRel, 9));
        Assert.Equal(ReasonCode.PacketIdentifierNotFound, (await client.Peer.ExpectAckAsync(PacketType.PubComp, 9)).ReasonCode);
        await client.Peer.SendAsync(new AckPacket(PacketType.PubRec, 8));
        Assert.Equal(ReasonCode.PacketIdentifierNotFound, (await client.Peer.ExpectAckAsync(PacketType.PubRel, 8)).ReasonCode);
        await client.Peer.SendAsync(new AckPacket(PacketType.PubAck, 7));
        await client.FenceAsync();
    }

    [Fact(DisplayName = "[MQTT5-3.3.4-9] No more messages are in flight than the client's Receive Maximum")]
    public async Task The_clients_receive_maximum_is_honoured()
    {
        await using var subscriber = await RawClient.ConnectAsync(_broker, new ConnectPacket { ClientId = "s", ReceiveMaximum = 2 });
        await subscriber.SubscribeAsync("a");
        for (var i = 1; i <= 5; i++)
        {
            await _broker.PublishAsync("a", $"{i}", i % 2 == 0 ? QoS.ExactlyOnce : QoS.AtLeastOnce);
        }

        await _broker.PublishAsync("a", "passes", QoS.AtMostOnce);
        var first = await subscriber.Peer.ExpectAsync<MqttMessage>();
        var second = await subscriber.Peer.ExpectAsync<MqttMessage>();
        Assert.Equal("passes", (await subscriber.ReceiveAsync()).Text);
        await subscriber.FenceAsync();

        await subscriber.Peer.SendAsync(new AckPacket(PacketType.PubAck, first.PacketId));
        Assert.Equal("3", (await subscriber.Peer.ExpectAsync<MqttMessage>()).Text);
        await subscriber.Peer.SendAsync(new AckPacket(PacketType.PubRec, second.PacketId));
        await subscriber.Peer.ExpectAckAsync(PacketType.PubRel, second.PacketId);
        await subscriber.FenceAsync();
        await subscriber.Peer.SendAsync(new AckPacket(PacketType.PubComp, second.PacketId));

        Assert.Equal("4", (await subscriber.Peer.ExpectAsync<MqttMessage>()).Text);
    }

    [Fact]
    public async Task A_PUBREC_that_refuses_ends_the_exchange()
    {
        await using var subscriber = await RawClient.ConnectAsync(_broker, new ConnectPacket { ClientId = "s", ReceiveMaximum = 1 });
        await subscriber.SubscribeAsync("a");
        await _broker.PublishAsync("a", "refused", QoS.ExactlyOnce);
        await _broker.PublishAsync("a", "next", QoS.ExactlyOnce);
        var refused = await subscriber.Peer.ExpectAsync<MqttMessage>();

        await subscriber.Peer.SendAsync(new AckPacket(PacketType.PubRec, refused.PacketId, ReasonCode.QuotaExceeded));

        Assert.Equal("next", (await subscriber.ReceiveAsync()).Text);
    }

    [Fact(DisplayName = "[MQTT5-3.3.4-7] A client above the broker's Receive Maximum is disconnected with 0x93")]
    public async Task The_brokers_receive_maximum_is_enforced()
    {
        _options.ReceiveMaximum = 2;
        await using var client = await RawClient.ConnectAsync(_broker);
        for (ushort id = 1; id <= 3; id++)
        {
            await client.Peer.SendAsync(MqttMessage.Create("a", default, QoS.ExactlyOnce, packetId: id));
        }

        await client.Peer.ExpectAckAsync(PacketType.PubRec, 1);
        await client.Peer.ExpectAckAsync(PacketType.PubRec, 2);

        Assert.Equal(ReasonCode.ReceiveMaximumExceeded, (await client.Peer.ExpectAsync<DisconnectPacket>()).ReasonCode);
    }

    [Fact(DisplayName = "[MQTT5-3.2.2-11] A client above the broker's Maximum QoS is disconnected with 0x9B")]
    public async Task The_maximum_QoS_is_enforced()
    {
        _options.MaximumQoS = QoS.AtLeastOnce;
        await using var client = await RawClient.ConnectAsync(_broker);
        Assert.Equal(ReasonCode.GrantedQoS1, await client.SubscribeAsync("b", QoS.ExactlyOnce));

        await client.Peer.SendAsync(MqttMessage.Create("a", "x", QoS.ExactlyOnce));

        Assert.Equal(ReasonCode.QoSNotSupported, (await client.Peer.ExpectAsync<DisconnectPacket>()).ReasonCode);
    }

    [Fact]
    public async Task A_packet_above_the_brokers_maximum_size_ends_the_connection()
    {
        _options.MaximumPacketSize = 100;
        await using var client = await RawClient.ConnectAsync(_broker);

        await client.Peer.SendAsync(MqttMessage.Create("a", new byte[200]));

        Assert.Equal(ReasonCode.PacketTooLarge, (await client.Peer.ExpectAsync<DisconnectPacket>()).ReasonCode);
    }

    [Fact(DisplayName = "[MQTT5-3.1.2-25] A message above the client's Maximum Packet Size is not sent and counts as delivered")]
    public async Task The_clients_maximum_packet_size_is_honoured()
    {
        await using var client = await RawClient.ConnectAsync(_broker, new ConnectPacket { ClientId = "c", MaximumPacketSize = 100 });
        await client.SubscribeAsync("#");

        await _broker.PublishAsync(new OutgoingMessage("a", new byte[200]) { QoS = QoS.AtLeastOnce });
        await _broker.PublishAsync(new OutgoingMessage("a", new byte[200]) { QoS = QoS.AtMostOnce });
        await _broker.PublishAsync("a", "fits");

        Assert.Equal("fits", (await client.ReceiveAsync()).Text);
    }

    [Fact]
    public async Task A_large_message_passes_whole()
    {
        var payload = new byte[3_000_000];
        new Random(1).NextBytes(payload);
        await using var client = await RawClient.ConnectAsync(_broker);
        await client.SubscribeAsync("#");

        await client.Peer.SendAsync(MqttMessage.Create("a", payload, QoS.AtMostOnce));

        Assert.True((await client.ReceiveAsync()).Payload.Span.SequenceEqual(payload));
    }

    [Fact]
    public async Task A_client_that_goes_without_reading_its_answers_has_published_all_the_same()
    {
        var bytes = Enumerable.Range(1, 1000)
            .SelectMany(id => PacketWriter.ToArray(new PublishPacket { Topic = "a"u8, QoS = QoS.AtLeastOnce, PacketId = (ushort)id }, MqttVersion.Mqtt5))
            .ToArray();
        var client = await RawClient.ConnectAsync(_broker);

        await client.Peer.SendBytesAsync(bytes);
        await client.DisposeAsync();

        Assert.Equal(1000, (await _broker.WaitForPublishedAsync(1000)).Count);
    }

    [Fact]
    public async Task A_topic_alias_stands_for_its_topic()
    {
        await using var client = await RawClient.ConnectAsync(_broker);
        await client.Peer.SendAsync(new PublishPacket { Topic = "long/topic"u8, TopicAlias = 3, Payload = "1"u8 });
        await client.Peer.SendAsync(new PublishPacket { TopicAlias = 3, Payload = "2"u8 });
        await client.Peer.SendAsync(new PublishPacket { Topic = "other"u8, TopicAlias = 3, Payload = "3"u8 });
        await client.Peer.SendAsync(new PublishPacket { TopicAlias = 3, Payload = "4"u8 });

        var published = await _broker.WaitForPublishedAsync(4);

        Assert.Equal(["long/topic", "long/topic", "other", "other"], published.Select(message => message.Topic));
        Assert.All(published, message => Assert.Null(message.TopicAlias));
    }

    [Theory(DisplayName = "[MQTT5-3.3.2-7] [MQTT5-3.3.2-9] A topic alias that is too high or was not set ends the connection")]
    [InlineData(17, "a", ReasonCode.TopicAliasInvalid)]
    [InlineData(5, "", ReasonCode.ProtocolError)]
    public async Task A_bad_topic_alias_ends_the_connection(int alias, string topic, ReasonCode expected)
    {
        await using var client = await RawClient.ConnectAsync(_broker);

        await client.Peer.SendAsync(new PublishPacket { Topic = System.Text.Encoding.UTF8.GetBytes(topic), TopicAlias = (ushort)alias });

        Assert.Equal(expected, (await client.Peer.ExpectAsync<DisconnectPacket>()).ReasonCode);
    }

    [Fact]
    public async Task The_broker_uses_topic_aliases_when_told_to_and_allowed()
    {
        _options.UseTopicAliases = true;
        await using var client = await RawClient.ConnectAsync(_broker, new ConnectPacket { ClientId = "c", TopicAliasMaximum = 1 });
        await using var other = await RawClient.ConnectAsync(_broker, "other");
        await client.SubscribeAsync("#");
        await other.SubscribeAsync("#");
        foreach (var topic in new[] { "a", "a", "b" })
        {
            await _broker.PublishAsync(topic, topic);
        }

        var received = new[] { await client.ReceiveAsync(), await client.ReceiveAsync(), await client.ReceiveAsync() };

        Assert.Equal([("a", (ushort?)1), ("", 1), ("b", null)], received.Select(message => (message.Topic, message.TopicAlias)));
        Assert.Null((await other.ReceiveAsync()).TopicAlias);
    }

    [Fact]
    public async Task A_client_that_may_not_publish_is_told_in_5_0_and_ignored_before()
    {
        _options.MayPublish = (clientId, topic) => !(clientId == "eve" && topic == "a");
        await using var eve = await RawClient.ConnectAsync(_broker, "eve");
        await using var older = await RawClient.ConnectAsync(_broker, "eve", MqttVersion.Mqtt311);

        Assert.Equal(ReasonCode.Success, await older.PublishAsync("a", "x"));
        await using var again = await RawClient.ConnectAsync(_broker, "eve");
        Assert.Equal(ReasonCode.NotAuthorized, await again.PublishAsync("a", "x"));
        Assert.Equal(ReasonCode.NotAuthorized, await again.PublishAsync("a", "x", QoS.ExactlyOnce));
        Assert.Equal(ReasonCode.NoMatchingSubscribers, await again.PublishAsync("b", "x"));

        Assert.Equal(["b"], _broker.Published.Select(message => message.Topic));
    }
}
