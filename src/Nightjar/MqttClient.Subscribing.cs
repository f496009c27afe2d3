using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Topics;
using Nightjar.Subscriptions;

namespace Nightjar;

// Subscribing.
public sealed partial class MqttClient
{
    /// <summary>Subscribes; the result is the sequence of messages. Registered at the call, whether or not there is a connection.</summary>
    public Subscription Subscribe(string filter, SubscribeOptions? options = null) => Subscribe(filter, handler: null, options);

    /// <summary>
    /// Subscribes with a handler, called for one message after the other, in order. The message is acknowledged when the handler's task ends. One that throws is called
    /// again (<see cref="ReceiveOptions.HandlerRetries"/>); after that the failure is logged and reported as an event, and the message acknowledged. The token is cancelled when the subscription or the client is disposed.
    /// </summary>
    public Subscription On(string filter, Func<MqttMessage, CancellationToken, ValueTask> handler, SubscribeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Subscribe(filter, new MessageHandler.Safe(handler), options);
    }

    /// <inheritdoc cref="On(string, Func{MqttMessage, CancellationToken, ValueTask}, SubscribeOptions?)"/>
    public Subscription On(string filter, Func<MqttMessage, ValueTask> handler, SubscribeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Subscribe(filter, new MessageHandler.Safe((message, _) => handler(message)), options);
    }

    /// <inheritdoc cref="On(string, Func{MqttMessage, CancellationToken, ValueTask}, SubscribeOptions?)"/>
    public Subscription On(string filter, Action<MqttMessage> handler, SubscribeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Subscribe(
            filter,
            new MessageHandler.Safe((message, _) =>
            {
                handler(message);
                return default;
            }),
            options);
    }

    /// <summary>As <see cref="On(string, Func{MqttMessage, CancellationToken, ValueTask}, SubscribeOptions?)"/>, with the message still in the receive buffer: no copy, no allocation.</summary>
    public Subscription OnLeased(string filter, Func<LeasedMessage, CancellationToken, ValueTask> handler, SubscribeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Subscribe(filter, new MessageHandler.Leased(handler), options);
    }

    /// <inheritdoc cref="OnLeased(string, Func{LeasedMessage, CancellationToken, ValueTask}, SubscribeOptions?)"/>
    public Subscription OnLeased(string filter, Action<LeasedMessage> handler, SubscribeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Subscribe(
            filter,
            new MessageHandler.Leased((message, _) =>
            {
                handler(message);
                return default;
            }),
            options);
    }

    /// <summary>
    /// Sends UNSUBSCRIBE for a filter that this client need not have subscribed to itself (a resumed session may hold it), and ends its own subscriptions to it.
    /// Returns the server's code.
    /// </summary>
    public Task<ReasonCode> UnsubscribeAsync(string filter, CancellationToken cancellationToken = default) => _host.UnsubscribeAsync(TopicFilter.Parse(filter).Text, cancellationToken);

    private Subscription Subscribe(string filter, MessageHandler? handler, SubscribeOptions? options)
    {
        var parsed = TopicFilter.Parse(filter);
        options ??= new SubscribeOptions();
        options.ThrowIfInvalid(nameof(options));
        if (options.NoLocal && parsed.IsShared)
        {
            throw new ArgumentException(
                $"The subscription to '{filter}' is shared and asks for NoLocal, which the protocol forbids [MQTT5-3.8.3-4]; leave one of the two out.", nameof(options));
        }

        var terms = new SubscriptionTerms(
            options.QoS, options.NoLocal, options.RetainAsPublished, options.RetainHandling, options.SubscriptionIdentifier, options.UserProperties);
        return new Subscription(_host, _host.Subscribe(parsed, terms, options, handler), hasHandler: handler is not null);
    }
}
