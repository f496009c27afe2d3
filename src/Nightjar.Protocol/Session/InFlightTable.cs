using System.Diagnostics;

namespace Nightjar.Protocol.Session;

/// <summary>What a packet identifier of ours waits for.</summary>
internal enum InFlightPhase : byte
{
    Free,
    PubAck,
    PubRec,
    PubComp,
    SubAck,
    UnsubAck,

    /// <summary>A message may have had it whose record is lost.</summary>
    Reserved,
}

/// <summary>
/// The packet identifiers that we gave out and have no final answer for, each with the host's handle; and the two orders that a resumed session needs:
/// PUBLISHes as they were first sent, PUBRELs as their PUBRECs came [MQTT5-4.4.0-1, MQTT5-4.6.0-1, MQTT5-4.6.0-4]. Every operation is O(1).
/// </summary>
/// <remarks>
/// Identifiers are given out in rotation, so that a late answer to an old one does not meet a new one. Live identifiers therefore lie close together: entries are
/// kept in pages of 256, made when needed and used again, and an idle table holds nothing. Not thread-safe: it belongs to the session.
/// </remarks>
internal sealed class InFlightTable
{
    private const int PageBits = 8;
    private const int PageSize = 1 << PageBits;

    // Emptied pages to use again: enough for some thousand messages in flight, 48 KiB at the most.
    private const int SparePages = 16;

    private readonly Stack<Page> _spares = new();
    private Page?[]? _pages;
    private ushort _last;

    /// <summary>How many identifiers are in use, whatever for.</summary>
    public int Count { get; private set; }

    /// <summary>PUBLISHes without PUBACK or PUBREC, oldest first.</summary>
    public InFlightOrder Publishes { get; private set; }

    /// <summary>Released messages without PUBCOMP, in the order of their PUBRECs.</summary>
    public InFlightOrder Releases { get; private set; }

    /// <summary>Takes the next free identifier. The caller has made sure that one is left.</summary>
    public ushort Add(InFlightPhase phase, int handle)
    {
        Debug.Assert(Count < ushort.MaxValue);
        var id = _last;
        do
        {
            // 0 is no identifier [MQTT5-2.2.1-3].
            id = id == ushort.MaxValue ? (ushort)1 : (ushort)(id + 1);
        }
        while (PhaseOf(id) != InFlightPhase.Free);

        _last = id;
        AddAt(id, phase, handle);
        return id;
    }

    /// <summary>Takes a given identifier: for restoring what was exported.</summary>
    public void AddAt(ushort id, InFlightPhase phase, int handle)
    {
        Debug.Assert(id != 0 && PhaseOf(id) == InFlightPhase.Free);
        ref var entry = ref Create(id);
        entry = new Entry { Phase = phase, Handle = handle };
        Count++;
        switch (phase)
        {
            case InFlightPhase.PubAck or InFlightPhase.PubRec:
                Publishes = Append(Publishes, id, ref entry);
                break;
            case InFlightPhase.PubComp:
                Releases = Append(Releases, id, ref entry);
                break;
        }
    }

    /// <summary>What an identifier waits for.</summary>
    public InFlightPhase PhaseOf(ushort id) => _pages?[id >> PageBits] is { } page ? page.Entries[id & (PageSize - 1)].Phase : InFlightPhase.Free;

    /// <summary>The host's handle of an identifier in use.</summary>
    public int HandleOf(ushort id) => Find(id).Handle;

    /// <summary>The identifier after this one in its order; 0 at the end.</summary>
    public ushort NextOf(ushort id) => Find(id).Next;

    /// <summary>Whether a PUBLISH of an earlier connection was not sent again on this one yet.</summary>
    public ref bool AwaitsResend(ushort id) => ref Find(id).AwaitsResend;

    /// <summary>PUBREC came: the message moves from the first order to the end of the second.</summary>
    public void Release(ushort id)
    {
        ref var entry = ref Find(id);
        Debug.Assert(entry.Phase == InFlightPhase.PubRec);
        Publishes = Unlink(Publishes, id, ref entry);
        entry.Phase = InFlightPhase.PubComp;
        Releases = Append(Releases, id, ref entry);
    }

    /// <summary>The final answer came, or the session is gone: the identifier is free again.</summary>
    public void Remove(ushort id)
    {
        ref var entry = ref Find(id);
        switch (entry.Phase)
        {
            case InFlightPhase.PubAck or InFlightPhase.PubRec:
                Publishes = Unlink(Publishes, id, ref entry);
                break;
            case InFlightPhase.PubComp:
                Releases = Unlink(Releases, id, ref entry);
                break;
        }

        entry = default;
        Count--;
        var page = _pages![id >> PageBits]!;
        if (--page.Used == 0)
        {
            _pages[id >> PageBits] = null;
            if (_spares.Count < SparePages)
            {
                _spares.Push(page);
            }
        }
    }

    private ref Entry Find(ushort id) => ref _pages![id >> PageBits]!.Entries[id & (PageSize - 1)];

    private ref Entry Create(ushort id)
    {
        _pages ??= new Page?[PageSize];
        ref var page = ref _pages[id >> PageBits];
        page ??= _spares.TryPop(out var spare) ? spare : new Page();
        page.Used++;
        return ref page.Entries[id & (PageSize - 1)];
    }

    private InFlightOrder Append(InFlightOrder order, ushort id, ref Entry entry)
    {
        entry.Previous = order.Last;
        entry.Next = 0;
        if (order.Last != 0)
        {
            Find(order.Last).Next = id;
        }

        return new InFlightOrder(order.First == 0 ? id : order.First, id, order.Count + 1);
    }

    private InFlightOrder Unlink(InFlightOrder order, ushort id, ref Entry entry)
    {
        if (entry.Previous != 0)
        {
            Find(entry.Previous).Next = entry.Next;
        }

        if (entry.Next != 0)
        {
            Find(entry.Next).Previous = entry.Previous;
        }

        return new InFlightOrder(
            order.First == id ? entry.Next : order.First,
            order.Last == id ? entry.Previous : order.Last,
            order.Count - 1);
    }

    private struct Entry
    {
        public int Handle;
        public ushort Previous;
        public ushort Next;
        public InFlightPhase Phase;
        public bool AwaitsResend;
    }

    private sealed class Page
    {
        public readonly Entry[] Entries = new Entry[PageSize];
        public int Used;
    }
}

/// <summary>The ends of one order of the table; 0 if it is empty.</summary>
internal readonly record struct InFlightOrder(ushort First, ushort Last, int Count);
