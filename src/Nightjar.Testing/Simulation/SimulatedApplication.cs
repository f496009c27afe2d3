using Nightjar.Protocol.Topics;

namespace Nightjar.Testing.Simulation;

/// <summary>
/// What goes on whatever becomes of the client's process: which filters are wanted, what was published, and what the application does when it begins anew, as it is told to:
/// it subscribes again, enqueues again what it does not know as stored, and asks for the receipts of the rest.
/// </summary>
internal sealed class SimulatedApplication(World world)
{
    private readonly HashSet<string> _left = [];

    /// <summary>The subscriptions, in order.</summary>
    public List<WantedFilter> Wanted { get; } = [];

    /// <summary>Which message each packet identifier of the client stands for.</summary>
    public Dictionary<ushort, OutgoingRecord> Sent { get; } = [];

    /// <summary>What each delivery id stands for.</summary>
    public Dictionary<long, IncomingRecord> Deliveries { get; } = [];

    /// <summary>Processes that there were, counted from 1.</summary>
    public int Process { get; private set; } = 1;

    /// <summary>Connections of all of them.</summary>
    public int Connections { get; set; }

    /// <summary>The broker's session that the client was told of last; 0: none.</summary>
    public int Session { get; set; }

    /// <summary>Messages that were written for the first time.</summary>
    public long FirstWrites { get; set; }

    /// <summary>A filter was given up shortly before a crash: whether the server heard of it, nobody knows.</summary>
    public bool MayBeLeft(string filter) => _left.Contains(filter);

    public WantedFilter Want(string filter)
    {
        var wanted = new WantedFilter(TopicFilter.Parse(filter), world.Random.Chance(0.75) ? QoS.ExactlyOnce : QoS.AtLeastOnce, world.Random.Chance(world.Traits.StoringFilters));
        Wanted.Add(wanted);
        return wanted;
    }

    /// <summary>The process ends, and all that was known in it alone. The next one begins later.</summary>
    /// <param name="survival">How much survives of what is not committed: 0 to 1.</param>
    /// <param name="downtime">Until the next one begins.</param>
    public void Crash(double survival, long downtime)
    {
        world.Client.Die(world.Time.Now + downtime);
        var survived = world.Log!.Crash(survival);
        world.Log.Book.ForgetSessions(survived);
        Session = world.Log.Book.Session;
        foreach (var record in world.Outgoing)
        {
            Crash(record, survived);
        }

        foreach (var record in world.Incoming)
        {
            Crash(record, survived);
        }

        _left.UnionWith(Wanted.Where(wanted => wanted.IsOver).Select(wanted => wanted.Filter.Text));
        Wanted.RemoveAll(wanted => wanted.IsOver);
    }

    /// <summary>The next process begins.</summary>
    public void Restart()
    {
        Process++;
        world.Note($"process {Process} begins");
        world.Client = new SimulatedClient(world);
        world.Client.Start();
    }

    private static void Crash(OutgoingRecord record, long survived)
    {
        var isLogged = record.Record != 0 && record.Record <= survived;
        record.IsBack |= isLogged && record.EndedAt > survived && (record.Withdrawn || record.IsDropped);
        record.EndedAt = record.EndedAt > survived ? 0 : record.EndedAt;
        record.AssignedAt = record.AssignedAt > survived ? 0 : record.AssignedAt;
        record.Record = isLogged ? record.Record : 0;
        record.DropReports = 0;
        if (record.IsOver)
        {
            // The server may have it, and its sender does not know.
            record.HasWaiter &= record.Ends > 0;
            record.MayBeLost |= record.Detached && !isLogged;
            return;
        }

        record.Forget();
        record.Phase = record.Phase is OutboundPhase.Queued or OutboundPhase.AwaitsCommit or OutboundPhase.AwaitsRoom ? OutboundPhase.Queued : OutboundPhase.AwaitsResend;
        if (record.QoS == QoS.AtMostOnce || !record.HasReceipt)
        {
            // Nobody can ask for it any more. What is in the store is sent all the same.
            record.MayBeLost = !isLogged;
            record.Detached = true;
            record.IsOver = true;
        }
    }

    private void Crash(IncomingRecord record, long survived)
    {
        if (record.Running > 0 && world.Random.Chance(0.5))
        {
            // It had done its work, and nobody was told.
            record.Effects++;
        }

        record.Running = 0;
        record.ReceivedAt = record.ReceivedAt > survived ? 0 : record.ReceivedAt;
        record.StoredAt = record.StoredAt > survived ? 0 : record.StoredAt;
        record.IsKept &= record.StoredAt != 0;
        if (!record.IsOver && record.QoS != QoS.AtMostOnce && record.Phase != InboundPhase.Stored)
        {
            record.Phase = InboundPhase.Waiting;
        }
    }
}

/// <summary>A filter that the application wants, in each of its processes.</summary>
internal sealed class WantedFilter(TopicFilter filter, QoS qos, bool isStoring)
{
    public TopicFilter Filter => filter;

    public QoS QoS => qos;

    /// <summary>Its messages are acknowledged once they are stored.</summary>
    public bool IsStoring => isStoring;

    /// <summary>It was given up.</summary>
    public bool IsOver { get; set; }

    /// <summary>The last message of each kind that came for the first time.</summary>
    public Dictionary<(string Topic, QoS QoS, bool Retain), int> Last { get; } = [];
}
