using Nightjar.Testing.Simulation;

namespace Nightjar.Testing;

/// <summary>
/// Plays the client against a model of a broker over a network that breaks, in virtual time and on one thread: a run of hundreds of messages and a handful of faults takes
/// milliseconds. Everything follows from a seed, so what went wrong once goes wrong again.
/// </summary>
/// <remarks>
/// After each run it is checked that QoS 1 arrived at least once and QoS 2 exactly once in both directions (where the broker lost its sessions: at least once, and the
/// result says so), in order per topic and QoS; that everyone who waited heard exactly once; that no packet identifier and no quota is lost; that the client neither storms
/// the broker nor breaks a rule of the protocol; and that it comes to rest. With a store (<see cref="SimulationOptions.Store"/>) processes end at any moment and others go on where
/// they stopped: then equal delivery ids are discarded first, nothing is on the wire before its record is committed, what was said to be stored is delivered, and the log stays short.
/// It is the engine that is played, without sockets, threads and your own objects: for those there are
/// <see cref="MqttTestBroker"/> and <see cref="FaultyNetwork"/>. Thread-safe.
/// </remarks>
/// <example>
/// <code>
/// var run = Simulator.Run(seed: 42, new SimulationOptions { Handler = message => new SimulatedHandling(TimeSpan.FromSeconds(2)) });
/// Assert.True(run.IsClean, string.Join('\n', run.History));
/// </code>
/// </example>
public static class Simulator
{
    private const int MostFailures = 10;

    /// <summary>Plays one run.</summary>
    /// <param name="seed">Any number.</param>
    /// <param name="options">Default: everything by the seed.</param>
    /// <exception cref="ArgumentException">A topic is none, or no filter matches it, or a number is out of its range.</exception>
    public static SimulationRun Run(long seed, SimulationOptions? options = null)
    {
        options ??= new SimulationOptions();
        SimulationOptions.ThrowIfInvalid(options);
        return new SimulationRun(seed, Play(seed, options, history: null), () =>
        {
            var history = new PacketHistory();
            Play(seed, options, history);
            return history.Lines;
        });
    }

    /// <summary>Plays many runs, on as many threads as there are processors.</summary>
    /// <param name="firstSeed">Of the first; the others count up from it.</param>
    /// <param name="count">How many, at least 1.</param>
    /// <param name="options">Default: everything by the seed.</param>
    /// <exception cref="ArgumentException">There are none to play, or as for <see cref="Run"/>.</exception>
    public static SimulationSeries RunMany(long firstSeed, int count, SimulationOptions? options = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        options ??= new SimulationOptions();
        SimulationOptions.ThrowIfInvalid(options);
        var gate = new Lock();
        var failed = new List<SimulationRun>();
        var coverage = new SimulationCoverage();
        var played = 0;
        Parallel.For(
            firstSeed,
            firstSeed + count,
            () => (Coverage: new SimulationCoverage(), Count: 0),
            (seed, loop, local) =>
            {
                var run = Run(seed, options);
                local.Coverage.Add(run.Coverage);
                if (!run.IsClean)
                {
                    lock (gate)
                    {
                        failed.Add(run);
                        if (failed.Count >= MostFailures)
                        {
                            loop.Stop();
                        }
                    }
                }

                return (local.Coverage, local.Count + 1);
            },
            local =>
            {
                lock (gate)
                {
                    coverage.Add(local.Coverage);
                    played += local.Count;
                }
            });
        return new SimulationSeries(played, [.. failed.OrderBy(run => run.Seed)], coverage);
    }

    private static World Play(long seed, SimulationOptions options, PacketHistory? history)
    {
        var world = new World(seed, options, history);
        new SimulationPlayer(world).Play();
        return world;
    }
}
