using Nightjar.Connection;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Topics;
using Nightjar.Subscriptions;

namespace Nightjar;

/// <summary>
/// One subscription on the wire and as many local ones under it as you like: those cost no packet, and nor does ending one. What comes under the scope and matches none of them is
/// acknowledged and reported like any message that nobody subscribes to (see <see cref="MqttClient.OnUnrouted(Func{MqttMessage, CancellationToken, ValueTask})"/>). Retained messages come once,
/// when the scope subscribes, which it does when it is made: a local one that comes later may miss them, and
/// <see cref="ResubscribeAsync"/> brings them again. Thread-safe. Disposing it ends all of them and unsubscribes.
/// </summary>
public sealed class SubscriptionScope : IAsyncDisposable
{
    private const int SmallestSweep = 16;

    private readonly EngineHost _host;
    private readonly TopicFilter _filter;
    private readonly SubscribeOptions _options;
    private readonly SubscriptionTerms _memberTerms;
    private readonly MessageFeed _feed;
    private readonly Lock _lock = new();
    private readonly List<MessageFeed> _members = [];
    private int _sweepAt = SmallestSweep;
    private bool _disposed;

    internal SubscriptionScope(EngineHost host, TopicFilter filter, SubscriptionTerms terms, SubscribeOptions options)
    {
        _host = host;
        _filter = filter;
        _options = options;
        _memberTerms = terms with { RetainHandling = RetainHandling.DoNotSend };
        _feed = host.Subscribe([], [filter], terms, options, handler: null);
    }

    /// <summary>The filter on the wire.</summary>
    public string Filter => _filter.Text;

    /// <inheritdoc cref="Subscription.Granted"/>
    public Task<QoS> Granted => Relay.Of(_feed.Grant.Granted);

    /// <summary>Ends when no message will come any more: disposed, refused, or the client is closed.</summary>
    public Task Completion => Relay.Of(_feed.Completion);

    /// <summary>
    /// A local subscription whose messages are a sequence. Throws <see cref="ArgumentException"/> for a filter that reaches beyond the scope (compared level by level:
    /// <c>device/10/x</c> is not under <c>device/1/#</c>), <see cref="ObjectDisposedException"/> after the end.
    /// </summary>
    public Subscription Subscribe(string filter) => Add([filter], handler: null);

    /// <summary>As <see cref="Subscribe(string)"/>, one for several filters. Of no filter at all comes no message: it is over before it begins.</summary>
    public Subscription Subscribe(IEnumerable<string> filters) => Add(filters, handler: null);

    /// <summary>A local subscription with a handler, which works as that of <see cref="MqttClient.On(string, Func{MqttMessage, CancellationToken, ValueTask}, SubscribeOptions?)"/>; else as <see cref="Subscribe(string)"/>.</summary>
    public Subscription On(string filter, Func<MqttMessage, CancellationToken, ValueTask> handler) => Add([filter], MessageHandler.From(handler));

    /// <inheritdoc cref="On(string, Func{MqttMessage, CancellationToken, ValueTask})"/>
    public Subscription On(string filter, Func<MqttMessage, ValueTask> handler) => Add([filter], MessageHandler.From(handler));

    /// <inheritdoc cref="On(string, Func{MqttMessage, CancellationToken, ValueTask})"/>
    public Subscription On(string filter, Action<MqttMessage> handler) => Add([filter], MessageHandler.From(handler));

    /// <summary>As <see cref="On(string, Func{MqttMessage, CancellationToken, ValueTask})"/>, one for several filters; see <see cref="Subscribe(IEnumerable{string})"/>.</summary>
    public Subscription On(IEnumerable<string> filters, Func<MqttMessage, CancellationToken, ValueTask> handler) => Add(filters, MessageHandler.From(handler));

    /// <inheritdoc cref="On(IEnumerable{string}, Func{MqttMessage, CancellationToken, ValueTask})"/>
    public Subscription On(IEnumerable<string> filters, Func<MqttMessage, ValueTask> handler) => Add(filters, MessageHandler.From(handler));

    /// <inheritdoc cref="On(IEnumerable{string}, Func{MqttMessage, CancellationToken, ValueTask})"/>
    public Subscription On(IEnumerable<string> filters, Action<MqttMessage> handler) => Add(filters, MessageHandler.From(handler));

    /// <summary>As <see cref="On(string, Func{MqttMessage, CancellationToken, ValueTask})"/>, with the message still in the receive buffer: no copy, no allocation.</summary>
    public Subscription OnLeased(string filter, Func<LeasedMessage, CancellationToken, ValueTask> handler) => Add([filter], MessageHandler.From(handler));

    /// <inheritdoc cref="OnLeased(string, Func{LeasedMessage, CancellationToken, ValueTask})"/>
    public Subscription OnLeased(string filter, Action<LeasedMessage> handler) => Add([filter], MessageHandler.From(handler));

    /// <summary>As <see cref="On(string, Func{MqttMessage, CancellationToken, ValueTask})"/>, with a payload that is read as it arrives; see <see cref="MqttClient.OnStream"/>.</summary>
    public Subscription OnStream(string filter, Func<StreamedMessage, CancellationToken, ValueTask> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        _options.ThrowIfInvalid(nameof(handler), hasStore: _host.HasStore, takesStreams: true);
        return Add([filter], new MessageHandler.Streamed(handler));
    }

    /// <summary>Sends SUBSCRIBE again, so that the server sends the retained messages again, to all local subscriptions; else as <see cref="Subscription.ResubscribeAsync"/>.</summary>
    public Task<IReadOnlyList<SubscribeResult>> ResubscribeAsync(CancellationToken cancellationToken = default) => _host.ResubscribeAsync(_feed, cancellationToken);

    /// <summary>Ends all local subscriptions, unsubscribes and waits for the server's answer, if there is a connection. Never throws.</summary>
    public async ValueTask DisposeAsync()
    {
        List<MessageFeed> members;
        lock (_lock)
        {
            _disposed = true;
            members = [.. _members];
            _members.Clear();
        }

        foreach (var member in members)
        {
            await _host.UnsubscribeAsync(member).ConfigureAwait(false);
        }

        await _host.UnsubscribeAsync(_feed).ConfigureAwait(false);
    }

    private Subscription Add(IEnumerable<string> filters, MessageHandler? handler)
    {
        ArgumentNullException.ThrowIfNull(filters);
        TopicFilter[] parsed = [.. filters.Select(TopicFilter.Parse).Distinct()];
        foreach (var beyond in parsed.Where(filter => filter.IsShared || !_filter.Covers(filter)))
        {
            throw new ArgumentException(
                $"'{beyond}' reaches beyond the scope '{_filter}', whose messages are all that come; choose a filter under it, without $share, or subscribe with the client.", nameof(filters));
        }

        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed || _feed.IsClosed, this);
            if (_members.Count >= _sweepAt)
            {
                // Those that were disposed one by one.
                _members.RemoveAll(member => member.IsClosed);
                _sweepAt = Math.Max(SmallestSweep, _members.Count * 2);
            }

            var feed = parsed.Length == 0 ? _host.SubscribeToNothing(_memberTerms, _options) : _host.Subscribe(parsed, [_filter], _memberTerms, _options, handler);
            _members.Add(feed);
            return new Subscription(_host, feed, hasHandler: handler is not null);
        }
    }
}
