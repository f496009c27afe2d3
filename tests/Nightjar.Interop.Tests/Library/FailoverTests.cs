using System.Globalization;
using Nightjar.Interop.Tests.Mosquitto;
using Xunit;

namespace Nightjar.Interop.Tests.Library;

/// <summary>Two brokers, of which one is there at a time; and what a broker says to clients without a name.</summary>
public sealed class FailoverTests
{
    private const int MessagesPerPhase = 200;

    [Theory]
    [InlineData(MqttVersion.Mqtt311)]
    [InlineData(MqttVersion.Mqtt5)]
    public async Task Nothing_is_lost_on_the_way_to_the_other_broker_and_back(MqttVersion version)
    {
        await using var first = await MosquittoBroker.StartAsync(new MosquittoSettings { Persistence = true });
        await using var second = await MosquittoBroker.StartAsync(new MosquittoSettings { Persistence = true });
        await using var watcher = new MqttClient(Options("watcher", first.Uri));
        await using var other = new MqttClient(Options("other", second.Uri));
        await using var client = new MqttClient(Options("roaming", first.Uri, second.Uri));
        var received = new Arrivals(MessagesPerPhase * 3, "flow/1", "flow/2");
        await watcher.On("flow/+", received.Add, new SubscribeOptions { QoS = QoS.ExactlyOnce }).Granted;
        await other.On("flow/+", received.Add, new SubscribeOptions { QoS = QoS.ExactlyOnce }).Granted;

        var results = await PublishAsync(0);
        Assert.Equal(first.Uri, client.Status.Server);
        var published = PublishAsync(1);
        await first.StopAsync();
        results.AddRange(await published);
        await client.PublishAsync("end", "of phase");
        Assert.Equal(second.Uri, client.Status.Server);

        await first.StartAgainAsync();
        published = PublishAsync(2);
        await second.StopAsync();
        results.AddRange(await published);
        await client.PublishAsync("end", "of phase");
        Assert.Equal(first.Uri, client.Status.Server);

        // Each message is at one of the two brokers at least.
        await second.StartAgainAsync();
        await received.CompleteAsync();
        Assert.All(results, result => Assert.False(result.ReasonCode.IsFailure()));

        // Whatever the brokers still had to say about the others comes before this one.
        await FlushAsync(watcher);
        await FlushAsync(other);
        var counts = received.Counts("flow/2");
        var sentOnce = results.Where((_, index) => index % 2 == 1).Index().Where(entry => !entry.Item.Flags.HasFlag(PublishFlags.PossiblyDuplicated)).ToList();
        Assert.True(sentOnce.Count > MessagesPerPhase, $"Only {sentOnce.Count} stayed with one broker.");
        Assert.All(sentOnce, entry => Assert.Equal(1, counts[entry.Index]));

        async Task FlushAsync(MqttClient subscriber)
        {
            var end = subscriber.Subscribe("end/of/flow", new SubscribeOptions { QoS = QoS.ExactlyOnce });
            await end.Granted;
            await subscriber.PublishAsync("end/of/flow", "now", QoS.ExactlyOnce);
            await end.FirstAsync();
        }

        async Task<List<PublishResult>> PublishAsync(int phase)
        {
            var publishes = new List<Task<PublishResult>>();
            for (var number = phase * MessagesPerPhase; number < (phase + 1) * MessagesPerPhase; number++)
            {
                var text = number.ToString(CultureInfo.InvariantCulture);
                publishes.Add(client.PublishAsync("flow/1", text, QoS.AtLeastOnce).AsTask());
                publishes.Add(client.PublishAsync("flow/2", text, QoS.ExactlyOnce).AsTask());
            }

            return [.. await Task.WhenAll(publishes)];
        }

        MqttClientOptions Options(string clientId, params string[] servers)
        {
            var options = new MqttClientOptions
            {
                Version = version,
                ClientId = clientId,
                Session = new SessionOptions { CleanStart = false },
                Outbox = new OutboxOptions { MaximumInFlight = 20 },
                Reconnect = new ReconnectOptions { MinimumDelay = TimeSpan.FromMilliseconds(20), MaximumDelay = TimeSpan.FromMilliseconds(40) },
            };
            foreach (var server in servers)
            {
                options.Servers.Add(new MqttServer(server));
            }

            return options;
        }
    }

    [Fact]
    public async Task A_client_that_disconnected_stays_away_without_a_will()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var watcher = new MqttClient(broker.Uri);
        var wills = new List<string>();
        await watcher.On("will/#", message => wills.Add(message.Text)).Granted;
        await using var client = new MqttClient(new MqttClientOptions(broker.Uri) { ClientId = "leaving", Will = new WillMessage { Topic = "will/1", Payload = "dead"u8.ToArray() } });
        await client.ConnectAsync();

        await client.DisconnectAsync();

        await broker.LoggedAsync("Received DISCONNECT from leaving");
        var end = watcher.Subscribe("end");
        await end.Granted;
        await watcher.PublishAsync("will/end", "end");
        await watcher.PublishAsync("end", "of it");
        await end.FirstAsync();
        Assert.Equal(ClientState.Disconnected, client.State);
        Assert.Equal(["end"], wills);
        Assert.Single(broker.Log.Split('\n'), line => line.Contains("as leaving", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public async Task A_client_without_a_name_has_one_of_its_own_and_keeps_it(string? clientId)
    {
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { Persistence = true });
        await using var client = new MqttClient(Options());
        await using var other = new MqttClient(Options());
        await client.ConnectAsync();
        await other.ConnectAsync();
        var name = client.ClientId;

        await broker.RestartAsync();
        await client.PublishAsync("t", "x");

        Assert.NotEmpty(name);
        Assert.Equal(name, client.ClientId);
        Assert.NotEqual(name, other.ClientId);

        MqttClientOptions Options() => new(broker.Uri)
        {
            ClientId = clientId,
            Reconnect = new ReconnectOptions { MinimumDelay = TimeSpan.FromMilliseconds(20), MaximumDelay = TimeSpan.FromMilliseconds(200) },
        };
    }
}
