using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>A session that is cut at every byte offset, in either direction: nothing is lost, QoS 2 comes exactly once.</summary>
public sealed class CutTests
{
    [Theory(DisplayName = "[MQTT5-4.4.0-1] A cut at any byte loses nothing and repeats no QoS 2 message")]
    [InlineData(MqttVersion.Mqtt5, false)]
    [InlineData(MqttVersion.Mqtt5, true)]
    [InlineData(MqttVersion.Mqtt311, false)]
    [InlineData(MqttVersion.Mqtt311, true)]
    [InlineData(MqttVersion.Mqtt31, false)]
    [InlineData(MqttVersion.Mqtt31, true)]
    public void A_cut_at_any_byte_loses_nothing(MqttVersion version, bool delayedHandlers)
    {
        var plan = new SimulationPlan { Version = version, DelayedHandlers = delayedHandlers };
        var random = new Random(version.GetHashCode());
        var faults = new List<string>();
        foreach (var direction in new[] { LinkDirection.ToServer, LinkDirection.ToClient })
        {
            for (var offset = 0L; ; offset++)
            {
                var first = new Cut(direction, offset);
                var once = Run(plan with { Seed = (int)offset, Cuts = [first] }, faults);
                if (once.Links.Count == 1)
                {
                    // The session was over before so many bytes were sent.
                    Assert.True(offset > 200, $"Only {offset} bytes went {direction}.");
                    break;
                }

                foreach (var secondDirection in new[] { LinkDirection.ToServer, LinkDirection.ToClient })
                {
                    var second = new Cut(secondDirection, random.NextInt64(once.Links[1].Carried(secondDirection) + 1));
                    Run(plan with { Seed = random.Next(), Cuts = [first, second] }, faults);
                }
            }
        }

        Assert.Empty(faults);
    }

    [Theory]
    [InlineData(MqttVersion.Mqtt5)]
    [InlineData(MqttVersion.Mqtt311)]
    [InlineData(MqttVersion.Mqtt31)]
    public void Many_cuts_in_one_session_lose_nothing(MqttVersion version)
    {
        var faults = new List<string>();
        for (var seed = 0; seed < 500; seed++)
        {
            var random = new Random(seed);
            var cuts = Enumerable.Range(0, random.Next(3, 9)).Select(_ => new Cut((LinkDirection)random.Next(2), random.Next(250))).ToList();
            Run(
                new SimulationPlan { Version = version, Seed = seed, Messages = 8, ReceiveMaximum = random.Next(1, 6), DelayedHandlers = true, Cuts = cuts },
                faults);
        }

        Assert.Empty(faults);
    }

    private static Simulation Run(SimulationPlan plan, List<string> faults)
    {
        var simulation = new Simulation(plan);
        var name = $"{plan.Version}, seed {plan.Seed}, cuts {string.Join(' ', plan.Cuts)}";
        try
        {
            if (!simulation.Run())
            {
                faults.Add($"{name}: it does not end");
            }

            faults.AddRange(simulation.Verify().Select(fault => $"{name}: {fault}"));
        }
        catch (ModelViolationException violation)
        {
            faults.Add($"{name}: {violation.Message}");
        }

        Assert.True(faults.Count < 10, string.Join(Environment.NewLine, faults));
        return simulation;
    }
}
