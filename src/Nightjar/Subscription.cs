using Nightjar.Connection;
using Nightjar.Subscriptions;

namespace Nightjar;

/// <summary>
/// What <see cref="MqttClient.Subscribe(string, SubscribeOptions?)"/> and <see cref="MqttClient.On(string, Func{MqttMessage, CancellationToken, ValueTask}, SubscribeOptions?)"/> return. Made by Subscribe it is
/// also the sequence of messages: asking for the next acknowledges the one before; leaving the loop otherwise leaves the current one unacknowledged unless
/// <see cref="AcknowledgeAsync"/> was called. Thread-safe; one enumeration at a time. Disposing it unsubscribes.
/// </summary>
public sealed class Subscription : IAsyncEnumerable<MqttMessage>, IAsyncDisposable
{
    private readonly EngineHost _host;
    private readonly MessageFeed _feed;
    private readonly bool _hasHandler;
    private MessageSequence? _sequence;

    internal Subscription(EngineHost host, MessageFeed feed, bool hasHandler)
    {
        _host = host;
        _feed = feed;
        _hasHandler = hasHandler;
    }

    /// <summary>The filter; of several the first. That of <see cref="MqttClient.OnUnrouted(Func{MqttMessage, CancellationToken, ValueTask})"/> is <c>#</c>.</summary>
    public string Filter => _feed.TopicFilter.Text;

    /// <summary>All its filters, in the order they were given, each once.</summary>
    public IReadOnlyList<string> Filters => [.. _feed.Filters.Select(filter => filter.Text)];

    /// <summary>
    /// Completes with the QoS that the server granted, of several filters the lowest; faults with <see cref="MqttRefusedException"/> if it refused (one of them), with
    /// <see cref="MqttConnectException"/> if the client gave up connecting, be it before this was read for the first time (reading it again then waits for the next attempt).
    /// </summary>
    public Task<QoS> Granted => Relay.Of(_feed.Grant.Granted);

    /// <summary>
    /// Completes with what the server said to each filter, in the order of <see cref="Filters"/>; a refusal is among the results and no fault. Of several filters those that were granted
    /// go on without the others; with the last one the subscription ends. Read again after a reconnection it has the latest answers.
    /// </summary>
    public Task<IReadOnlyList<SubscribeResult>> Results => Relay.Of(_feed.Grant.Results);

    /// <summary>Ends when no message will come any more: disposed, refused, or the client is closed.</summary>
    public Task Completion => Relay.Of(_feed.Completion);

    /// <summary>Acknowledges the message that the loop is at, before the next is asked for.</summary>
    /// <exception cref="InvalidOperationException">There is no loop: nothing enumerates this subscription.</exception>
    public ValueTask AcknowledgeAsync()
    {
        var sequence = Volatile.Read(ref _sequence)
            ?? throw new InvalidOperationException("There is no current message: AcknowledgeAsync belongs inside the 'await foreach' over this subscription.");
        sequence.Acknowledge();
        return default;
    }

    /// <summary>
    /// Sends SUBSCRIBE again for all filters of this subscription, so that the server sends their retained messages again. Where it does subscription identifiers they reach this subscription
    /// alone (unless <see cref="SubscribeOptions.RetainAsPublished"/> makes them look like any other); else every subscription to the same filter hears them again. While
    /// there is no connection it waits for one. Returns what the server said to each filter; a refusal changes nothing.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The subscription or the client has ended.</exception>
    public Task<IReadOnlyList<SubscribeResult>> ResubscribeAsync(CancellationToken cancellationToken = default) => _host.ResubscribeAsync(_feed, cancellationToken);

    /// <summary>Starts the loop. One at a time; the next one goes on where it ended.</summary>
    /// <exception cref="InvalidOperationException">The subscription has a handler, or another loop runs.</exception>
    public IAsyncEnumerator<MqttMessage> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        if (_hasHandler)
        {
            throw new InvalidOperationException("This subscription has a handler, which gets its messages; use MqttClient.Subscribe for a sequence.");
        }

        var consumes = _feed.TryConsume();
        if (!consumes && !_feed.IsClosed)
        {
            throw new InvalidOperationException("Another loop reads this subscription already; subscribe again for a sequence of your own.");
        }

        var sequence = new MessageSequence(_feed, consumes, cancellationToken);
        Volatile.Write(ref _sequence, sequence);
        return sequence;
    }

    /// <summary>
    /// Unsubscribes and waits for the server's answer, if there is a connection. Messages that wait to be handled are acknowledged; those of <see cref="AcknowledgeMode.Stored"/> stay in the store.
    /// Never throws; may be called from the subscription's own handler.
    /// </summary>
    public async ValueTask DisposeAsync() => await _host.UnsubscribeAsync(_feed).ConfigureAwait(false);
}
