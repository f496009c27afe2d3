using Nightjar.Protocol.Topics;

namespace Nightjar.Testing.Simulation;

/// <summary>
/// A broker for one client, as small as the specification allows: a session, QoS 0 to 2 both ways, Receive Maximum both ways, retained messages. It does everything at
/// once and in order, and reports whatever a correct client would not do.
/// </summary>
internal sealed class ModelBroker(World world)
{
    private readonly Dictionary<string, QoS> _retained = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Topic, QoS QoS), int> _lastAccepted = [];

    /// <summary>The client's session; null before its first CONNECT and after a loss.</summary>
    public ModelSession? Session { get; private set; }

    /// <summary>Counts the sessions, from 1.</summary>
    public int SessionNumber { get; private set; }

    /// <summary>The connection that holds the session.</summary>
    public ModelConnection? Holder { get; set; }

    /// <summary>Acknowledgements wait until then.</summary>
    public long AcksHeldUntil { get; private set; }

    /// <summary>The connection breaks within the next acknowledgement.</summary>
    public bool LosesNextAck { get; set; }

    /// <summary>How the next connections are answered: the broker is busy, or says nothing at all.</summary>
    public Queue<bool> Refusals { get; } = [];

    /// <summary>Nothing is left to deliver, nothing to be released.</summary>
    public bool IsDrained => Session is null or { Deliveries.Count: 0, Received.Count: 0 };

    /// <summary>How many reliable messages the broker took, or took again.</summary>
    public int ReliableReceived { get; set; }

    /// <summary>Holds acknowledgements back for a while.</summary>
    public void HoldAcks(long duration)
    {
        AcksHeldUntil = world.Time.Now + duration;
        world.Time.At(AcksHeldUntil, () => Holder?.ReleaseAcks());
    }

    /// <summary>The session of the client that connects: its own, or a new one.</summary>
    public ModelSession Attach(ModelConnection connection, bool cleanStart, out bool present)
    {
        if (Holder is { } other && other != connection)
        {
            world.Note($"connection {other.Number} is replaced by connection {connection.Number}");
            other.Drop();
        }

        if (cleanStart)
        {
            Forget();
        }

        present = Session is not null;
        if (Session is null)
        {
            Session = new ModelSession();
            SessionNumber++;
        }

        Holder = connection;
        return Session;
    }

    /// <summary>Another connection with the client's identifier comes and goes; the session stays.</summary>
    public void TakeOver()
    {
        Holder?.TakenOver();
        Holder = null;
    }

    /// <summary>The process ends: all connections break.</summary>
    public void Stop(bool keepsSessions)
    {
        if (!keepsSessions)
        {
            Forget();
        }

        Refusals.Clear();
    }

    /// <summary>Somebody else publishes. False: it went to nobody, because the client is not there or has not subscribed yet.</summary>
    public bool Publish(string topic, QoS qos, bool retain)
    {
        if (retain)
        {
            _retained[topic] = qos;
        }

        return Session is { } session && Granted(session, topic) is { } granted && Deliver(session, topic, qos < granted ? qos : granted, retained: false);
    }

    /// <summary>A filter was subscribed to: what is retained for it follows.</summary>
    public void DeliverRetained(ModelSession session, string filter)
    {
        var parsed = TopicFilter.Parse(filter);
        foreach (var (topic, qos) in _retained)
        {
            if (parsed.Matches(topic))
            {
                Deliver(session, topic, qos < session.Subscriptions[filter] ? qos : session.Subscriptions[filter], retained: true);
            }
        }
    }

    /// <summary>A message of the client counts as published.</summary>
    public void Accept(OutgoingRecord record, MqttVersion version)
    {
        record.Accepted++;
        world.Require(
            !(record.Withdrawn || record.IsRefused || (record.IsDropped && record.QoS != QoS.AtMostOnce)) || record.IsBack,
            $"{record} was withdrawn, refused or dropped, and arrived all the same");
        if (record.Accepted == 1)
        {
            var last = _lastAccepted.GetValueOrDefault((record.Topic, record.QoS), -1);
            world.Require(record.Number > last, $"{record} arrived after message {last} of the same topic and QoS");
            _lastAccepted[(record.Topic, record.QoS)] = record.Number;
        }
        else if (record.QoS == QoS.AtMostOnce || (record.QoS == QoS.ExactlyOnce && record.AcceptedIn == SessionNumber))
        {
            world.Violate($"{record} was accepted twice in one session");
        }

        record.AcceptedIn = SessionNumber;
        world.Require(record.Accepted <= record.Written, $"{record} was accepted {record.Accepted} times and written {record.Written} times, over {version}");
    }

    private static QoS? Granted(ModelSession session, string topic)
    {
        QoS? granted = null;
        foreach (var (filter, qos) in session.Subscriptions)
        {
            if (TopicFilter.Parse(filter).Matches(topic))
            {
                granted = granted is { } other && other > qos ? other : qos;
            }
        }

        return granted;
    }

    private bool Deliver(ModelSession session, string topic, QoS qos, bool retained)
    {
        var holder = Holder is { IsConnected: true } connection ? connection : null;
        if (qos == QoS.AtMostOnce && holder is null)
        {
            return false;
        }

        var record = new IncomingRecord(world.Incoming.Count, topic, qos, retained);
        world.Incoming.Add(record);
        if (qos == QoS.AtMostOnce)
        {
            record.Phase = InboundPhase.QoS0Underway;
            holder!.Send(record);
            return true;
        }

        session.Deliveries.Add(new ModelDelivery(session.NextId(), record));
        holder?.Pump();
        return true;
    }

    private void Forget()
    {
        foreach (var delivery in Session?.Deliveries ?? [])
        {
            delivery.Record.Forgotten = true;
            delivery.Record.IsOver = delivery.Record.Running == 0;
        }

        Session = null;
    }
}
