using System.Runtime.CompilerServices;

namespace Nightjar.Testing.Simulation;

/// <summary>Everything that the parts of one run share. Nothing in it knows of another run, of a thread or of a real clock.</summary>
internal sealed class World
{
    public World(long seed, SimulationOptions options, PacketHistory? history)
    {
        Options = options;
        History = history;
        Random = new SeededRandom(seed);
        Traits = new SimulationTraits(options, Random);
        Network.Latency = Traits.Latency;
        Handlers = new HandlerMood(this);
        Broker = new ModelBroker(this);
        Application = new SimulatedApplication(this);
        Log = Traits.HasStore ? new SimulatedLog(this) : null;
        Client = new SimulatedClient(this);
    }

    public SimulationOptions Options { get; }

    public SeededRandom Random { get; }

    public SimulationTraits Traits { get; }

    public VirtualTime Time { get; } = new();

    public NetworkConditions Network { get; } = new();

    public ModelBroker Broker { get; }

    /// <summary>The client's process; each crash makes another one.</summary>
    public SimulatedClient Client { get; set; }

    /// <summary>What goes on whatever becomes of the process.</summary>
    public SimulatedApplication Application { get; }

    /// <summary>The session's store; null without one.</summary>
    public SimulatedLog? Log { get; }

    public PacketHistory? History { get; }

    /// <summary>What handlers do at the moment.</summary>
    public HandlerMood Handlers { get; }

    public SimulationCoverage Coverage { get; } = new();

    /// <summary>By number.</summary>
    public List<OutgoingRecord> Outgoing { get; } = [];

    /// <summary>By number.</summary>
    public List<IncomingRecord> Incoming { get; } = [];

    public List<string> Violations { get; } = [];

    /// <summary>
    /// The broker lost a session, and the client was not told: MQTT 3.1 does not say, or the CONNACK that said so was lost and the next one spoke of the new session. Then the
    /// client takes a re-sent QoS 2 message whose identifier it knows for one that it has handled. Nobody can tell them apart, so no more is asked of inbound QoS 2 than that
    /// nothing is handled twice.
    /// </summary>
    public bool SessionIsAmbiguous { get; set; }

    /// <summary>
    /// The client got a new session while the disk was full, so that CONNECT did not wait for its record, and ended before it could write that down. The next process takes the new
    /// session for the old one, and cannot say that a QoS 2 message may have arrived twice.
    /// </summary>
    public bool SessionIsUnknown { get; set; }

    public void Violate(string what)
    {
        Violations.Add(what);
        Note($"VIOLATION: {what}");
    }

    public void Require(bool holds, string what)
    {
        if (!holds)
        {
            Violate(what);
        }
    }

    public void Require(bool holds, [InterpolatedStringHandlerArgument(nameof(holds))] ref Complaint what)
    {
        if (!holds)
        {
            Violate(what.ToText());
        }
    }

    /// <summary>A line for whoever reads the history.</summary>
    public void Note(string line) => History?.Add(Time.Now, "--", line);

    /// <summary>A fault takes effect: whatever is on its way now is covered by it.</summary>
    public void Cover(SimulatedFault fault)
    {
        Note($"fault: {fault}");
        foreach (var record in Outgoing)
        {
            if (!record.IsOver)
            {
                Coverage.Add(record.Phase, fault);
            }
        }

        foreach (var record in Incoming)
        {
            if (!record.IsOver)
            {
                Coverage.Add(record.Phase, fault);
            }
        }
    }
}
