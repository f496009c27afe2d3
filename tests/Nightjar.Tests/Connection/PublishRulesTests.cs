using Nightjar.Protocol.Packets;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Connection;

/// <summary>What may be published, and what becomes of it.</summary>
public sealed class PublishRulesTests
{
    [Fact]
    public async Task Topics_that_begin_with_a_dollar_may_be_published_to()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));

        await client.PublishAsync("$aws/rules/mine/x", "1").Soon();

        Assert.Equal("$aws/rules/mine/x", Assert.Single(broker.Published).Topic);
    }

    [Fact]
    public async Task A_bad_topic_is_the_callers_and_the_connection_stays()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));
        await client.ConnectAsync().Soon();

        foreach (var topic in new[] { "", "a/+", "a/#", "a\0b", "a\ud800" })
        {
            await Assert.ThrowsAnyAsync<ArgumentException>(async () => await client.PublishAsync(topic, "x"));
        }

        await client.PublishAsync("good", "x").Soon();
        Assert.Equal((ClientState.Connected, 1), (client.State, client.Statistics.Connections));
        Assert.Equal("good", Assert.Single(broker.Published).Topic);
    }

    [Fact(DisplayName = "[MQTT5-3.3.2-8] A topic alias of 0 is refused")]
    public async Task A_topic_alias_of_0_is_refused()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));

        await Assert.ThrowsAsync<ArgumentException>("message", async () => await client.PublishAsync(new OutgoingMessage("t", "x") { TopicAlias = 0 }));

        Assert.Equal(ClientState.Idle, client.State);
    }

    [Theory]
    [InlineData(MqttVersion.Mqtt311)]
    [InlineData(MqttVersion.Mqtt5)]
    public async Task A_maximum_of_the_applications_own_lowers_the_QoS_and_the_result_says_so(MqttVersion version)
    {
        await using var broker = InMemory.Broker();
        var options = InMemory.Options(broker);
        options.Version = version;
        options.Outbox.MaximumQoS = QoS.AtMostOnce;
        options.Outbox.LowerQoS = true;
        await using var client = new MqttClient(options);

        Assert.Equal(PublishFlags.QoSLowered, (await client.PublishAsync("t", "x").Soon()).Flags);
        Assert.Equal(QoS.AtMostOnce, (await broker.WaitForPublishedAsync(1))[0].QoS);
    }

    [Fact]
    public async Task A_maximum_of_the_applications_own_refuses_unless_lowering_was_asked_for()
    {
        await using var broker = InMemory.Broker();
        var options = InMemory.Options(broker);
        options.Outbox.MaximumQoS = QoS.AtLeastOnce;
        await using var client = new MqttClient(options);

        var error = await Assert.ThrowsAsync<MqttLimitException>(() => client.PublishAsync("t", "x", QoS.ExactlyOnce).Soon());

        Assert.Contains("OutboxOptions.MaximumQoS", error.Message, StringComparison.Ordinal);
        Assert.Empty(broker.Published);
    }

    [Fact]
    public async Task Threads_do_not_mix_their_messages_properties()
    {
        const int Threads = 8;
        const int Each = 100;
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));

        await Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => Task.Run(async () =>
        {
            for (var i = 0; i < Each; i++)
            {
                var name = $"{thread}.{i}";
                await client.PublishAsync(new OutgoingMessage(name, name) { ContentType = name, UserProperties = [new("name", name)] }).Soon();
            }
        })));

        Assert.Equal(Threads * Each, broker.Published.Count);
        Assert.All(broker.Published, message =>
        {
            Assert.Equal((message.Topic, message.Topic), (message.Text, message.ContentType));
            Assert.Equal([new("name", message.Topic)], message.UserProperties);
        });
    }

    [Fact]
    public async Task A_stalled_transport_holds_a_flush_and_a_missing_PUBACK_the_result()
    {
        await using var peer = InMemory.Peer();
        await using var network = new FaultyNetwork();
        await using var client = await peer.ConnectAsync(InMemory.Options(() => network.Wrap(peer.ConnectInMemory())));
        using var end = new AbortAtEnd(client);
        network.ToServer.Stall();

        var acknowledged = client.PublishAsync("t", "x");
        var sent = client.FlushAsync();
        Assert.False(sent.IsCompleted);

        network.ToServer.Resume();
        await sent.Soon();
        Assert.False(acknowledged.IsCompleted);
        await peer.SendAsync(new AckPacket(PacketType.PubAck, (await peer.ExpectAsync<MqttMessage>()).PacketId));
        await acknowledged.Soon();
    }
}
