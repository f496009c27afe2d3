namespace Nightjar.Testing.Simulation;

/// <summary>One direction of a connection: what is sent arrives later, in order, in the pieces that the network makes of it.</summary>
internal sealed class Pipe(World world, SimulatedLink link, bool toServer)
{
    // Shorter than most packets, so that nearly all of them are split.
    private const int LargestPiece = 12;

    private readonly Queue<(long Due, byte[] Bytes)> _underway = new();
    private long _lastDue;
    private bool _scheduled;
    private bool _ends;

    /// <summary>Bytes that arrived.</summary>
    public long Carried { get; private set; }

    /// <summary>Bytes on their way.</summary>
    public int Underway { get; private set; }

    /// <summary>The connection breaks when so many bytes have arrived.</summary>
    public long BreakAt { get; private set; } = long.MaxValue;

    /// <summary>Nothing arrives any more.</summary>
    public bool IsClosed { get; private set; }

    public void Close() => IsClosed = true;

    public void Send(byte[] bytes)
    {
        if (IsClosed || _ends)
        {
            return;
        }

        Underway += bytes.Length;
        var now = world.Time.Now;
        if (world.Network.SplitUntil <= now)
        {
            Add(bytes);
            return;
        }

        for (var start = 0; start < bytes.Length;)
        {
            var length = Math.Min(1 + world.Random.Below(LargestPiece), bytes.Length - start);
            Add(bytes.AsSpan(start, length).ToArray());
            start += length;
        }
    }

    /// <summary>The sender has nothing more to say; the receiver hears of it after what is on its way.</summary>
    public void End()
    {
        if (!_ends && !IsClosed)
        {
            Add([]);
            _ends = true;
        }
    }

    /// <summary>Breaks the connection at this offset, or at once if it is behind us.</summary>
    public void Break(long offset)
    {
        BreakAt = Math.Min(BreakAt, offset);
        if (BreakAt <= Carried)
        {
            link.Break();
        }
    }

    /// <summary>A break that did not come yet does not come any more.</summary>
    public void StayWhole() => BreakAt = long.MaxValue;

    private void Add(byte[] bytes)
    {
        var network = world.Network;
        var now = world.Time.Now;
        var due = now + network.Latency + (network.DelayedUntil > now ? network.ExtraLatency : 0);
        if (network.SplitUntil > now)
        {
            due += world.Random.Below((int)VirtualTime.Millisecond);
        }

        _lastDue = Math.Max(_lastDue, due);
        _underway.Enqueue((_lastDue, bytes));
        Schedule();
    }

    private void Schedule()
    {
        if (!_scheduled && _underway.TryPeek(out var next))
        {
            _scheduled = true;
            world.Time.At(Math.Max(next.Due, world.Network.StalledUntil), Arrive);
        }
    }

    private void Arrive()
    {
        _scheduled = false;
        if (world.Network.StalledUntil <= world.Time.Now)
        {
            while (!IsClosed && _underway.TryPeek(out var next) && next.Due <= world.Time.Now)
            {
                _underway.Dequeue();
                Deliver(next.Bytes);
            }
        }

        if (!IsClosed)
        {
            Schedule();
        }
    }

    private void Deliver(byte[] bytes)
    {
        if (bytes.Length == 0)
        {
            IsClosed = true;
            link.Ended(toServer);
            return;
        }

        var left = BreakAt - Carried;
        if (left <= bytes.Length)
        {
            bytes = bytes[..(int)left];
        }

        Carried += bytes.Length;
        Underway -= bytes.Length;
        link.Arrived(toServer, bytes);
        if (Carried >= BreakAt)
        {
            link.Break();
        }
    }
}
