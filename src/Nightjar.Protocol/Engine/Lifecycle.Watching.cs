namespace Nightjar.Protocol.Engine;

// Whether the link lives: what came and what left, and PINGREQs with those who wait for their answers.
internal sealed partial class Lifecycle
{
    private LinkWatch? _link;
    private bool _heardAnything;

    /// <summary>When keep-alive sends its next PINGREQ if nothing else happens; <see cref="long.MaxValue"/> if never.</summary>
    public long PingDue => IsConnected ? _link!.PingDue : long.MaxValue;

    /// <summary>Somebody wants to know the round trip. False: there is no connection.</summary>
    public bool Ping(object waiter, long now)
    {
        if (!IsConnected)
        {
            return false;
        }

        _link!.Ping(waiter, _outbound, Accepted!.Version, now);
        return true;
    }

    /// <summary>PINGRESP came.</summary>
    public void HandlePingResp(long now)
    {
        if (_link!.Answered() is { } ping)
        {
            _counters.LastRoundTrip = now - ping.Since;
            _outputs.Enqueue(new EngineOutput.PingAnswered(_counters.LastRoundTrip, ping.Waiters));
        }
    }

    /// <summary>Bytes came in.</summary>
    public void HandleBytes(bool onlyPing, long now)
    {
        _heardAnything = true;
        _link?.Received(now);
        if (!onlyPing)
        {
            _span.Received(now);
        }
    }

    /// <summary>The host does not read at the moment, so silence means nothing.</summary>
    public void HandlePaused(long now) => _link?.Received(now);

    /// <summary>The host took output for writing.</summary>
    public void HandleTaken() => _link?.Taken(_outbound);

    /// <summary>What it took is written.</summary>
    public void HandleWritten(long now)
    {
        _link?.Written(now);
        _span.Written(_outbound.DataWritten, now);
        ContinueEnding(now);
    }

    private void CheckKeepAlive(long now)
    {
        if (!_link!.Check(_outbound, Accepted!.Version, now))
        {
            EndAbruptly(
                new CloseReason(
                    CloseKind.KeepAliveTimeout,
                    $"The server stayed silent: it did not answer, or did not take, a PINGREQ (keep-alive {Accepted!.KeepAlive / TimeSpan.TicksPerSecond} s)."),
                now);
        }
        else if (_link.TakeOverdue(now) is { } overdue)
        {
            _outputs.Enqueue(new EngineOutput.PingFailed(Reason: null, overdue));
        }
    }
}
