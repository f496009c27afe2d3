using Nightjar.Protocol.Topics;
using Nightjar.Requests;

namespace Nightjar;

// Requests and answers.
public sealed partial class MqttClient
{
    /// <summary>A request of text; else as <see cref="RequestAsync(OutgoingMessage, TimeSpan?, CancellationToken)"/>.</summary>
    public Task<MqttMessage> RequestAsync(string topic, string text, TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        RequestAsync(new OutgoingMessage(topic, text), timeout, cancellationToken);

    /// <summary>A request of bytes, which are read before the task ends; else as <see cref="RequestAsync(OutgoingMessage, TimeSpan?, CancellationToken)"/>.</summary>
    public Task<MqttMessage> RequestAsync(string topic, ReadOnlyMemory<byte> payload, TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        RequestAsync(new OutgoingMessage(topic, payload), timeout, cancellationToken);

    /// <summary>
    /// Publishes a request and waits for its answer. In 5.0 the request carries Response Topic and Correlation Data, and expires with the wait (unless it has a time to live of its own). In 3.1 and
    /// 3.1.1 its topic carries both, in the form that <see cref="RequestOptions.CorrelateInTopic"/> describes and Respond understands; the payload is yours alone. The response
    /// topic is subscribed to before the request leaves; one subscription serves all requests of the client. An answer that comes too late is ignored and counted
    /// (<see cref="ClientStatus.LateResponses"/>). Thread-safe; may be called from a handler.
    /// </summary>
    /// <param name="message">Topic, payload and properties; response topic and correlation data are chosen here. At QoS 1 and 2 (the default is 1) a server may say that nobody listens.</param>
    /// <param name="timeout">How long to wait in all, for a connection too. Default: <see cref="RequestOptions.Timeout"/>, whose range it has too. A request that was not sent by then is
    /// withdrawn.</param>
    /// <param name="cancellationToken">Ends the wait in the same way.</param>
    /// <exception cref="MqttTimeoutException">No answer came in time.</exception>
    /// <exception cref="MqttNoResponderException">Nobody listens, says the server.</exception>
    /// <exception cref="MqttRemoteException">The responder failed.</exception>
    /// <exception cref="MqttRefusedException">The server refused the request, or the subscription to the response topic.</exception>
    /// <exception cref="MqttLimitException">As many requests wait already as <see cref="RequestOptions.MaximumPending"/> allows.</exception>
    /// <exception cref="ArgumentException">The time is out of its range. Or the message cannot be sent, is retained, or has a response topic or correlation data.</exception>
    public Task<MqttMessage> RequestAsync(OutgoingMessage message, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        ThrowIfInvalid(message.Topic, message.QoS);
        TopicName.ThrowIfInvalid(message.Topic, nameof(message));
        if (message.ResponseTopic is not null || message.CorrelationData is not null || message.Retain)
        {
            throw new ArgumentException(
                "A request is not retained, and its response topic and correlation data are chosen by the client; leave Retain, ResponseTopic and CorrelationData out, or publish and subscribe yourself.",
                nameof(message));
        }

        var wait = timeout ?? _host.Options.Requests.Timeout;
        if (wait != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(wait, TimeSpan.Zero, nameof(timeout));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(wait, OptionConflicts.MaximumTimer, nameof(timeout));
        }

        return _requester.RequestAsync(message, wait, cancellationToken);
    }

    /// <summary>
    /// Answers requests, one after the other. What the responder returns goes to the request's response topic, with its correlation data, at
    /// <see cref="RequestOptions.ResponseQoS"/>; if it throws, the requester gets <see cref="MqttRemoteException"/>. Requests of 3.1 and 3.1.1 clients are understood too (see
    /// <see cref="RequestOptions.CorrelateInTopic"/>); for these a second filter is subscribed to. To a message that asks for no answer nothing is sent. The request is acknowledged when its answer is
    /// sent; with <see cref="AcknowledgeMode.Manual"/> never by itself: the responder calls <see cref="MqttMessage.Acknowledge"/>, also for a request that it fails, or keeps it and does so later. Unless
    /// <see cref="SubscribeOptions.AcknowledgeForgotten"/> is set, one that forgets holds the window. Dispose the result to stop.
    /// </summary>
    /// <param name="filter">A topic filter; with <c>$share/NAME/</c> in front several clients share the work.</param>
    /// <param name="responder">Gets the request under the topic that the requester named; its token is cancelled at the end of the subscription.</param>
    /// <param name="options">As for any subscription.</param>
    public Subscription Respond(string filter, Func<MqttMessage, CancellationToken, ValueTask<MqttResponse>> responder, SubscribeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(responder);
        var parsed = TopicFilter.Parse(filter);
        return On(RequestTopics.ToRespond(parsed.Text), new Responder(_host, PublishAsync, parsed.Text, responder).HandleAsync, options);
    }

    /// <inheritdoc cref="Respond(string, Func{MqttMessage, CancellationToken, ValueTask{MqttResponse}}, SubscribeOptions?)"/>
    public Subscription Respond(string filter, Func<MqttMessage, ValueTask<MqttResponse>> responder, SubscribeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(responder);
        return Respond(filter, (message, _) => responder(message), options);
    }

    /// <inheritdoc cref="Respond(string, Func{MqttMessage, CancellationToken, ValueTask{MqttResponse}}, SubscribeOptions?)"/>
    public Subscription Respond(string filter, Func<MqttMessage, MqttResponse> responder, SubscribeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(responder);
        return Respond(filter, (message, _) => ValueTask.FromResult(responder(message)), options);
    }
}
