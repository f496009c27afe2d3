using Nightjar.Protocol.Engine;

namespace Nightjar.Diagnostics;

/// <summary>What the clients of one server add up to: totals that only grow, and what they hold at this moment.</summary>
internal sealed class ServerTotals
{
    public EngineCounters Counters { get; } = new();

    /// <summary>Received QoS 0 messages whose subscriber was too slow.</summary>
    public long MessagesDropped { get; set; }

    /// <summary>Received messages that were too large.</summary>
    public long MessagesSkipped { get; set; }

    /// <summary>By <see cref="ClientState"/>: clients.</summary>
    public int[] Clients { get; } = new int[Enum.GetValues<ClientState>().Length];

    public int InFlight { get; set; }

    public int Queued { get; set; }

    /// <summary>The totals of a client that is closed; it holds nothing any more.</summary>
    public void AddTotals(ServerTotals other)
    {
        Counters.Add(other.Counters);
        MessagesDropped += other.MessagesDropped;
        MessagesSkipped += other.MessagesSkipped;
    }
}
