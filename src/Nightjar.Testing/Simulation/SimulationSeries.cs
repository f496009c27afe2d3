namespace Nightjar.Testing;

/// <summary>What came of many simulated runs.</summary>
/// <param name="Runs">How many there were.</param>
/// <param name="Failed">Those that went wrong, by seed; a series ends early when there are ten.</param>
/// <param name="Coverage">Of all of them together.</param>
public sealed record SimulationSeries(int Runs, IReadOnlyList<SimulationRun> Failed, SimulationCoverage Coverage)
{
    /// <summary>Whether nothing went wrong.</summary>
    public bool IsClean => Failed.Count == 0;
}
