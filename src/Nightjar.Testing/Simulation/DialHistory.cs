using Nightjar.Protocol.Engine;

namespace Nightjar.Testing.Simulation;

/// <summary>When the client tried to connect, and why it had to: it must not storm the broker, nor give up a link that is well.</summary>
internal sealed class DialHistory(World world)
{
    /// <summary>The least that the engine's random numbers are here: with full jitter, a row of zeros would be chance and no storm.</summary>
    public const double LeastJitter = 0.2;

    // With that jitter the delays after failures are at least 0.2, 0.4, 0.8, ... 12 s: twelve attempts in a minute if none succeeds for long. A few more are
    // free: an attempt with another version, a connection recycled on purpose.
    private const int MostPerMinute = 16;

    private readonly Queue<long> _recent = new();

    public int Count { get; private set; }

    /// <summary>The client tries to connect.</summary>
    public void Dial()
    {
        Count++;
        var now = world.Time.Now;
        _recent.Enqueue(now);
        while (now - _recent.Peek() > 60 * VirtualTime.Second)
        {
            _recent.Dequeue();
        }

        world.Require(_recent.Count <= MostPerMinute, $"{_recent.Count} attempts to connect within a minute");
    }

    /// <summary>A connection ended.</summary>
    public void Disconnected(CloseReason reason, SimulatedLink? link)
    {
        world.Require(reason.Kind != CloseKind.Violation, $"the client blames the broker: {reason.Message}");
        var stalled = Math.Max(world.Network.StalledUntil, world.Network.WritesBlockedUntil);
        world.Require(
            reason.Kind != CloseKind.KeepAliveTimeout || stalled > (link?.OpenedAt ?? 0),
            $"the client gave up a connection that was never silent: {reason.Message}");
    }
}
