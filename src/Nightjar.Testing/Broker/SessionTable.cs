using Nightjar.Protocol.Packets;

namespace Nightjar.Testing.Broker;

/// <summary>
/// The sessions by client identifier: who is connected, who may come back, whose will is due. Guarded by the broker's lock.
/// </summary>
internal sealed class SessionTable(BrokerState state)
{
    // Timers take at most 49 days; for a longer wait the timer is set again.
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(1);

    private readonly Dictionary<string, BrokerSession> _byClientId = new(StringComparer.Ordinal);

    public IEnumerable<BrokerSession> Connected => _byClientId.Values.Where(session => session.Connection is not null);

    public IEnumerable<string> ClientIds => _byClientId.Keys;

    /// <summary>Gives the connection its session, taking it from an older connection [MQTT5-3.1.4-3].</summary>
    /// <returns>The session, and whether it existed.</returns>
    public (BrokerSession Session, bool Present) Attach(BrokerConnection connection, string clientId, ConnectPacket connect)
    {
        if (_byClientId.TryGetValue(clientId, out var session) && session.Connection is { } older)
        {
            Detach(older);
            older.Close(ReasonCode.SessionTakenOver, "Another client connected with the same identifier.");

            // Detaching ends a session that was not to outlive its connection.
            session = _byClientId.GetValueOrDefault(clientId);
        }

        if (session is not null && connect.CleanStart)
        {
            End(session);
            session = null;
        }

        var present = session is not null;
        if (session is null)
        {
            session = new BrokerSession(state, clientId);
            _byClientId.Add(clientId, session);
        }

        session.Timer?.Dispose();
        session.Timer = null;
        session.Ends = session.WillDue = null;
        session.Will = connect.Will is { } will ? new BrokerWill(will, TimeSpan.FromSeconds(will.DelayInterval ?? 0)) : null;
        session.Connection = connection;
        connection.Session = session;
        return (session, present);
    }

    /// <summary>The connection is over: the session waits for its client or ends, and the will is sent now or later, unless it was discarded.</summary>
    public void Detach(BrokerConnection connection)
    {
        if (connection.Session is not { } session)
        {
            return;
        }

        connection.Session = null;
        session.Connection = null;
        session.Outbox.Suspend();
        session.Ends = session.Expiry is { } expiry ? state.Now + expiry : null;
        session.WillDue = session.Will is { } will ? state.Now + will.Delay : null;
        Check(session);
    }

    /// <summary>Ends a session: its subscriptions and messages go, its will is sent if it still waits [MQTT5-3.1.2-8].</summary>
    public void End(BrokerSession session)
    {
        _byClientId.Remove(session.ClientId);
        session.Timer?.Dispose();
        session.Timer = null;
        foreach (var subscription in session.Subscriptions.Values)
        {
            state.Subscriptions.Remove(subscription);
        }

        session.Subscriptions.Clear();
        PublishWill(session);
    }

    /// <summary>Forgets all sessions and their wills; their connections have none then.</summary>
    public void Clear()
    {
        foreach (var session in _byClientId.Values.ToList())
        {
            if (session.Connection is { } connection)
            {
                connection.Session = null;
                session.Connection = null;
                session.Outbox.Suspend();
            }

            session.Will = null;
            End(session);
        }
    }

    private void Check(BrokerSession session)
    {
        if (session.Connection is not null || !_byClientId.TryGetValue(session.ClientId, out var current) || current != session)
        {
            return;
        }

        var now = state.Now;
        if (session.Ends <= now)
        {
            End(session);
            return;
        }

        if (session.WillDue <= now)
        {
            PublishWill(session);
        }

        var next = session.WillDue is { } will && !(session.Ends <= will) ? will : session.Ends;
        if (next is { } due)
        {
            var wait = due - now < LongestTimer ? due - now : LongestTimer;
            session.Timer ??= state.Options.TimeProvider.CreateTimer(_ => Wake(session), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

            // The system's timers count whole milliseconds; rounding down would make them fire too early and spin.
            session.Timer.Change(TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds)), Timeout.InfiniteTimeSpan);
        }
    }

    private void Wake(BrokerSession session)
    {
        lock (state.Gate)
        {
            Check(session);
        }
    }

    private void PublishWill(BrokerSession session)
    {
        session.WillDue = null;
        if (session.Will is { } will)
        {
            session.Will = null;
            state.Publish(BrokerMessage.From(will.Packet, session.ClientId, state.Now));
        }
    }
}
