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

    // As fast as it can, and in the long mode slowly enough that fifty lives have something to do.
    private static readonly string Rest = IsLong ? "rest=5" : "rest=100";

    private readonly int _seed = Random.Shared.Next();

    [Theory]
    [InlineData(2)]
    [InlineData(1)]
    public async Task A_publisher_that_is_killed_loses_nothing(int qos)
    {
        await using var broker = await StartBrokerAsync();
        using var directory = new TemporaryDirectory();
        await using var listener = await Listener.StartAsync(broker, (QoS)qos);
        var publisher = new KilledRole("publish", broker.Uri, directory.Path, Chance(1)) { Arguments = [Level(qos), Rest] };

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
        var subscriber = new KilledRole("subscribe", broker.Uri, directory.Path, Chance(2)) { Arguments = [Level(qos), $"acknowledge={acknowledge}", $"file={file}", Rest] };

        var running = subscriber.RunAsync(Kills, Messages);
        await subscriber.IsReady;
        await PublishAllAsync(broker, (QoS)qos);
        await subscriber.IsSpared;
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
        var publisher = new KilledRole("publish", broker.Uri, directory.Path, Chance(3)) { Arguments = [Level(qos), Rest] };
        var subscriber = new KilledRole("subscribe", broker.Uri, directory.Path, Chance(4)) { Arguments = [Level(qos), $"acknowledge={acknowledge}", $"file={file}", Rest] };

        var subscribing = subscriber.RunAsync(Kills, Messages);
        await subscriber.IsReady;
        await publisher.RunAsync(Kills, Messages);
        await subscriber.IsSpared;
        await PublishEndAsync(broker);
        await subscribing;

        Report($"both, QoS {qos}, {acknowledge}", publisher, "the publisher");
        Check($"both, QoS {qos}, {acknowledge}", file, qos, subscriber);
    }

    private static string Level(int qos) => string.Create(CultureInfo.InvariantCulture, $"qos={qos}");

    private static Task<MosquittoBroker> StartBrokerAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "What SIGKILL is, only Unix knows.");
        return MosquittoBroker.StartAsync(new MosquittoSettings { Persistence = true, MaximumInFlight = 200, LogsPackets = false });
    }

    private static async Task PublishAllAsync(MosquittoBroker broker, QoS qos)
    {
        await using var client = new MqttClient(broker.Uri);
        await Task.WhenAll(Enumerable.Range(1, Messages).Select(number =>
            client.PublishAsync(Listener.Topic, number.ToString(CultureInfo.InvariantCulture), qos).AsTask()));
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
