using Nightjar.Diagnostics;
using Nightjar.Requests;
using Nightjar.Subscriptions;

namespace Nightjar.Connection;

// Requests that wait for their answers.
internal sealed partial class EngineHost
{
    /// <summary>A request begins; its time runs from here.</summary>
    public void Begin(PendingRequest request, TimeSpan timeout)
    {
        using (_gate.Enter())
        {
            ThrowIfClosed();
            var deadline = timeout == Timeout.InfiniteTimeSpan ? long.MaxValue : _gate.Now() + timeout.Ticks;
            request.Correlation = RequestTopics.NewCorrelation();
            if (!_engine.Requests.TryAdd(request.Correlation, request, deadline))
            {
                throw new MqttLimitException(
                    $"{_engine.Requests.Count} requests wait for their answers, and no more may (RequestOptions.MaximumPending); wait for some of them first.");
            }
        }
    }

    /// <summary>Nobody waits for it any more.</summary>
    public void End(PendingRequest request)
    {
        using (_gate.Enter())
        {
            _engine.Requests.Remove(request.Correlation);
        }
    }

    /// <summary>An answer came. Returns who waits for it; null: nobody does, which is counted.</summary>
    public PendingRequest? Answer(ulong? correlation)
    {
        using (_gate.Enter())
        {
            if (correlation is { } known)
            {
                return (PendingRequest?)_engine.Requests.Answer(known);
            }

            _engine.Requests.NoteStray();
            return null;
        }
    }

    /// <summary>A responder threw, or its answer could not be sent; the request is acknowledged.</summary>
    public void ReportResponderFailure(string filter, string topic, Exception error)
    {
        Events.Publish(new ClientEvent.HandlerFailed(filter, topic, error) { Outcome = MessageOutcome.Acknowledge });
        Log.HandlerFailed(_logger, filter, MessageOutcome.Acknowledge, error);
    }

    /// <summary>The current connection or the next one; a client that rests, or never connected, does so now.</summary>
    public Task<ConnectResult> WhenConnectedForUseAsync(CancellationToken cancellationToken) => _durable is { IsReady: false } durable
        ? durable.InTurn(() => new ValueTask<ConnectResult>(WhenConnectedForUseNowAsync(cancellationToken)), cancellationToken)
        : WhenConnectedForUseNowAsync(cancellationToken);

    private Task<ConnectResult> WhenConnectedForUseNowAsync(CancellationToken cancellationToken)
    {
        using (_gate.Enter())
        {
            ThrowIfClosed();
            _engine.ConnectForUse(_gate.Now());
        }

        return ConnectAsync(ConnectWish.None, cancellationToken);
    }

    /// <summary>Whether the server has granted this subscription in the session of now; if not, <paramref name="next"/> ends with what it says next.</summary>
    public bool IsGranted(MessageFeed feed, out Task next)
    {
        using (_gate.Enter())
        {
            var granted = !feed.IsClosed && _engine.Subscriptions.IsGranted(feed.TopicFilter.Text);
            next = granted ? Task.CompletedTask : feed.IsClosed ? feed.Grant.Granted : feed.Grant.NextAnswer();
            return granted;
        }
    }
}
