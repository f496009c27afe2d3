using System.Diagnostics;

namespace Nightjar.Protocol.Engine;

/// <summary>How far the acknowledgement of a message is.</summary>
internal enum SlotState : byte
{
    /// <summary>A handler has the message.</summary>
    Pending,

    /// <summary>To be acknowledged in its turn.</summary>
    Ready,

    /// <summary>To be passed over in its turn.</summary>
    Abandoned,
}

/// <summary>A received message that waits for its acknowledgement.</summary>
internal struct AckSlot
{
    /// <summary>When it arrived.</summary>
    public long Since;

    /// <summary>Where it went.</summary>
    public TopicRoute? Route;
    public int Handlers;
    public ushort PacketId;
    public QoS QoS;
    public SlotState State;
    public ReasonCode ReasonCode;
    private ulong _done;
    private bool _abandoned;

    /// <summary>Of several handlers the worst outcome counts.</summary>
    public void Note(in HandlerOutcome outcome)
    {
        _abandoned |= outcome.Abandoned;
        ReasonCode = outcome.ReasonCode > ReasonCode ? outcome.ReasonCode : ReasonCode;
        if (Handlers > 1)
        {
            NoteDone(outcome.By);
        }
    }

    /// <summary>One of several handlers is done; it is not the one to name.</summary>
    public void NoteDone(LocalSubscription? subscription)
    {
        if (subscription is not null && Route is { } route)
        {
            // Beyond 64 handlers of one topic the name may be the wrong one; the count is right.
            _done |= 1UL << Array.IndexOf(route.Subscriptions, subscription);
        }
    }

    public void Settle() => State = _abandoned ? SlotState.Abandoned : SlotState.Ready;

    /// <summary>Whose handler has not ended yet; null if nobody said where the message went.</summary>
    public readonly LocalSubscription? HeldBy()
    {
        var subscriptions = Route?.Subscriptions ?? [];
        for (var i = 0; i < subscriptions.Length; i++)
        {
            if ((_done & (1UL << i)) == 0 && !subscriptions[i].AcknowledgesAtArrival)
            {
                return subscriptions[i];
            }
        }

        return null;
    }
}

/// <summary>The slots of one connection in the order of arrival: a ring that grows, addressed by sequence numbers that the connection uses once.</summary>
internal sealed class AcknowledgementSlots
{
    private const int Smallest = 16;

    private AckSlot[] _ring = [];

    /// <summary>The oldest.</summary>
    public uint Head { get; private set; }

    /// <summary>Where the next one goes.</summary>
    public uint Tail { get; private set; }

    public int Count => (int)(Tail - Head);

    public ref AckSlot this[uint sequence]
    {
        get
        {
            Debug.Assert(sequence - Head <= Tail - Head);
            return ref _ring[sequence & (uint)(_ring.Length - 1)];
        }
    }

    public bool IsWaiting(uint sequence) => sequence - Head < Tail - Head;

    public void Push(in AckSlot slot)
    {
        if (Count == _ring.Length)
        {
            Grow();
        }

        _ring[Tail & (uint)(_ring.Length - 1)] = slot;
        Tail++;
    }

    /// <summary>The oldest is dealt with; its place stays readable until the next <see cref="Push"/>.</summary>
    public void Pop()
    {
        // A route must not live on for the sake of a slot.
        this[Head].Route = null;
        Head++;
    }

    public void Clear()
    {
        Array.Clear(_ring);
        Head = Tail = 0;
    }

    private void Grow()
    {
        var larger = new AckSlot[Math.Max(Smallest, _ring.Length * 2)];
        for (var sequence = Head; sequence != Tail; sequence++)
        {
            larger[sequence & (uint)(larger.Length - 1)] = this[sequence];
        }

        _ring = larger;
    }
}
