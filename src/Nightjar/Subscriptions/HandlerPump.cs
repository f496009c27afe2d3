using Nightjar.Connection;
using Nightjar.Protocol.Engine;

namespace Nightjar.Subscriptions;

/// <summary>
/// Calls a handler for one message after the other, in order. Acknowledgements are gathered while the queue lasts, and handed in before anything is waited for. A
/// handler that throws is called again; after that the failure is reported and the message acknowledged, so that one poisonous message stops nobody.
/// </summary>
internal sealed class HandlerPump(EngineHost host, MessageFeed feed, MessageHandler handler)
{
    // A handler that blocks for long holds back this many acknowledgements at most.
    private const int OutcomesAtOnce = 32;

    private readonly HandlerOutcome[] _outcomes = new HandlerOutcome[OutcomesAtOnce];
    private int _gathered;
    private ReceiveChunk? _chunk;
    private int _shares;

    public async Task RunAsync()
    {
        while (await feed.Queue.WaitAsync().ConfigureAwait(false))
        {
            while (!feed.IsClosed && feed.Queue.TryTake(out var message))
            {
                var handled = Start(message);
                if (handled.IsCompletedSuccessfully)
                {
                    // A pooled source behind it waits for this to be used again.
                    handled.GetAwaiter().GetResult();
                    handler.Done();
                    Note(message, abandoned: false);
                }
                else
                {
                    HandIn();
                    Note(message, await FinishAsync(handled, message).ConfigureAwait(false));
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

    private ValueTask Start(in ReceivedMessage message)
    {
        try
        {
            return handler.HandleAsync(message, feed.Stopping);
        }
        catch (Exception error)
        {
            return ValueTask.FromException(error);
        }
    }

    /// <summary>Waits for the handler, calls it again if it throws. True: the message stays unacknowledged, because the client or the subscription is ending.</summary>
    private async ValueTask<bool> FinishAsync(ValueTask handled, ReceivedMessage message)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await handled.ConfigureAwait(false);
                return false;
            }
            catch (OperationCanceledException) when (feed.Stopping.IsCancellationRequested)
            {
                return true;
            }
            catch (Exception) when (message.Chunk.Payload is { IsCut: true })
            {
                // It never came whole. The server sends it again.
                return true;
            }
            catch (Exception error)
            {
                // What was read from a stream cannot be read again.
                if (attempt >= host.Options.Receive.HandlerRetries || feed.IsClosed || message.Chunk.Payload is not null)
                {
                    host.ReportHandlerFailure(feed.TopicFilter.Text, message.Route.Name, error);
                    return feed.IsClosed;
                }
            }
            finally
            {
                handler.Done();
            }

            if (!await PauseAsync(attempt).ConfigureAwait(false))
            {
                return true;
            }

            handled = Start(message);
        }
    }

    /// <summary>A tenth of a second, then twice that, and so on: enough for a database to come back, little enough for those behind.</summary>
    private async ValueTask<bool> PauseAsync(int attempt)
    {
        var pause = Task.Delay(TimeSpan.FromMilliseconds(100) * (1 << Math.Min(attempt, 10)), host.Options.TimeProvider, feed.Stopping);
        await pause.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return !pause.IsCanceled;
    }

    private void Note(in ReceivedMessage message, bool abandoned)
    {
        if (message.Chunk != _chunk)
        {
            ReleaseChunk();
            _chunk = message.Chunk;
        }

        _shares++;
        if (message.Token.IsNone)
        {
            return;
        }

        _outcomes[_gathered++] = new HandlerOutcome(message.Token, ReasonCode.Success, abandoned);
        if (_gathered == OutcomesAtOnce)
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
