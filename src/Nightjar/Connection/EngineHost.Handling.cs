using Nightjar.Diagnostics;
using Nightjar.Protocol.Engine;
using Nightjar.Subscriptions;

namespace Nightjar.Connection;

// What handlers ask and report.
internal sealed partial class EngineHost
{
    /// <summary>Whether an acknowledgement can say more than that it is one.</summary>
    public bool HasAckReasons
    {
        get
        {
            using (_gate.Enter())
            {
                return _engine.Version == MqttVersion.Mqtt5;
            }
        }
    }

    /// <summary>Handlers are done with these messages.</summary>
    public void Complete(ReadOnlySpan<HandlerOutcome> outcomes)
    {
        using (_gate.Enter())
        {
            _engine.Complete(outcomes, _gate.Now());
        }
    }

    /// <summary>Runs it where handlers run, in its turn.</summary>
    public Task PostAsync(Func<ValueTask> work)
    {
        using (_gate.Enter())
        {
            ThrowIfClosed();
        }

        return Handlers.PostAsync(work);
    }

    public void ReportHandlerFailure(MessageFeed feed, string topic, Exception error, MessageOutcome outcome)
    {
        Counters.HandlerFailed();
        Events.Publish(new ClientEvent.HandlerFailed(feed.TopicFilter.Text, topic, error) { Outcome = outcome });
        Log.HandlerFailed(_logger, feed.TopicFilter.Text, outcome, error);
    }

    public void ReportPoisonDecisionFailure(MessageFeed feed, Exception error) => Log.PoisonDecisionFailed(_logger, feed.TopicFilter.Text, error);

    public void ReportKeyFailure(MessageFeed feed, Exception error) => Log.KeyFailed(_logger, feed.TopicFilter.Text, error);

    /// <summary>The application's task scheduler refused to run a handler.</summary>
    public void ReportSchedulerFailure(MessageFeed feed, TaskSchedulerException error) => Log.SchedulerFailed(_logger, feed.TopicFilter.Text, error);

    /// <summary>What a user hung on a handler's token threw.</summary>
    public void ReportStoppingFailure(string filter, Exception error) => Log.StoppingFailed(_logger, filter, error);

    /// <summary>Queues began to drop QoS 0 messages because they are full, or no longer do.</summary>
    public void ReportQueues()
    {
        foreach (var feed in Feeds(static feed => feed.HasReport))
        {
            feed.HasReport = false;
            if (feed.IsDropping)
            {
                Log.QueueFull(_logger, feed.TopicFilter.Text, feed.Options.QueueLimit ?? 0, feed.Dropped);
            }

            ReportDropped(feed);
        }
    }

    /// <summary>An episode of dropping QoS 0 messages for want of budget is over, or the connection.</summary>
    public void ReportDropped()
    {
        foreach (var feed in Feeds(static feed => feed.Dropped > 0))
        {
            if (!feed.IsDropping)
            {
                Log.MessagesDropped(_logger, feed.Dropped, feed.TopicFilter.Text);
            }

            ReportDropped(feed);
        }
    }

    /// <summary>How many were dropped since the last report.</summary>
    public void ReportDropped(MessageFeed feed)
    {
        if (feed.TakeDropped() is > 0 and var dropped)
        {
            Counters.Dropped(dropped);
            Events.Publish(new ClientEvent.MessagesDropped(feed.TopicFilter.Text, dropped));
        }
    }

    private List<MessageFeed> Feeds(Func<MessageFeed, bool> which)
    {
        using (_gate.Enter())
        {
            return [.. _gate.Feeds.Where(which)];
        }
    }

    private void StartPump(MessageFeed feed, MessageHandler handler)
    {
        if (feed.Options.MaxConcurrency > 1)
        {
            _ = Task.Run(new ConcurrentPump(this, feed, handler).RunAsync);
        }
        else
        {
            Handlers.Start(new HandlerPump(this, feed, handler));
        }
    }
}
