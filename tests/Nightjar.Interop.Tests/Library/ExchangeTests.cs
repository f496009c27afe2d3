using Nightjar.Interop.Tests.Mosquitto;
using Xunit;

namespace Nightjar.Interop.Tests.Library;

public sealed class ExchangeTests
{
    public static MatrixTheoryData<MqttVersion, QoS> Everything { get; } =
        new([MqttVersion.Mqtt31, MqttVersion.Mqtt311, MqttVersion.Mqtt5], [QoS.AtMostOnce, QoS.AtLeastOnce, QoS.ExactlyOnce]);

    [Theory]
    [MemberData(nameof(Everything))]
    public async Task Messages_come_back_as_they_were_sent(MqttVersion version, QoS qos)
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var client = new MqttClient(new MqttClientOptions(broker.Uri) { Version = version });
        var subscription = client.Subscribe("room/+", new SubscribeOptions { QoS = qos });

        Assert.Equal(qos, await subscription.Granted);
        for (var number = 1; number <= 3; number++)
        {
            var result = await client.PublishAsync($"room/{number}", $"reading {number}", qos);
            Assert.Equal(ReasonCode.Success, result.ReasonCode);
        }

        var received = await subscription.Take(3).ToListAsync();

        Assert.Equal(["room/1 reading 1", "room/2 reading 2", "room/3 reading 3"], received.Select(message => $"{message.Topic} {message.Text}"));
        Assert.All(received, message => Assert.Equal(qos, message.QoS));
        Assert.Equal(version, client.Status.Connection?.Version);
    }

    [Fact]
    public async Task A_message_of_mqtt_5_keeps_all_that_it_says()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var client = new MqttClient(broker.Uri);
        await using var subscription = client.Subscribe("question", new SubscribeOptions { SubscriptionIdentifier = 7 });
        await subscription.Granted;

        await client.PublishAsync(new OutgoingMessage("question", "what?")
        {
            TimeToLive = TimeSpan.FromMinutes(5),
            PayloadFormat = PayloadFormat.Utf8,
            ContentType = "text/plain",
            ResponseTopic = "answer",
            CorrelationData = new byte[] { 1, 2, 3 },
            UserProperties = [new UserProperty("colour", "brown"), new UserProperty("colour", "grey")],
        });
        var received = await subscription.FirstAsync();

        Assert.Equal("what?", received.Text);
        Assert.InRange(received.TimeToLive!.Value, TimeSpan.FromMinutes(4), TimeSpan.FromMinutes(5));
        Assert.Equal(PayloadFormat.Utf8, received.PayloadFormat);
        Assert.Equal("text/plain", received.ContentType);
        Assert.Equal("answer", received.ResponseTopic);
        Assert.Equal(new byte[] { 1, 2, 3 }, received.CorrelationData!.Value.ToArray());
        Assert.Equal([new UserProperty("colour", "brown"), new UserProperty("colour", "grey")], received.UserProperties);
        Assert.Equal([7u], received.SubscriptionIdentifiers);
    }

    [Fact]
    public async Task A_payload_of_many_reads_comes_back_whole()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        var options = new MqttClientOptions(broker.Uri);
        options.Receive.MaximumPacketSize = 4 * 1024 * 1024;
        await using var client = new MqttClient(options);
        await using var subscription = client.Subscribe("blob", new SubscribeOptions { QoS = QoS.ExactlyOnce });
        await subscription.Granted;
        var blob = new byte[3 * 1024 * 1024];
        new Random(20).NextBytes(blob);

        await client.PublishAsync("blob", blob, QoS.ExactlyOnce);
        var received = await subscription.FirstAsync();

        Assert.True(received.Payload.Span.SequenceEqual(blob));
    }
}
