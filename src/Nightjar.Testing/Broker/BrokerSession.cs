namespace Nightjar.Testing.Broker;

/// <summary>What the broker knows about one client identifier (MQTT 5, 4.1). Guarded by the broker's lock.</summary>
internal sealed class BrokerSession(BrokerState state, string clientId)
{
    private QoS _gatheredQoS;
    private bool _gatheredRetain;
    private uint[] _gatheredIdentifiers = [];
    private bool _gathering;

    public string ClientId { get; } = clientId;

    /// <summary>Null while the client is away.</summary>
    public BrokerConnection? Connection { get; set; }

    /// <summary>How long it outlives its connection; null: for ever.</summary>
    public TimeSpan? Expiry { get; set; }

    /// <summary>The will of the present or last connection, until it is published or discarded.</summary>
    public BrokerWill? Will { get; set; }

    /// <summary>When the will of a client that is away is due.</summary>
    public TimeSpan? WillDue { get; set; }

    /// <summary>When the session of a client that is away ends.</summary>
    public TimeSpan? Ends { get; set; }

    /// <summary>Wakes the broker for <see cref="WillDue"/> and <see cref="Ends"/>.</summary>
    public ITimer? Timer { get; set; }

    public Dictionary<string, BrokerSubscription> Subscriptions { get; } = new(StringComparer.Ordinal);

    /// <summary>Identifiers of QoS 2 messages that arrived and are not released: a second PUBLISH with one of them is the same message.</summary>
    public HashSet<ushort> Received { get; } = [];

    public SessionOutbox Outbox { get; } = new(state);

    /// <summary>
    /// Adds a matching subscription to the delivery of the current message; true for the first. However many match, the client gets one copy, at
    /// the highest QoS, with all their identifiers [MQTT5-3.3.4-2, -3].
    /// </summary>
    public bool Gather(BrokerSubscription subscription, BrokerMessage message)
    {
        var first = !_gathering;
        var retain = message.Retain && subscription.RetainAsPublished;
        _gatheredQoS = first || subscription.QoS > _gatheredQoS ? subscription.QoS : _gatheredQoS;
        _gatheredRetain = retain || (!first && _gatheredRetain);
        _gatheredIdentifiers = first ? subscription.Identifiers : [.. _gatheredIdentifiers, .. subscription.Identifiers];
        _gathering = true;
        return first;
    }

    /// <summary>Delivers what was gathered; false if it was dropped.</summary>
    public bool DeliverGathered(BrokerMessage message)
    {
        _gathering = false;
        var qos = message.QoS < _gatheredQoS ? message.QoS : _gatheredQoS;
        return Outbox.Deliver(new Delivery(message, qos, _gatheredRetain, _gatheredIdentifiers));
    }
}
