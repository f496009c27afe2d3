using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Topics;
using Nightjar.Subscriptions;

namespace Nightjar.Connection;

// Subscribing.
internal sealed partial class EngineHost
{
    /// <summary>Registers a subscription; it is asked for as soon as there is a connection.</summary>
    /// <param name="filters">What it gets; none: what nobody else gets.</param>
    /// <param name="wireFilters">What the server is asked for.</param>
    /// <param name="terms">On which terms.</param>
    /// <param name="options">What else the application said.</param>
    /// <param name="handler">Who gets the messages; null: a sequence will, or (in the case of a scope) nobody.</param>
    /// <param name="ownHandler">The handler is no code of the application's, and runs on the pool whatever that wants of its own.</param>
    public MessageFeed Subscribe(
        IReadOnlyList<TopicFilter> filters,
        IReadOnlyList<TopicFilter> wireFilters,
        SubscriptionTerms terms,
        SubscribeOptions options,
        MessageHandler? handler,
        bool ownHandler = false)
    {
        var feed = new MessageFeed(this, filters, wireFilters, terms, options) { TakesStreams = handler is { TakesStreams: true } };
        if (handler is not null)
        {
            feed.TryConsume();
        }

        using (_gate.Enter())
        {
            ThrowIfClosed();
            _gate.Feeds.Add(feed);
            if (wireFilters.Count > 0)
            {
                _engine.Subscribe(feed, _gate.Now());
            }
            else
            {
                _engine.CatchUnrouted(feed);
            }
        }

        _durable?.Begin();
        if (ownHandler)
        {
            ThreadPool.UnsafeQueueUserWorkItem(new HandlerPump(this, feed, handler!), preferLocal: false);
        }
        else if (handler is not null)
        {
            StartPump(feed, handler);
        }

        return feed;
    }

    /// <summary>A subscription to nothing: it has ended already.</summary>
    public MessageFeed SubscribeToNothing(SubscriptionTerms terms, SubscribeOptions options)
    {
        using (_gate.Enter())
        {
            ThrowIfClosed();
        }

        var feed = new MessageFeed(this, [], [], terms, options);
        feed.Close();
        return feed;
    }

    public async ValueTask UnsubscribeAsync(MessageFeed feed)
    {
        AnswerCollector<UnsubscribeResult>? answer = null;
        Task disconnected;
        using (_gate.Enter())
        {
            if (!_gate.Feeds.Remove(feed))
            {
                return;
            }

            if (_engine.State == ClientState.Connected && feed.WireFilters.Count > 0)
            {
                answer = new AnswerCollector<UnsubscribeResult>([.. feed.WireFilters.Select(filter => filter.Text)]);
            }

            _engine.Unsubscribe(feed, answer);
            disconnected = answer is null ? Task.CompletedTask : _reports.WhenDisconnected();
        }

        feed.Close();
        if (answer is not null)
        {
            // A connection that ends meanwhile answers nothing soon; the UNSUBSCRIBE itself is not forgotten.
            await Task.WhenAny(answer.Task, disconnected).ConfigureAwait(false);
        }
    }

    public Task<IReadOnlyList<UnsubscribeResult>> UnsubscribeAsync(IReadOnlyList<TopicFilter> filters, CancellationToken cancellationToken) => _durable is { IsReady: false } durable
        ? durable.InTurn(() => new ValueTask<IReadOnlyList<UnsubscribeResult>>(UnsubscribeNowAsync(filters, cancellationToken)), cancellationToken)
        : UnsubscribeNowAsync(filters, cancellationToken);

    private Task<IReadOnlyList<UnsubscribeResult>> UnsubscribeNowAsync(IReadOnlyList<TopicFilter> filters, CancellationToken cancellationToken)
    {
        var answer = new AnswerCollector<UnsubscribeResult>([.. filters.Select(filter => filter.Text)]);
        List<MessageFeed> ended;
        using (_gate.Enter())
        {
            ThrowIfClosed();
            ended = [.. _engine.Unsubscribe(filters, answer, _gate.Now()).Cast<MessageFeed>()];
            _gate.Feeds.ExceptWith(ended);
        }

        ended.ForEach(feed => feed.Close());
        return Relay.Of(answer.Task).WaitAsync(cancellationToken);
    }

    /// <summary>Asks for a subscription's filters again.</summary>
    public Task<IReadOnlyList<SubscribeResult>> ResubscribeAsync(MessageFeed feed, CancellationToken cancellationToken) => _durable is { IsReady: false } durable
        ? durable.InTurn(() => new ValueTask<IReadOnlyList<SubscribeResult>>(ResubscribeNowAsync(feed, cancellationToken)), cancellationToken)
        : ResubscribeNowAsync(feed, cancellationToken);

    private Task<IReadOnlyList<SubscribeResult>> ResubscribeNowAsync(MessageFeed feed, CancellationToken cancellationToken)
    {
        var answer = new AnswerCollector<SubscribeResult>([.. feed.WireFilters.Select(filter => filter.Text)]);
        using (_gate.Enter())
        {
            ThrowIfClosed();
            ObjectDisposedException.ThrowIf(!_gate.Feeds.Contains(feed), typeof(Subscription));
            _engine.Resubscribe(feed, answer, _gate.Now());
        }

        return Relay.Of(answer.Task).WaitAsync(cancellationToken);
    }
}
