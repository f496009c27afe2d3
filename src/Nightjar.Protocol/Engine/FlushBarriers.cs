namespace Nightjar.Protocol.Engine;

/// <summary>How a flush ended: with a reason if the connection took unwritten bytes with it.</summary>
internal readonly record struct FlushOutcome(object Waiter, CloseReason? Failure);

/// <summary>
/// Who waits for what was published before to be handed to the transport. A barrier first waits for the messages that are queued before it to reach the lane, then
/// for the lane to be written up to there.
/// </summary>
internal sealed class FlushBarriers(MessageStore messages)
{
    /// <summary>The position of what was set aside.</summary>
    public const long Aside = long.MaxValue;

    private readonly List<Barrier> _barriers = [];
    private long _written;

    public List<FlushOutcome> Ended { get; } = [];

    /// <summary>True: nothing waits, so the flush is over before it began.</summary>
    public bool Add(object waiter, in MessageQueue reliable, in MessageQueue unreliable, long position)
    {
        if (reliable.Count == 0 && unreliable.Count == 0 && position == _written)
        {
            return true;
        }

        var barrier = new Barrier(waiter, reliable.Last, unreliable.Last);
        _barriers.Add(barrier);
        Left(reliable, unreliable, position);
        return false;
    }

    /// <summary>Messages left the queues, for the lane, which is now at <paramref name="position"/>, or for good.</summary>
    public void Left(in MessageQueue reliable, in MessageQueue unreliable, long position)
    {
        if (_barriers.Count == 0)
        {
            return;
        }

        foreach (var barrier in _barriers)
        {
            if (barrier.Position < 0 && reliable.HasLeft(messages, barrier.Reliable) && unreliable.HasLeft(messages, barrier.Unreliable))
            {
                barrier.Position = position;
            }
        }

        // What was refused or withdrawn leaves nothing to write, and then no write would end the wait.
        EndWritten();
    }

    /// <summary>What lay in the lane behind this position was set aside, and is waited for until it is put back.</summary>
    public void SetAside(long position)
    {
        foreach (var barrier in _barriers.Where(barrier => barrier.Position > position))
        {
            barrier.Position = Aside;
        }
    }

    /// <summary>What was set aside is in the lane again, up to this position.</summary>
    public void PutBack(long position)
    {
        foreach (var barrier in _barriers.Where(barrier => barrier.Position == Aside))
        {
            barrier.Position = position;
        }
    }

    public void Written(long position)
    {
        _written = position;
        EndWritten();
    }

    /// <summary>The lane died: barriers within it fail, those before it wait for the next connection.</summary>
    public void ConnectionLost(CloseReason reason)
    {
        _written = 0;
        for (var i = 0; i < _barriers.Count; i++)
        {
            if (_barriers[i].Position >= 0)
            {
                Ended.Add(new FlushOutcome(_barriers[i].Waiter, reason));
                _barriers.RemoveAt(i--);
            }
        }
    }

    public void FailAll(CloseReason reason)
    {
        foreach (var barrier in _barriers)
        {
            Ended.Add(new FlushOutcome(barrier.Waiter, reason));
        }

        _barriers.Clear();
    }

    private void EndWritten()
    {
        for (var i = 0; i < _barriers.Count; i++)
        {
            if (_barriers[i].Position is >= 0 and var end && end <= _written)
            {
                Ended.Add(new FlushOutcome(_barriers[i].Waiter, Failure: null));
                _barriers.RemoveAt(i--);
            }
        }
    }

    private sealed class Barrier(object waiter, uint reliable, uint unreliable)
    {
        public object Waiter => waiter;

        public uint Reliable => reliable;

        public uint Unreliable => unreliable;

        public long Position { get; set; } = -1;
    }
}
