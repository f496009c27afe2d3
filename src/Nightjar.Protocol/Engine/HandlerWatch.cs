namespace Nightjar.Protocol.Engine;

/// <summary>A subscription whose handler holds the acknowledgement of a message for longer than it should.</summary>
/// <param name="Subscription">Null if nobody said where the message went.</param>
/// <param name="Topic">The message's.</param>
/// <param name="PacketId">The server's.</param>
/// <param name="For">How long, in ticks.</param>
internal readonly record struct HeldAcknowledgement(LocalSubscription? Subscription, string Topic, ushort PacketId, long For);

/// <summary>
/// Watches the acknowledgements of one connection that handlers hold: it reports those held for too long, passes over those held for much too long, tells when they nearly fill the
/// window, and says when a new connection is the only way on. Not thread-safe: guarded with the ledger.
/// </summary>
internal sealed class HandlerWatch(EngineSettings settings, AcknowledgementLedger ledger, Queue<EngineOutput> outputs)
{
    // In a flood the window is full for moments all the time; only one that stays full says something about handlers.
    private const long NearlyFullPatience = TimeSpan.TicksPerSecond;

    // How many messages a server of 3.1.1 has under way at once, when it cannot be told and does not say: 20 is what Mosquitto and VerneMQ take, RabbitMQ and HiveMQ less, EMQX more.
    private const int AssumedWindow = 20;

    // A server whose window is smaller than it says falls silent when abandoned messages fill it. So does one that has nothing to send; so the wait is long, and longer each time in vain.
    private const long FirstSilence = 5 * TimeSpan.TicksPerMinute;
    private const long LongestSilence = TimeSpan.TicksPerHour;

    private int _window;
    private uint _warned;
    private uint _timed;
    private long _nearlyFullSince = long.MaxValue;
    private bool _nearlyFull;
    private long _admitted;
    private long _heardAt;
    private long _silence = FirstSilence;
    private long _acknowledgedAtRecycle;

    /// <summary>When <see cref="Advance"/> must be called next.</summary>
    public long Deadline
    {
        get
        {
            var deadline = Math.Min(After(_warned, settings.HandlerWarning), After(_timed, settings.HandlerTimeout));
            if (_nearlyFullSince != long.MaxValue)
            {
                deadline = Math.Min(deadline, _nearlyFullSince + NearlyFullPatience);
            }

            return ledger.Abandoned > 0 ? Math.Min(deadline, _heardAt + _silence) : deadline;
        }
    }

    /// <summary>A connection was accepted, and the ledger started.</summary>
    /// <param name="serverWindow">How many messages the server takes at once, which is how many it sends at once, too; null if it cannot say.</param>
    /// <param name="now">The time.</param>
    public void Start(int? serverWindow, long now)
    {
        _window = Math.Min(settings.ReceiveMaximum, serverWindow ?? AssumedWindow);
        _warned = _timed = 0;
        _nearlyFullSince = long.MaxValue;
        _nearlyFull = false;
        _admitted = ledger.Admitted;
        _heardAt = now;
    }

    /// <summary>Messages came, or handlers ended. Returns why the connection must be renewed; null if it need not.</summary>
    public CloseReason? Notice(long now)
    {
        if (ledger.Admitted != _admitted)
        {
            _admitted = ledger.Admitted;
            _heardAt = now;
        }

        NoticeWindow(now);
        return ledger.Abandoned > 0 && ledger.Abandoned * 2 >= _window
            ? Recycle($"{ledger.Abandoned} messages were left unacknowledged, half of what the server sends at once; a new connection makes it send them again.")
            : null;
    }

    /// <summary>Time passed. Returns why the connection must be renewed; null if it need not.</summary>
    public CloseReason? Advance(long now)
    {
        Warn(now);
        TimeOut(now);
        if (now - NearlyFullPatience >= _nearlyFullSince)
        {
            _nearlyFullSince = long.MaxValue;
            outputs.Enqueue(new EngineOutput.WindowNearlyFull(ledger.Held, settings.ReceiveMaximum));
        }

        if (ledger.Abandoned == 0 || now < _heardAt + _silence)
        {
            return null;
        }

        _silence = ledger.Acknowledged == _acknowledgedAtRecycle ? Math.Min(_silence * 2, LongestSilence) : FirstSilence;
        _acknowledgedAtRecycle = ledger.Acknowledged;
        return Recycle(
            $"{ledger.Abandoned} messages were left unacknowledged and the server has fallen silent, perhaps because it waits for them; a new connection makes it send them again.");
    }

