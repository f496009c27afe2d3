using System.Globalization;
using Nightjar.Interop.Tests.Mosquitto;
using Xunit;

namespace Nightjar.Interop.Tests.Durable;

/// <summary>
/// A publisher and a subscriber, each a process with a <see cref="FileSessionStore"/>, are killed with SIGKILL again and again while 20,000 messages pass through a Mosquitto that loses nothing.
/// </summary>
public sealed class KillTests(ITestOutputHelper output)
{
    private const int Messages = 20_000;

    private static readonly bool IsLong = Environment.GetEnvironmentVariable("NIGHTJAR_LONG") == "1";
    private static readonly int Kills = IsLong ? 50 : 5;

    private readonly int _seed = Random.Shared.Next();

    [Theory]
    [InlineData(2)]
    [InlineData(1)]
    public async Task A_publisher_that_is_killed_loses_nothing(int qos)
    {
        await using var broker = await StartBrokerAsync();
        using var directory = new TemporaryDirectory();
        await using var listener = await Listener.StartAsync(broker, (QoS)qos);
        using var publisher = new KilledRole("publish", broker.Uri, directory.Path, Chance(1)) { Arguments = [Level(qos)] };

        var exit = await publisher.RunAsync(Kills, Messages);
        await listener.EndAsync();

        Report($"publisher, QoS {qos}", publisher, $"{exit.Output.Split('\n')[^2]} arrived {listener.Arrived}, of these {listener.Arrived - Messages} repeated");
        listener.AssertComplete(Messages, exactlyOnce: qos == 2);
    }

    [Theory]
    [InlineData(2, AcknowledgeMode.AfterHandler)]
    [InlineData(2, AcknowledgeMode.Stored)]
    public async Task A_subscriber_that_is_killed_loses_nothing(int qos, AcknowledgeMode acknowledge)
    {
        await using var broker = await StartBrokerAsync();
        using var directory = new TemporaryDirectory();
        var file = Path.Combine(directory.Path, "deliveries");
        using var subscriber = new KilledRole("subscribe", broker.Uri, directory.Path, Chance(2)) { Arguments = [Level(qos), $"acknowledge={acknowledge}", $"file={file}", "rest=100"] };

        var running = subscriber.RunAsync(Kills, Messages);
        await subscriber.IsReady;
        await PublishAllAsync(broker, (QoS)qos, subscriber);
        await PublishEndAsync(broker);
        await running;

        Check($"subscriber, QoS {qos}, {acknowledge}", file, qos, subscriber);
    }

    [Theory]
    [InlineData(2, AcknowledgeMode.AfterHandler)]
    [InlineData(1, AcknowledgeMode.Stored)]
    public async Task Both_are_killed_and_nothing_is_lost(int qos, AcknowledgeMode acknowledge)
    {
        await using var broker = await StartBrokerAsync();
        using var directory = new TemporaryDirectory();
        var file = Path.Combine(directory.Path, "deliveries");
        using var publisher = new KilledRole("publish", broker.Uri, directory.Path, Chance(3)) { Arguments = [Level(qos)] };
        using var subscriber = new KilledRole("subscribe", broker.Uri, directory.Path, Chance(4)) { Arguments = [Level(qos), $"acknowledge={acknowledge}", $"file={file}", "rest=100"] };

        var end = new TaskCompletionSource();
        var subscribing = subscriber.RunAsync(Kills, Messages, end.Task);
        try
        {
            await subscriber.IsReady;
            await publisher.RunAsync(Kills, Messages);
            for (var kill = 0; kill < Kills; kill++)
            {
                await subscriber.KilledAsync();
            }

            await PublishEndAsync(broker);
        }
        finally
        {
            end.SetResult();
            await subscribing;
        }

        Report($"both, QoS {qos}, {acknowledge}", publisher, "the publisher");
        Check($"both, QoS {qos}, {acknowledge}", file, qos, subscriber);
    }

    private static string Level(int qos) => string.Create(CultureInfo.InvariantCulture, $"qos={qos}");

    private static Task<MosquittoBroker> StartBrokerAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "What SIGKILL is, only Unix knows.");
        return MosquittoBroker.StartAsync(new MosquittoSettings { Persistence = true, MaximumInFlight = 200, LogsPackets = false });
    }

    /// <summary>A share for each life.</summary>
    private static async Task PublishAllAsync(MosquittoBroker broker, QoS qos, KilledRole subscriber)
    {
        await using var client = new MqttClient(broker.Uri);
        foreach (var share in Enumerable.Range(1, Messages).Chunk((Messages / (Kills + 1)) + 1))
        {
            await Task.WhenAll(share.Select(number => client.PublishAsync(Listener.Topic, number.ToString(CultureInfo.InvariantCulture), qos).AsTask()));
            if (share[^1] < Messages)
            {
                await subscriber.KilledAsync();
            }
        }
    }

    private static async Task PublishEndAsync(MosquittoBroker broker)
    {
        await using var client = new MqttClient(broker.Uri);
        await client.PublishAsync(Listener.Topic, Listener.End, QoS.ExactlyOnce);
    }

    private Random Chance(int stream) => new(_seed + stream);

    private void Check(string run, string file, int qos, KilledRole subscriber)
    {
        var written = new DeliveryFile(file);
        written.AssertRepeatedOnlyAtTheEndOfALife();
        Report(run, subscriber, $"{written.Deliveries} deliveries, of these {written.Repetitions} repeated with the same number, {written.MostRepetitions} at most after one kill");
        written.AssertComplete(Messages, exactlyOnce: qos == 2);
    }

    private void Report(string run, KilledRole role, string more) =>
        output.WriteLine($"{run}: seed {_seed}, {role.Kills} kills, {role.Starts} starts, {role.Resent} resent; {more}");
}
