namespace Nightjar.Testing.Broker;

/// <summary>A message on its way to one session.</summary>
/// <param name="Message">Shared with the other receivers.</param>
/// <param name="QoS">The lower one of the message's and the subscription's [MQTT5-3.8.4-8].</param>
/// <param name="Retain">The RETAIN flag that the receiver sees.</param>
/// <param name="Identifiers">The identifiers of the subscriptions that it matched.</param>
internal readonly record struct Delivery(BrokerMessage Message, QoS QoS, bool Retain, uint[] Identifiers);