    /// <summary>Those held for longer than the warning time, the oldest of each subscription.</summary>
    public List<HeldAcknowledgement> Held(long now)
    {
        var held = new List<HeldAcknowledgement>();
        for (var sequence = ledger.Slots.Head; sequence != ledger.Slots.Tail; sequence++)
        {
            ref var slot = ref ledger.Slots[sequence];
            if (now - slot.Since < settings.HandlerWarning)
            {
                break;
            }

            if (slot.State == SlotState.Pending && slot.HeldBy() is var subscription && !held.Exists(other => other.Subscription == subscription))
            {
                held.Add(Describe(slot, subscription, now));
            }
        }

        return held;
    }

    private static HeldAcknowledgement Describe(in AckSlot slot, LocalSubscription? subscription, long now) =>
        new(subscription, slot.Route?.Name ?? "", slot.PacketId, now - slot.Since);

    private static CloseReason Recycle(string because) => new(CloseKind.Recycled, because);

    /// <summary>The first slot from here on that is still there.</summary>
    private uint From(uint sequence) => ledger.Slots.IsWaiting(sequence) || sequence == ledger.Slots.Tail ? sequence : ledger.Slots.Head;

    private long After(uint sequence, long patience)
    {
        var from = From(sequence);
        return patience == long.MaxValue || from == ledger.Slots.Tail ? long.MaxValue : ledger.Slots[from].Since + patience;
    }

    /// <summary>Slots are as old as they stand: nothing behind the first young one needs a look.</summary>
    private bool IsOlder(uint sequence, long patience, long now) =>
        patience != long.MaxValue && sequence != ledger.Slots.Tail && now - ledger.Slots[sequence].Since >= patience;

    private void Warn(long now)
    {
        for (_warned = From(_warned); IsOlder(_warned, settings.HandlerWarning, now); _warned++)
        {
            ref var slot = ref ledger.Slots[_warned];
            if (slot.State != SlotState.Pending)
            {
                continue;
            }

            var subscription = slot.HeldBy();
            if (subscription is not null)
            {
                // One that stands still is reported once; one that is merely slow, now and then.
                if (subscription.IsStalled || now - settings.HandlerWarning < subscription.StalledAt)
                {
                    continue;
                }

                subscription.IsStalled = true;
                subscription.StalledAt = now;
            }

            outputs.Enqueue(new EngineOutput.HandlerStalled(Describe(slot, subscription, now)));
        }
    }

    private void TimeOut(long now)
    {
        HeldAcknowledgement first = default;
        var count = 0;
        for (_timed = From(_timed); IsOlder(_timed, settings.HandlerTimeout, now); _timed++)
        {
            ref var slot = ref ledger.Slots[_timed];
            if (slot.State == SlotState.Pending)
            {
                first = count++ == 0 ? Describe(slot, slot.HeldBy(), now) : first;
                ledger.Abandon(_timed);
            }
        }

        if (count > 0)
        {
            outputs.Enqueue(new EngineOutput.HandlerTimedOut(first, count));
        }
    }

    /// <summary>An episode begins above four fifths of the window and ends below a half.</summary>
    private void NoticeWindow(long now)
    {
        if (ledger.Held * 5L >= settings.ReceiveMaximum * 4L)
        {
            if (!_nearlyFull)
            {
                _nearlyFull = true;
                _nearlyFullSince = now;
            }
        }
        else if (_nearlyFullSince != long.MaxValue)
        {
            // It went by before anybody had to be told.
            _nearlyFullSince = long.MaxValue;
            _nearlyFull = false;
        }
        else if (_nearlyFull && ledger.Held * 2L < settings.ReceiveMaximum)
        {
            _nearlyFull = false;
        }
    }
}
