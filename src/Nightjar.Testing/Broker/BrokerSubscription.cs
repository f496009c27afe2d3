using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Topics;

namespace Nightjar.Testing.Broker;

/// <summary>One filter of one session, with its options. Immutable: a new SUBSCRIBE for the filter replaces it [MQTT5-3.8.4-3].</summary>
internal sealed class BrokerSubscription(BrokerSession session, TopicFilter filter, RequestedSubscription requested, QoS granted, uint? identifier)
{
    public BrokerSession Session { get; } = session;

    public TopicFilter Filter { get; } = filter;

    public QoS QoS { get; } = granted;

    public bool NoLocal { get; } = requested.NoLocal;

    public bool RetainAsPublished { get; } = requested.RetainAsPublished;

    /// <summary>The subscription identifier as a list, for deliveries to share; empty if it has none.</summary>
    public uint[] Identifiers { get; } = identifier is { } value ? [value] : [];
}
