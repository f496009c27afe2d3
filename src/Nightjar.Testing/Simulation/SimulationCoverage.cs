using System.Globalization;
using System.Text;

namespace Nightjar.Testing;

/// <summary>
/// Which faults met messages in which phases: how often, over one run or many. Not thread-safe.
/// </summary>
public sealed class SimulationCoverage
{
    private static readonly SimulatedFault[] Faults = Enum.GetValues<SimulatedFault>();
    private static readonly OutboundPhase[] OutboundPhases = Enum.GetValues<OutboundPhase>();
    private static readonly InboundPhase[] InboundPhases = Enum.GetValues<InboundPhase>();

    private readonly long[,] _outbound = new long[OutboundPhases.Length, Faults.Length];
    private readonly long[,] _inbound = new long[InboundPhases.Length, Faults.Length];

    /// <summary>The pairs that were never met, each as a line of text; none if all were.</summary>
    public IReadOnlyList<string> Missing
    {
        get
        {
            var missing = new List<string>();
            foreach (var fault in Faults)
            {
                missing.AddRange(OutboundPhases.Where(phase => Count(phase, fault) == 0).Select(phase => $"outbound {phase}, {fault}"));
                missing.AddRange(InboundPhases.Where(phase => Count(phase, fault) == 0).Select(phase => $"inbound {phase}, {fault}"));
            }

            return missing;
        }
    }

    /// <summary>How many messages of the client were in this phase when such a fault took effect.</summary>
    public long Count(OutboundPhase phase, SimulatedFault fault) => _outbound[(int)phase, (int)fault];

    /// <summary>How many messages to the client were in this phase when such a fault took effect.</summary>
    public long Count(InboundPhase phase, SimulatedFault fault) => _inbound[(int)phase, (int)fault];

    /// <summary>Adds the counts of another run, or of many.</summary>
    /// <exception cref="ArgumentNullException">There is no other.</exception>
    public void Add(SimulationCoverage other)
    {
        ArgumentNullException.ThrowIfNull(other);
        Add(_outbound, other._outbound);
        Add(_inbound, other._inbound);
    }

    /// <summary>The matrix: a line per fault, a column per phase, first outbound, then inbound.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        Append(text, "outbound", Enum.GetNames<OutboundPhase>(), _outbound);
        text.AppendLine();
        Append(text, "inbound", Enum.GetNames<InboundPhase>(), _inbound);
        return text.ToString();
    }

    internal void Add(OutboundPhase phase, SimulatedFault fault) => _outbound[(int)phase, (int)fault]++;

    internal void Add(InboundPhase phase, SimulatedFault fault) => _inbound[(int)phase, (int)fault]++;

    private static void Add(long[,] to, long[,] from)
    {
        for (var phase = 0; phase < from.GetLength(0); phase++)
        {
            for (var fault = 0; fault < from.GetLength(1); fault++)
            {
                to[phase, fault] += from[phase, fault];
            }
        }
    }

    private static void Append(StringBuilder text, string title, string[] phases, long[,] counts)
    {
        var first = Faults.Max(fault => fault.ToString().Length);
        text.Append(title.PadRight(first));
        foreach (var phase in phases)
        {
            text.Append("  ").Append(phase);
        }

        text.AppendLine();
        foreach (var fault in Faults)
        {
            text.Append(fault.ToString().PadRight(first));
            for (var phase = 0; phase < phases.Length; phase++)
            {
                var count = counts[phase, (int)fault];
                var cell = count == 0 ? "EMPTY" : count.ToString(CultureInfo.InvariantCulture);
                text.Append("  ").Append(cell.PadLeft(phases[phase].Length));
            }

            text.AppendLine();
        }
    }
}
