using Nightjar.Protocol.Session;

namespace Nightjar.Protocol.Engine;

/// <summary>
/// Keep-alive on a link whose output is written in batches: it follows each PINGREQ from the lane to the transport and on to its PINGRESP, for whoever wants to know how
/// long that takes.
/// </summary>
internal sealed class LinkWatch(long interval, long now)
{
    // With keep-alive off, a ping that was asked for has as long as with the default of 60 s.
    private const long PatienceWithoutInterval = 30 * TimeSpan.TicksPerSecond;

    private readonly Queue<PingExchange> _pings = new();
    private KeepAlive _keepAlive = new(interval, now, PatienceWithoutInterval);
    private long _taken;

    public long Deadline
    {
        get
        {
            var deadline = _keepAlive.Deadline;
            foreach (var ping in _pings)
            {
                if (ping.IsAwaited)
                {
                    deadline = Math.Min(deadline, ping.Since + _keepAlive.Patience);
                }
            }

            return deadline;
        }
    }

    /// <summary>When the next PINGREQ is due if nothing happens until then; <see cref="long.MaxValue"/> if keep-alive is off.</summary>
    public long PingDue => _keepAlive.PingDue;

    public void Received(long now) => _keepAlive.Received(now);

    /// <summary>Some of what is in the lanes was taken for writing; a PINGREQ too?</summary>
    public void Taken(Outbound outbound) => _taken = outbound.Pings.Taken;

    /// <summary>What was taken is written.</summary>
    public void Written(long now)
    {
        _keepAlive.Sent(now);
        foreach (var ping in _pings)
        {
            if (!ping.Written && ping.End <= _taken)
            {
                ping.Written = true;
                ping.Since = now;
                _keepAlive.PingWritten(now);
            }
        }
    }

    /// <summary>Sends a PINGREQ if one is due. False: the link is dead.</summary>
    public bool Check(Outbound outbound, MqttVersion version, long now)
    {
        switch (_keepAlive.Check(now))
        {
            case KeepAliveAction.SendPing:
                Send(outbound, version, now);
                return true;
            case KeepAliveAction.Close:
                return false;
            default:
                return true;
        }
    }

    /// <summary>Somebody wants to know the round trip: the PINGREQ that is on its way anyway is as good as a new one, unless its answer is overdue.</summary>
    public void Ping(object waiter, Outbound outbound, MqttVersion version, long now)
    {
        if (_pings.Count == 0 || IsOverdue(_pings.Last(), now))
        {
            Send(outbound, version, now);
        }

        _pings.Last().Waiters.Add(waiter);
    }

    /// <summary>PINGRESP came; it answers the oldest PINGREQ. Null: nobody asked.</summary>
    public PingExchange? Answered()
    {
        // The answer may be seen before our own report that the PINGREQ is written, but not before that is taken.
        if (!_pings.TryPeek(out var ping) || ping.End > _taken)
        {
            return null;
        }

        _pings.Dequeue();
        if (_pings.Count == 0)
        {
            _keepAlive.Answered();
        }

        return ping;
    }

    /// <summary>Who waits for an answer that is overdue, although the link lives: the server answers other things.</summary>
    public List<object>? TakeOverdue(long now)
    {
        List<object>? overdue = null;
        foreach (var ping in _pings)
        {
            if (ping.IsAwaited && IsOverdue(ping, now))
            {
                (overdue ??= []).AddRange(ping.Waiters);
                ping.Waiters.Clear();
            }
        }

        return overdue;
    }

    /// <summary>The connection is over: who waits for an answer waits in vain.</summary>
    public List<object> TakeAll() => [.. _pings.SelectMany(ping => ping.Waiters)];

    private bool IsOverdue(PingExchange ping, long now) => ping.Written && now >= ping.Since + _keepAlive.Patience;

    private void Send(Outbound outbound, MqttVersion version, long now)
    {
        outbound.WritePing(version);
        _keepAlive.PingQueued(now);
        _pings.Enqueue(new PingExchange(outbound.Pings.Written, now));
    }
}
