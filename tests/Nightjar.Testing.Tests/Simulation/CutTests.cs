using Xunit;

namespace Nightjar.Testing.Tests.Simulation;

/// <summary>A session that is cut at every byte, in either direction: nothing is lost, QoS 2 comes exactly once.</summary>
[Collection(WholeMachine.Name)]
public sealed class CutTests
{
    [Theory(DisplayName = "[MQTT5-4.4.0-1] A cut at any byte loses nothing and repeats no QoS 2 message")]
    [InlineData(MqttVersion.Mqtt5)]
    [InlineData(MqttVersion.Mqtt311)]
    [InlineData(MqttVersion.Mqtt31)]
    public void A_cut_at_any_byte_loses_nothing(MqttVersion version)
    {
        foreach (var toServer in new[] { true, false })
        {
            for (var offset = 0L; ; offset++)
            {
                var first = new SimulatedCut(toServer, offset);
                var once = Run(version, offset, [first]);
                if (once.Connections == 1)
                {
                    // The session was over before so many bytes were sent.
                    Assert.True(offset > 200, $"Only {offset} bytes went {(toServer ? "to the server" : "to the client")}.");
                    break;
                }

                var second = new SimulatedCut(ToServer: offset % 4 == 0, offset * 7 % 400);
                Run(version, offset, [first, second]);
            }
        }
    }

    [Theory]
    [InlineData(MqttVersion.Mqtt5)]
    [InlineData(MqttVersion.Mqtt311)]
    [InlineData(MqttVersion.Mqtt31)]
    public void Many_cuts_in_one_session_lose_nothing(MqttVersion version)
    {
        for (var seed = 0; seed < 500; seed++)
        {
            var random = new Random(seed);
            var cuts = Enumerable.Range(0, random.Next(3, 9)).Select(_ => new SimulatedCut(random.Next(2) == 0, random.Next(250)));
            Run(version, seed, [.. cuts]);
        }
    }

    private static SimulationRun Run(MqttVersion version, long variant, SimulatedCut[] cuts)
    {
        // Few seeds, so that neighbouring offsets cut the same bytes.
        var run = Simulator.Run(variant % 2, new SimulationOptions { Version = version, Publishes = 6, FaultKinds = [], Cuts = cuts });
        Assert.True(run.IsClean, $"{version}, cuts {string.Join(' ', cuts)}: {run}");
        return run;
    }
}
