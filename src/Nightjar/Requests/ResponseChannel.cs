using System.Buffers.Binary;
using Nightjar.Connection;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Topics;
using Nightjar.Subscriptions;

namespace Nightjar.Requests;

/// <summary>Where the answers to this connection's requests go.</summary>
/// <param name="ResponseTopic">5.0: the topic of all answers; else what comes before the number.</param>
/// <param name="Level">This client's level in the topics of requests.</param>
/// <param name="InTopic">Whether the topic carries the correlation.</param>
internal sealed record ResponseAddress(string ResponseTopic, string Level, bool InTopic)
{
    public string Filter => InTopic ? $"{ResponseTopic}/#" : ResponseTopic;
}

/// <summary>
/// The one subscription through which the answers to all requests of a client come. It is made with the first request, when the version is known, and made anew if a later
/// connection has another address.
/// </summary>
internal sealed class ResponseChannel(EngineHost host)
{
    private readonly Lock _lock = new();
    private readonly string _random = $"{RequestTopics.NewCorrelation():x16}";
    private ConnectResult? _connection;
    private ResponseAddress? _address;
    private MessageFeed? _feed;

    /// <summary>Waits until answers can come: connected, and the subscription granted.</summary>
    public async Task<ResponseAddress> OpenAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var connection = await host.WhenConnectedForUseAsync(cancellationToken).ConfigureAwait(false);
            var (address, feed) = Subscribe(connection);
            while (!host.IsGranted(feed, out var next))
            {
                // A refusal is thrown here, to everyone who waited for it; the next request asks again.
                await next.WaitAsync(cancellationToken).ConfigureAwait(false);
                if (feed.IsClosed && feed.Grant.Granted.IsCompletedSuccessfully)
                {
                    // Replaced meanwhile.
                    break;
                }
            }

            if (!feed.IsClosed)
            {
                return address;
            }
        }
    }

    private (ResponseAddress Address, MessageFeed Feed) Subscribe(ConnectResult connection)
    {
        MessageFeed? former = null;
        lock (_lock)
        {
            if (_connection != connection || _feed is not { IsClosed: false })
            {
                var address = AddressFor(connection);
                _connection = connection;
                if (_feed is not { IsClosed: false } || address != _address)
                {
                    former = _feed;
                    _address = address;
                    _feed = Subscribe(address);
                }
            }

            if (former is { IsClosed: false })
            {
                _ = host.UnsubscribeAsync(former).AsTask();
            }

            return (_address!, _feed);
        }
    }

    private MessageFeed Subscribe(ResponseAddress address)
    {
        var filter = TopicFilter.Parse(address.Filter);
        var terms = new SubscriptionTerms(host.Options.Requests.ResponseQoS, NoLocal: false, RetainAsPublished: false, RetainHandling.DoNotSend, Identifier: null, []);
        var handler = MessageHandler.From(message => Handle(message, address));

        // Not where the application's handlers run: one of them may be waiting for this very answer.
        return host.Subscribe([filter], [filter], terms, new SubscribeOptions(), handler, ownHandler: true);
    }

    private ResponseAddress AddressFor(ConnectResult connection)
    {
        var options = host.Options.Requests;
        var level = RequestTopics.LevelOf(connection.ClientId, _random);
        if (connection.Version < MqttVersion.Mqtt5 || options.CorrelateInTopic)
        {
            return new ResponseAddress($"{options.ResponseTopicPrefix}/{level}", level, InTopic: true);
        }

        var given = options.UseResponseInformation ? connection.ResponseInformation?.TrimEnd('/') : null;
        var topic = given is { Length: > 0 } && TopicName.Validate(given) is null ? $"{given}/{level}" : $"{options.ResponseTopicPrefix}/{level}";
        return new ResponseAddress(topic, level, InTopic: false);
    }

    private void Handle(MqttMessage message, ResponseAddress address)
    {
        var failure = message.UserProperties.FirstOrDefault(property => property.Name == RequestTopics.ErrorProperty).Value;
        ulong? correlation = null;
        if (!address.InTopic && message.CorrelationData is { Length: sizeof(ulong) } data)
        {
            correlation = BinaryPrimitives.ReadUInt64BigEndian(data.Span);
        }
        else if (address.InTopic && message.Topic.Length > address.ResponseTopic.Length
            && RequestTopics.TryReadReply(message.Topic.AsSpan(address.ResponseTopic.Length + 1), out var number, out var failed))
        {
            correlation = number;
            failure = failed ? message.Text : failure;
        }

        if (host.Answer(correlation) is not { } request)
        {
            return;
        }

        if (failure is null)
        {
            request.Answer(message);
        }
        else
        {
            request.Fail(new MqttRemoteException(failure));
        }
    }
}
