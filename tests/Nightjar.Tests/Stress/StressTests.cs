using System.Globalization;
using Xunit;

namespace Nightjar.Tests.Stress;

/// <summary>The promises of the simulator, asked of the whole client: tasks, locks, pools and streams included.</summary>
public sealed class StressTests
{
    private static int Seeds => Environment.GetEnvironmentVariable("NIGHTJAR_LONG") == "1" ? 1_000 : 30;

    [Theory]
    [InlineData(MqttVersion.Mqtt5)]
    [InlineData(MqttVersion.Mqtt311)]
    [InlineData(MqttVersion.Mqtt31)]
    public async Task Concurrent_use_over_a_network_that_breaks_keeps_every_promise(MqttVersion version)
    {
        var connections = 0;
        for (var seed = 0; seed < Seeds; seed++)
        {
            await using var run = new StressRun(seed, version);

            await Named(run.PlayAsync(), $"{version}, seed {seed}");

            CheckPublished(run, $"{version}, seed {seed}");
            CheckReceived(run, $"{version}, seed {seed}");
            await run.Client.DisposeAsync().Soon();
            await run.Client.Completion.Soon();
            connections += run.Connections;
        }

        Assert.True(connections > 2 * Seeds, $"Only {connections} connections in {Seeds} runs: the network is too good.");
    }

    [Theory]
    [InlineData(MqttVersion.Mqtt5)]
    [InlineData(MqttVersion.Mqtt311)]
    public async Task A_client_that_is_disposed_of_in_the_middle_leaves_nobody_waiting(MqttVersion version)
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            await using var run = new StressRun(seed, version);

            await Named(run.PlayUntilDisposedAsync(), $"{version}, seed {seed}");

            Assert.All(run.Attempts, attempt => Assert.True(attempt.Result is null != attempt.Error is null, $"{version}, seed {seed}: {attempt}"));
            Assert.All(run.Attempts.Where(a => a.Result is not null && a.QoS != QoS.AtMostOnce), attempt => Assert.True(Count(run, attempt) > 0, $"{version}, seed {seed}: {attempt}"));
            Assert.Equal(ClientState.Closed, run.Client.State);
        }
    }

    private static async Task Named(Task run, string name)
    {
        try
        {
            await run;
        }
        catch (TimeoutException error)
        {
            throw new TimeoutException($"{name}: {error.Message}", error);
        }
    }

    private static void CheckPublished(StressRun run, string name)
    {
        foreach (var attempt in run.Attempts)
        {
            Assert.True(attempt.Error is null or OperationCanceledException, $"{name}: {attempt}");
            Assert.True(attempt.Error is not null || !attempt.Result!.Value.ReasonCode.IsFailure(), $"{name}: {attempt}");
            if (attempt.QoS == QoS.AtMostOnce)
            {
                Assert.InRange(Count(run, attempt), 0, 1);
            }
            else if (attempt.Error is null)
            {
                Assert.True(Count(run, attempt) >= 1, $"{name}: {attempt} was lost");
            }

            Assert.True(attempt.QoS != QoS.ExactlyOnce || Count(run, attempt) <= 1, $"{name}: {attempt} arrived {Count(run, attempt)} times");
        }

        foreach (var topic in run.Broker.Published.Where(m => m.Topic.StartsWith("out/", StringComparison.Ordinal)).GroupBy(m => m.Topic))
        {
            CheckOrder(topic.Select(m => m.Text), $"{name}: {topic.Key}");
        }
    }

    private static void CheckReceived(StressRun run, string name)
    {
        Assert.All(run.Handled, pair => Assert.True(!pair.Key.StartsWith("in/2", StringComparison.Ordinal) || pair.Value == 1, $"{name}: {pair}"));
        Assert.All(run.Handled, pair => Assert.True(!pair.Key.StartsWith("in/0", StringComparison.Ordinal) || pair.Value == 1, $"{name}: {pair}"));
        foreach (var topic in run.HandledInOrder.Select(key => key.Split(' ')).GroupBy(parts => parts[0]))
        {
            CheckOrder(topic.Select(parts => parts[1]), $"{name}: {topic.Key}");
        }
    }

    /// <summary>First arrivals come in order; what comes again does not count.</summary>
    private static void CheckOrder(IEnumerable<string> texts, string name)
    {
        var numbers = texts.Select(text => int.Parse(text, CultureInfo.InvariantCulture)).Distinct().ToList();
        Assert.True(numbers.SequenceEqual(numbers.Order()), $"{name}: {string.Join(' ', numbers)}");
    }

    private static int Count(StressRun run, StressRun.Attempt attempt)
    {
        var text = attempt.Number.ToString(CultureInfo.InvariantCulture);
        return run.Broker.Published.Count(m => m.Topic == attempt.Topic && m.Text == text);
    }
}
