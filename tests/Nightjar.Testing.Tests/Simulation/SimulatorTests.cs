using System.Globalization;
using Xunit;

namespace Nightjar.Testing.Tests.Simulation;

/// <summary>The engine, played through thousands of schedules; see <see cref="Simulator"/> for what is checked after each.</summary>
[Collection(WholeMachine.Name)]
public sealed class SimulatorTests
{
    private const int LinesShown = 150;

    private static bool IsLong => Environment.GetEnvironmentVariable("NIGHTJAR_LONG") == "1";

    [Fact]
    public void Ten_thousand_schedules_are_clean_and_every_fault_meets_every_phase()
    {
        var series = Simulator.RunMany(firstSeed: 0, IsLong ? 200_000 : 10_000);

        // ./test shows it.
        if (Environment.GetEnvironmentVariable("NIGHTJAR_COVERAGE") is { Length: > 0 } file)
        {
            File.WriteAllText(file, $"What faults met, in {series.Runs} simulated schedules:{Environment.NewLine}{Environment.NewLine}{series.Coverage}");
        }

        Assert.True(series.IsClean, Describe(series));
        Assert.Empty(series.Coverage.Missing);
    }

    [Fact]
    public void Replay_of_one_seed()
    {
        var seed = Environment.GetEnvironmentVariable("NIGHTJAR_SEED");
        var run = Simulator.Run(long.Parse(seed ?? "1", CultureInfo.InvariantCulture));
        if (seed is not null)
        {
            Console.WriteLine(string.Join(Environment.NewLine, run.History));
            Console.WriteLine(run);
        }

        Assert.True(run.IsClean, $"{run}");
    }

    [Fact]
    public void The_same_seed_plays_the_same_run()
    {
        for (var seed = 0; seed < 50; seed++)
        {
            Assert.Equal(Simulator.Run(seed).History, Simulator.Run(seed).History);
        }
    }

    [Fact]
    public void A_schedule_has_a_hundred_messages_in_each_direction_and_three_faults()
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var run = Simulator.Run(seed, new SimulationOptions { FaultKinds = [SimulatedFault.Delay, SimulatedFault.Split, SimulatedFault.SlowHandler] });

            Assert.True(run.Published >= 100);
            Assert.True(run.History.Count(line => line.Contains("fault:", StringComparison.Ordinal)) >= 3);
            Assert.True(run.Received >= 100, $"{run.Received}");
        }
    }

    [Fact]
    public void The_history_shows_packets_faults_and_losses()
    {
        var history = Simulator.Run(3, new SimulationOptions { Version = MqttVersion.Mqtt5, FaultKinds = [SimulatedFault.BrokerRestart] }).History;

        foreach (var part in new[] { "->  CONNECT Mqtt5", "<-  CONNACK", "->  PUBLISH", "<-  PUBREC", "->  PUBREL", "fault: BrokerRestart", "breaks", "->  DISCONNECT" })
        {
            Assert.Contains(history, line => line.Contains(part, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Handlers_topics_and_versions_are_the_callers()
    {
        var topics = new HashSet<string>();
        var options = new SimulationOptions
        {
            Version = MqttVersion.Mqtt311,
            Filters = ["orders/+/placed"],
            ReceivedTopics = ["orders/1/placed", "orders/2/placed"],
            PublishedTopics = ["orders/shipped"],
            Handler = message =>
            {
                topics.Add(message.Topic);
                return new SimulatedHandling(TimeSpan.FromSeconds(0.1), Throws: message.Attempt == 0 && message.Number % 10 == 0);
            },
        };

        var run = Simulator.Run(7, options);

        Assert.True(run.IsClean, $"{run}");
        Assert.True(topics.IsSupersetOf(["orders/1/placed", "orders/2/placed"]));
        Assert.Contains(run.History, line => line.Contains("CONNECT Mqtt311", StringComparison.Ordinal));
        Assert.Contains(run.History, line => line.Contains("orders/shipped", StringComparison.Ordinal));
    }

    [Fact]
    public void A_handler_that_breaks_its_word_is_a_violation()
    {
        var run = Simulator.Run(1, new SimulationOptions { Handler = _ => throw new InvalidOperationException("not a handler") });

        Assert.Contains("not a handler", Assert.Single(run.Violations), StringComparison.Ordinal);
        Assert.Contains("seed 1", run.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_played_is_refused_with_a_reason()
    {
        Assert.Throws<ArgumentException>(() => Simulator.Run(1, new SimulationOptions { Publishes = -1 }));
        Assert.Throws<ArgumentException>(() => Simulator.Run(1, new SimulationOptions { ReceiveMaximum = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => Simulator.RunMany(1, 0));
        Assert.Contains("'a/+'", Assert.Throws<ArgumentException>(() => Simulator.Run(1, new SimulationOptions { PublishedTopics = ["a/+"] })).Message, StringComparison.Ordinal);
        Assert.Contains("'a/b'", Assert.Throws<ArgumentException>(() => Simulator.Run(1, new SimulationOptions { ReceivedTopics = ["a/b"] })).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Simulator.Run(1, new SimulationOptions { ReceivedTopics = [] }));
        Assert.Contains("Version is 9", Assert.Throws<ArgumentException>(() => Simulator.Run(1, new SimulationOptions { Version = (MqttVersion)9 })).Message, StringComparison.Ordinal);
        Assert.Contains("FaultKinds", Assert.Throws<ArgumentException>(() => Simulator.Run(1, new SimulationOptions { FaultKinds = [(SimulatedFault)99] })).Message, StringComparison.Ordinal);
        Assert.Contains("not null", Assert.Throws<ArgumentException>(() => Simulator.Run(1, new SimulationOptions { Filters = null! })).Message, StringComparison.Ordinal);
    }

    private static string Describe(SimulationSeries series)
    {
        if (series.IsClean)
        {
            return "";
        }

        var first = series.Failed[0];
        return string.Join(
            Environment.NewLine,
            [
                .. series.Failed.Select(run => run.ToString()),
                $"Again: NIGHTJAR_SEED={first.Seed} dotnet {Path.Combine(AppContext.BaseDirectory, "Nightjar.Testing.Tests.dll")} --filter-method '*Replay_of_one_seed'",
                "The end of its history:",
                .. first.History.TakeLast(LinesShown),
            ]);
    }
}
