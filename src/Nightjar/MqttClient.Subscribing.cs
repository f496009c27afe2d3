using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Topics;
using Nightjar.Subscriptions;

namespace Nightjar;

// Subscribing.
public sealed partial class MqttClient
{
    /// <summary>
    /// Subscribes; the result is the sequence of messages. Registered at the call, whether or not there is a connection. However many subscriptions of this client share a filter, on the
    /// wire it is one, on the terms that serve all of them (the highest QoS, for instance). Who wants retained messages (the default) gets them although the filter was subscribed to
    /// already: then it is asked for again.
    /// </summary>
    /// <remarks>
    /// A message reaches each matching subscription. A server may send one copy for each of several overlapping filters: with MQTT 5 and a server that does subscription identifiers each
    /// subscription gets a message once per filter of its own that matches, else once per copy.
    /// </remarks>
    public Subscription Subscribe(string filter, SubscribeOptions? options = null) => Subscribe([filter], handler: null, options);

    /// <summary>
    /// One subscription to several filters: <see cref="Subscription.Results"/> has what the server said to each. A filter that is given twice counts once. Of no filter at all comes no
    /// message: the sequence is over before it begins.
    /// </summary>
    public Subscription Subscribe(IEnumerable<string> filters, SubscribeOptions? options = null) => Subscribe(filters, handler: null, options);

    /// <summary>
    /// Subscribes with a handler, called for one message after the other, in order. The message is acknowledged when the handler's task ends. One that throws is called
    /// again (<see cref="ReceiveOptions.HandlerRetries"/>); after that the failure is logged and reported as an event, and the message acknowledged, unless
    /// <see cref="ReceiveOptions.OnPoison"/> says otherwise. The token is cancelled when the subscription or the client is disposed.
    /// </summary>
    public Subscription On(string filter, Func<MqttMessage, CancellationToken, ValueTask> handler, SubscribeOptions? options = null) =>
        Subscribe([filter], MessageHandler.From(handler), options);

    /// <inheritdoc cref="On(string, Func{MqttMessage, CancellationToken, ValueTask}, SubscribeOptions?)"/>
    public Subscription On(string filter, Func<MqttMessage, ValueTask> handler, SubscribeOptions? options = null) =>
        Subscribe([filter], MessageHandler.From(handler), options);

    /// <inheritdoc cref="On(string, Func{MqttMessage, CancellationToken, ValueTask}, SubscribeOptions?)"/>
    public Subscription On(string filter, Action<MqttMessage> handler, SubscribeOptions? options = null) =>
        Subscribe([filter], MessageHandler.From(handler), options);

    /// <summary>As <see cref="On(string, Func{MqttMessage, CancellationToken, ValueTask}, SubscribeOptions?)"/>, for several filters; see <see cref="Subscribe(IEnumerable{string}, SubscribeOptions?)"/>.</summary>
    public Subscription On(IEnumerable<string> filters, Func<MqttMessage, CancellationToken, ValueTask> handler, SubscribeOptions? options = null) =>
        Subscribe(filters, MessageHandler.From(handler), options);

    /// <inheritdoc cref="On(IEnumerable{string}, Func{MqttMessage, CancellationToken, ValueTask}, SubscribeOptions?)"/>
    public Subscription On(IEnumerable<string> filters, Func<MqttMessage, ValueTask> handler, SubscribeOptions? options = null) =>
        Subscribe(filters, MessageHandler.From(handler), options);

    /// <inheritdoc cref="On(IEnumerable{string}, Func{MqttMessage, CancellationToken, ValueTask}, SubscribeOptions?)"/>
    public Subscription On(IEnumerable<string> filters, Action<MqttMessage> handler, SubscribeOptions? options = null) =>
        Subscribe(filters, MessageHandler.From(handler), options);

    /// <summary>As <see cref="On(string, Func{MqttMessage, CancellationToken, ValueTask}, SubscribeOptions?)"/>, with the message still in the receive buffer: no copy, no allocation.</summary>
    public Subscription OnLeased(string filter, Func<LeasedMessage, CancellationToken, ValueTask> handler, SubscribeOptions? options = null) =>
        Subscribe([filter], MessageHandler.From(handler), options);

    /// <inheritdoc cref="OnLeased(string, Func{LeasedMessage, CancellationToken, ValueTask}, SubscribeOptions?)"/>
    public Subscription OnLeased(string filter, Action<LeasedMessage> handler, SubscribeOptions? options = null) =>
        Subscribe([filter], MessageHandler.From(handler), options);

