namespace Nightjar.Testing.Broker;

/// <summary>
/// Everything that the broker knows, under one lock: sessions, subscriptions, retained messages. Nothing here waits or does I/O;
/// connections gather what is to be written, and write it themselves.
/// </summary>
internal sealed class BrokerState
{
    private readonly long _start;
    private readonly List<BrokerSession> _receivers = [];
    private readonly Queue<(ReasonCode Code, string? Text)> _refusals = new();
    private long _dropped;
    private int _lastAssigned;

    public BrokerState(MqttTestBrokerOptions options)
    {
        Options = options;
        _start = options.TimeProvider.GetTimestamp();
        Sessions = new SessionTable(this);
    }

    /// <summary>Guards all below, and the sessions. Taken before a connection's output and the log, never the other way round.</summary>
    public Lock Gate { get; } = new();

    public MqttTestBrokerOptions Options { get; }

    /// <summary>Since the broker was made.</summary>
    public TimeSpan Now => Options.TimeProvider.GetElapsedTime(_start);

    public SessionTable Sessions { get; }

    public SubscriptionTable Subscriptions { get; } = new();

    public RetainedMessages Retained { get; } = new();

    public PublishedLog Published { get; } = new();

    /// <summary>Raised when sessions or subscriptions change.</summary>
    public ChangeSignal Changed { get; } = new();

    public long Dropped => Interlocked.Read(ref _dropped);

    public void CountDropped() => Interlocked.Increment(ref _dropped);

    public string AssignClientId() => Options.AssignClientId?.Invoke() ?? $"auto-{Interlocked.Increment(ref _lastAssigned)}";

    public void RefuseNext(ReasonCode code, string? text)
    {
        lock (Gate)
        {
            _refusals.Enqueue((code, text));
        }
    }

    public bool TakeRefusal(out (ReasonCode Code, string? Text) refusal)
    {
        lock (Gate)
        {
            return _refusals.TryDequeue(out refusal);
        }
    }

    /// <summary>Takes a message in: keeps it if it is to be retained, and delivers it. Returns how many sessions it went to.</summary>
    public int Publish(BrokerMessage message, bool duplicate = false, ushort packetId = 0)
    {
        var now = Now;
        if (Options.RecordPublished)
        {
            Published.Add(message.ToMessage(now, duplicate, packetId));
        }

        if (message.Retain)
        {
            Retained.Set(message);
        }

        var delivered = 0;
        foreach (var subscription in Subscriptions.Match(message.Topic))
        {
            var own = subscription.NoLocal && string.Equals(subscription.Session.ClientId, message.Publisher, StringComparison.Ordinal);
            if (!own && subscription.Session.Gather(subscription, message))
            {
                _receivers.Add(subscription.Session);
            }
        }

        foreach (var session in _receivers)
        {
            delivered += session.DeliverGathered(message) ? 1 : 0;
        }

        _receivers.Clear();
        foreach (var group in Subscriptions.MatchShared(message.Topic))
        {
            var chosen = group.Next();
            chosen.Session.Gather(chosen, message);
            delivered += chosen.Session.DeliverGathered(message) ? 1 : 0;
        }

        return delivered;
    }

    /// <summary>Makes or replaces a subscription; the retained messages that it asks for follow [MQTT5-3.3.1-9 to -11].</summary>
    public void Subscribe(BrokerSubscription subscription, RetainHandling handling)
    {
        var session = subscription.Session;
        var existed = session.Subscriptions.Remove(subscription.Filter.Text, out var before);
        if (before is not null)
        {
            Subscriptions.Remove(before);
        }

        session.Subscriptions.Add(subscription.Filter.Text, subscription);
        Subscriptions.Add(subscription);
        Changed.Raise();

        var wanted = handling == RetainHandling.SendAtSubscribe || (handling == RetainHandling.SendAtSubscribeIfNew && !existed);
        if (!wanted || subscription.Filter.IsShared)
        {
            return;
        }

        foreach (var message in Retained.Match(subscription.Filter, Now))
        {
            var qos = message.QoS < subscription.QoS ? message.QoS : subscription.QoS;
            session.Outbox.Deliver(new Delivery(message, qos, Retain: true, subscription.Identifiers));
        }
    }

    /// <summary>False if there was no such subscription.</summary>
    public bool Unsubscribe(BrokerSession session, string filter)
    {
        if (!session.Subscriptions.Remove(filter, out var subscription))
        {
            return false;
        }

        Subscriptions.Remove(subscription);
        Changed.Raise();
        return true;
    }
}
