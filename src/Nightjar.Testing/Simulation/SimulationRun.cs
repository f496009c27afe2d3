using Nightjar.Testing.Simulation;

namespace Nightjar.Testing;

/// <summary>What came of one simulated run.</summary>
public sealed class SimulationRun
{
    private readonly Lazy<IReadOnlyList<string>> _history;

    internal SimulationRun(long seed, World world, Func<IReadOnlyList<string>> history)
    {
        Seed = seed;
        Violations = world.Violations;
        Coverage = world.Coverage;
        Duration = TimeSpan.FromTicks(world.Time.Now);
        Connections = world.Application.Connections;
        Published = world.Outgoing.Count;
        Received = world.Incoming.Count;
        _history = new Lazy<IReadOnlyList<string>>(history);
    }

    /// <summary>The seed that it came from. The same seed and options play the same run again, on any machine.</summary>
    public long Seed { get; }

    /// <summary>What went wrong; empty if all is well. A run ends with its first violation.</summary>
    public IReadOnlyList<string> Violations { get; }

    /// <summary>Whether nothing went wrong.</summary>
    public bool IsClean => Violations.Count == 0;

    /// <summary>Which faults met messages in which phases.</summary>
    public SimulationCoverage Coverage { get; }

    /// <summary>Virtual time from the first connection to the last goodbye.</summary>
    public TimeSpan Duration { get; }

    /// <summary>How many connections there were.</summary>
    public int Connections { get; }

    /// <summary>How many messages the client published.</summary>
    public int Published { get; }

    /// <summary>How many messages the broker had for the client.</summary>
    public int Received { get; }

    /// <summary>Every packet, fault and loss with its virtual time. The run is played again for it when this is first asked for.</summary>
    public IReadOnlyList<string> History => _history.Value;

    /// <summary>The seed, and what went wrong.</summary>
    public override string ToString() => IsClean
        ? $"seed {Seed}: clean, {Published} messages out, {Received} in, {Connections} connections, {Duration}"
        : $"seed {Seed}: {string.Join("; ", Violations)}";
}