    /// <summary>
    /// Called for each message that no subscription of this client matches: what a resumed session still holds from an earlier process, or what comes under a scope and matches none of
    /// its subscriptions. It is acknowledged when the handler's task ends, as with <see cref="On(string, Func{MqttMessage, CancellationToken, ValueTask}, SubscribeOptions?)"/>. Without such a handler it is
    /// acknowledged at once and reported as <see cref="ClientEvent.Unrouted"/>. Several handlers get it all. Does not connect. Dispose the result to stop.
    /// </summary>
    public Subscription OnUnrouted(Func<MqttMessage, CancellationToken, ValueTask> handler) => OnUnrouted(MessageHandler.From(handler));

    /// <inheritdoc cref="OnUnrouted(Func{MqttMessage, CancellationToken, ValueTask})"/>
    public Subscription OnUnrouted(Func<MqttMessage, ValueTask> handler) => OnUnrouted(MessageHandler.From(handler));

    /// <inheritdoc cref="OnUnrouted(Func{MqttMessage, CancellationToken, ValueTask})"/>
    public Subscription OnUnrouted(Action<MqttMessage> handler) => OnUnrouted(MessageHandler.From(handler));

    /// <summary>One subscription on the wire with as many local ones under it as you like, which cost no packet. The options are those of all of them.</summary>
    public SubscriptionScope CreateScope(string filter, SubscribeOptions? options = null)
    {
        options ??= new SubscribeOptions();
        return new SubscriptionScope(_host, Parse([filter], options, handler: null, isScope: true, out var terms)[0], terms, options);
    }

    /// <summary>
    /// Sends UNSUBSCRIBE for a filter that this client need not have subscribed to itself (a resumed session may hold it), and ends its own subscriptions to it.
    /// While there is no connection it waits for one; cancelling ends the wait, and the UNSUBSCRIBE still goes out. Returns the server's code.
    /// </summary>
    public async Task<ReasonCode> UnsubscribeAsync(string filter, CancellationToken cancellationToken = default)
    {
        var results = await _host.UnsubscribeAsync([TopicFilter.Parse(filter)], cancellationToken).ConfigureAwait(false);
        return results[0].ReasonCode;
    }

    /// <summary>As <see cref="UnsubscribeAsync(string, CancellationToken)"/>, for several filters at once: returns what the server said to each, in their order. None at all is nothing to do.</summary>
    public async Task<IReadOnlyList<UnsubscribeResult>> UnsubscribeAsync(IEnumerable<string> filters, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(filters);
        TopicFilter[] parsed = [.. filters.Select(TopicFilter.Parse)];
        return parsed.Length == 0 ? [] : await _host.UnsubscribeAsync(parsed, cancellationToken).ConfigureAwait(false);
    }

    private TopicFilter[] Parse(IEnumerable<string> filters, SubscribeOptions options, MessageHandler? handler, bool isScope, out SubscriptionTerms terms)
    {
        ArgumentNullException.ThrowIfNull(filters);
        TopicFilter[] parsed = [.. filters.Select(TopicFilter.Parse).Distinct()];
        options.ThrowIfInvalid(nameof(options), isSequence: handler is null && !isScope, _host.HasStore, handler is { TakesStreams: true });
        if (options.NoLocal && Array.Find(parsed, filter => filter.IsShared) is { IsShared: true } shared)
        {
            throw new ArgumentException(
                $"The subscription to '{shared}' is shared and asks for NoLocal, which the protocol forbids [MQTT5-3.8.3-4]; leave one of the two out.", nameof(options));
        }

        terms = new SubscriptionTerms(
            options.QoS, options.NoLocal, options.RetainAsPublished, options.RetainHandling, options.SubscriptionIdentifier, options.UserProperties);
        return parsed;
    }

    private Subscription Subscribe(IEnumerable<string> filters, MessageHandler? handler, SubscribeOptions? options)
    {
        options ??= new SubscribeOptions();
        var parsed = Parse(filters, options, handler, isScope: false, out var terms);
        var feed = parsed.Length == 0 ? _host.SubscribeToNothing(terms, options) : _host.Subscribe(parsed, parsed, terms, options, handler);
        return new Subscription(_host, feed, hasHandler: handler is not null);
    }

    private Subscription OnUnrouted(MessageHandler handler)
    {
        var terms = new SubscriptionTerms(QoS.ExactlyOnce, NoLocal: false, RetainAsPublished: false, RetainHandling.SendAtSubscribe, Identifier: null, []);
        return new Subscription(_host, _host.Subscribe([], [], terms, new SubscribeOptions(), handler), hasHandler: true);
    }
}
