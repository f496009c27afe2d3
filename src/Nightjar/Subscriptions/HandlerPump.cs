using Nightjar.Connection;
using Nightjar.Protocol.Engine;

namespace Nightjar.Subscriptions;

/// <summary>
/// Calls a handler for one message after the other, in order. Acknowledgements are gathered while the queue lasts, and handed in before anything is waited for.
/// </summary>
internal sealed class HandlerPump(EngineHost host, MessageFeed feed, MessageHandler handler) : IThreadPoolWorkItem
{
    // A handler that blocks for long holds back this many acknowledgements at most; none where they have a time limit, for they would be passed over with the message that it holds.
    private const int OutcomesAtOnce = 32;

    private readonly HandlerCalls _calls = new(host, feed, handler);
    private readonly HandlerScheduler _scheduler = host.Handlers;
    private readonly bool _captures = host.Handlers.IsOwn;
    private readonly HandlerOutcome[] _outcomes = new HandlerOutcome[host.Options.Receive.HandlerTimeout == Timeout.InfiniteTimeSpan ? OutcomesAtOnce : 1];
    private int _gathered;
    private ReceiveChunk? _chunk;
    private int _shares;

    void IThreadPoolWorkItem.Execute() => _ = RunAsync();

    private async Task RunAsync()
    {
        while (await feed.Queue.WaitAsync().ConfigureAwait(_captures))
        {
            while (!feed.IsClosed && feed.TryTake(out var message))
            {
                var handled = _calls.Start(message);
                if (handled.IsCompletedSuccessfully)
                {
                    // A pooled source behind it waits for this to be used again.
                    handled.GetAwaiter().GetResult();
                    Note(message, _calls.End());
                }
                else
                {
                    HandIn();
                    Note(message, await _calls.FinishAsync(handled, message).ConfigureAwait(_captures));
                }

                if (_scheduler.ShouldYield)
                {
                    HandIn();
                    await _scheduler.YieldAsync().ConfigureAwait(_captures);
                }
            }

            HandIn();
            if (feed.IsClosed)
            {
                break;
            }
        }

        HandIn();
        feed.StopConsuming();
    }

    private void Note(in ReceivedMessage message, MessageOutcome outcome)
    {
        if (message.Chunk != _chunk)
        {
            ReleaseChunk();
            _chunk = message.Chunk;
        }

        _shares++;
        if (!feed.IsAwaited(message) || outcome.IsSettled)
        {
            return;
        }

        _outcomes[_gathered++] = feed.ToOutcome(message, outcome);
        if (_gathered == _outcomes.Length)
        {
            HandIn();
        }
    }

    private void HandIn()
    {
        ReleaseChunk();
        if (_gathered > 0)
        {
            host.Complete(_outcomes.AsSpan(0, _gathered));
            _gathered = 0;
        }
    }

    private void ReleaseChunk()
    {
        _chunk?.Release(_shares);
        _chunk = null;
        _shares = 0;
    }
}
