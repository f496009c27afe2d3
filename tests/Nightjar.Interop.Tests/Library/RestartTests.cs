using System.Globalization;
using Nightjar.Interop.Tests.Mosquitto;
using Xunit;

namespace Nightjar.Interop.Tests.Library;

/// <summary>A broker that keeps its state goes away and comes back, again and again, while messages are on their way.</summary>
public sealed class RestartTests
{
    private static readonly int Restarts = Environment.GetEnvironmentVariable("NIGHTJAR_LONG") == "1" ? 20 : 3;
    private static readonly int MessagesPerQoS = 500 * Restarts;

    // Mosquitto takes no more than this in flight (max_inflight_messages). To a client of 5.0 it says so; from one of 3.1.1 it takes what is above
    // it, acknowledges it and throws it away ("PUBACK rc151" in its log, which 3.1.1 cannot carry).
    private const int MosquittoWindow = 20;

    [Theory]
    [InlineData(MqttVersion.Mqtt311)]
    [InlineData(MqttVersion.Mqtt5)]
    public async Task Nothing_is_lost_and_qos_2_arrives_once_as_far_as_the_broker_keeps_the_session(MqttVersion version)
    {
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { Persistence = true });
        await using var subscriber = new MqttClient(Options("subscriber"));
        await using var publisher = new MqttClient(Options("publisher"));
        var received = new Arrivals(MessagesPerQoS, "flow/1", "flow/2");
        await subscriber.On("flow/+", received.Add, new SubscribeOptions { QoS = QoS.ExactlyOnce }).Granted;

        var published = new List<Task<PublishResult>>();
        for (var number = 0; number < MessagesPerQoS; number++)
        {
            var text = number.ToString(CultureInfo.InvariantCulture);
            published.Add(publisher.PublishAsync("flow/1", text, QoS.AtLeastOnce).AsTask());
            published.Add(publisher.PublishAsync("flow/2", text, QoS.ExactlyOnce).AsTask());
        }

        for (var restart = 1; restart <= Restarts; restart++)
        {
            // The next restart falls into the middle of what is left.
            await published[published.Count * restart / (Restarts + 1)];
            await broker.RestartAsync();
        }

        var results = await Task.WhenAll(published);
        await received.CompleteAsync();

        // Whatever the broker still had to say about the others comes before this one.
        var end = subscriber.Subscribe("end", new SubscribeOptions { QoS = QoS.ExactlyOnce });
        await end.Granted;
        await publisher.PublishAsync("end", "of flow", QoS.ExactlyOnce);
        await end.FirstAsync();

        Assert.All(results, result => Assert.False(result.ReasonCode.IsFailure()));
        Assert.All(received.Counts("flow/1"), count => Assert.True(count >= 1));
        Assert.All(received.Counts("flow/2"), count => Assert.True(count >= 1));

        // Exactly once, but for what the broker itself begins anew: what it restores beyond its window it has forgotten to have released.
        var log = broker.WholeLog;
        Assert.All(received.Repeated(), id => Assert.True(BrokerBeganAnew(log, id), $"The client delivered packet {id} again of its own accord."));

        static bool BrokerBeganAnew(string log, ushort id)
        {
            var released = log.IndexOf($"Sending PUBREL to subscriber (m{id})", StringComparison.Ordinal);
            return released >= 0 && log.IndexOf($"Sending PUBLISH to subscriber (d1, q2, r0, m{id},", released, StringComparison.Ordinal) > released;
        }

        MqttClientOptions Options(string clientId) => new(broker.Uri)
        {
            Version = version,
            ClientId = clientId,
            Session = new SessionOptions { CleanStart = false },
            Outbox = new OutboxOptions { MaximumInFlight = MosquittoWindow },
            Reconnect = new ReconnectOptions { MinimumDelay = TimeSpan.FromMilliseconds(20), MaximumDelay = TimeSpan.FromMilliseconds(200) },
        };
    }
}
