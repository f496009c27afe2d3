using Nightjar.Protocol.Engine;
using Nightjar.Subscriptions;

namespace Nightjar.Connection;

/// <summary>What an entry into the engine leaves to be done once the lock is released: waits to signal, connections to start and to close, things to log.</summary>
internal sealed class Effects
{
    public List<PublishOutcome> Ended { get; set; } = [];

    /// <summary>How many of them are waits of publishers.</summary>
    public int PublishersEnded
    {
        get
        {
            var count = 0;
            foreach (ref readonly var outcome in System.Runtime.InteropServices.CollectionsMarshal.AsSpan(Ended))
            {
                count += outcome.Waiter is PublishWaiter ? 1 : 0;
            }

            return count;
        }
    }

    /// <summary>Whether there are receipts among them.</summary>
    public bool HasReceipts { get; set; }

    public List<EngineOutput> Outputs { get; } = [];

    public NetworkConnection? Start { get; set; }

    public List<(NetworkConnection Connection, bool AfterFlush)> Close { get; } = [];

    /// <summary>Subscriptions that were given messages of an earlier process, which are to be shown to them.</summary>
    public List<MessageFeed> Replayed { get; } = [];

    /// <summary>Whether the client waits for its next attempt; and the number of this entry, by which the last one counts.</summary>
    public bool IsWaiting { get; set; }

    public long Turn { get; set; }

    /// <summary>The client is closed for good.</summary>
    public bool IsClosed { get; set; }

    public void Clear()
    {
        IsWaiting = IsClosed = HasReceipts = false;
        Ended.Clear();
        Outputs.Clear();
        Close.Clear();
        Replayed.Clear();
        Start = null;
    }
}
