using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Topics;
using Nightjar.Subscriptions;

namespace Nightjar.Connection;

// Subscribing.
internal sealed partial class EngineHost
{
    /// <summary>Registers a subscription; it is asked for as soon as there is a connection.</summary>
    public MessageFeed Subscribe(TopicFilter filter, SubscriptionTerms terms, SubscribeOptions options, MessageHandler? handler)
    {
        var feed = new MessageFeed(this, filter, terms, options) { TakesStreams = handler is { TakesStreams: true } };
        if (handler is not null)
        {
            feed.TryConsume();
        }

        using (_gate.Enter())
        {
            ThrowIfClosed();
            _gate.Feeds.Add(feed);
            _engine.Subscribe(feed, _gate.Now());
        }

        if (handler is not null)
        {
            StartPump(feed, handler);
        }

        return feed;
    }

    public async ValueTask UnsubscribeAsync(MessageFeed feed)
    {
        TaskCompletionSource<ReasonCode>? answer = null;
        Task disconnected;
        using (_gate.Enter())
        {
            if (!_gate.Feeds.Remove(feed))
            {
                return;
            }

            if (_engine.State == ClientState.Connected)
            {
                answer = new TaskCompletionSource<ReasonCode>(TaskCreationOptions.RunContinuationsAsynchronously);
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

    public Task<ReasonCode> UnsubscribeAsync(string filter, CancellationToken cancellationToken)
    {
        var answer = new TaskCompletionSource<ReasonCode>(TaskCreationOptions.RunContinuationsAsynchronously);
        List<MessageFeed> ended;
        using (_gate.Enter())
        {
            ThrowIfClosed();
            ended = [.. _engine.Unsubscribe(filter, answer, _gate.Now()).Cast<MessageFeed>()];
            _gate.Feeds.ExceptWith(ended);
        }

        ended.ForEach(feed => feed.Close());
        return answer.Task.WaitAsync(cancellationToken);
    }
}
