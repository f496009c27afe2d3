namespace Nightjar.Protocol.Engine;

/// <summary>One PINGREQ on its way to its PINGRESP.</summary>
/// <param name="end">Where it ends in the control lane.</param>
/// <param name="queued">When it was put there.</param>
internal sealed class PingExchange(long end, long queued)
{
    public long End => end;

    /// <summary>When it was handed to the transport; before that, when it was put into the lane.</summary>
    public long Since { get; set; } = queued;

    public bool Written { get; set; }

    /// <summary>Who asked for it; keep-alive's own has nobody.</summary>
    public List<object> Waiters { get; } = [];

    /// <summary>Whether somebody waits for an answer that may come.</summary>
    public bool IsAwaited => Written && Waiters.Count > 0;
}
