using Nightjar.Protocol.Journal;

namespace Nightjar.Protocol.Engine;

// What the store has to do with it.
internal sealed partial class ClientEngine
{
    /// <summary>
    /// The session goes on where an earlier process stopped; once, before anything is dialled. <paramref name="journal"/> is where it is written down from here on.
    /// </summary>
    public void Restore(RestoredSession session, SessionJournal journal, long now, DateTimeOffset utcNow)
    {
        foreach (var arrival in session.Arrivals.Where(arrival => arrival.IsReceived))
        {
            Ledger.Restore(arrival.PacketId); // mutant: ForgetInboundIds
        }

        Identifiers.Restore(session.Identifiers.Select(known => (known.Identifier, known.Filter)), session.HighestIdentifier);
        Identifiers.Journal = journal;
        Outbound.Restore(session, journal, now, utcNow);
        _replays = new StoredReplays(session, journal, Routes);
        _lifecycle.Restore(session, now);
    }

    /// <summary>Take: the next message that was stored and not handled, for those here who store messages; after <see cref="EngineOutput.Replay"/>.</summary>
    public bool TakeReplay(out StoredReplay replay)
    {
        replay = default;
        return _replays is not null && _replays.TryTake(out replay);
    }

    /// <summary>The log is committed up to this record.</summary>
    public void HandleCommitted(long sequence) => Outbound.Committed(sequence);

    /// <summary>Records cannot be written at the moment: what depends on them waits.</summary>
    public void HandleStoreFailed() => Outbound.HandleStore(isFailing: true);

    /// <summary>They can again.</summary>
    public void HandleStoreWentOn() => Outbound.HandleStore(isFailing: false);
}
