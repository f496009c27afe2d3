using Nightjar.Connection;

namespace Nightjar.Subscriptions;

/// <summary>
/// Calls a handler for one message until it ends well, or is given up: one that throws is called again, after that <c>OnPoison</c> decides. Says what becomes of the
/// message's acknowledgement. Used for one message after the other.
/// </summary>
internal sealed class HandlerCalls(EngineHost host, MessageFeed feed, MessageHandler handler)
{
    private readonly bool _captures = host.Handlers.IsOwn;

    public ValueTask Start(in ReceivedMessage message, MessageAcknowledgement? acknowledgement = null)
    {
        try
        {
            return host.Telemetry.WatchesProcessing
                ? host.Telemetry.ProcessAsync(handler, message, feed, acknowledgement)
                : handler.HandleAsync(message, feed, acknowledgement);
        }
        catch (Exception error)
        {
            return ValueTask.FromException(error);
        }
    }

    /// <summary>The handler ended well.</summary>
    public MessageOutcome End()
    {
        var acknowledgement = handler.Done();
        if (feed.LeavesToHandler)
        {
            return MessageOutcome.Settled;
        }

        return acknowledgement is null || acknowledgement.TryClaim() ? MessageOutcome.Acknowledge : MessageOutcome.Settled;
    }

    /// <summary>Waits for the handler, calls it again if it throws.</summary>
    public async ValueTask<MessageOutcome> FinishAsync(ValueTask handled, ReceivedMessage message)
    {
        for (var attempt = 0; ; attempt++)
        {
            MessageAcknowledgement? acknowledgement;
            try
            {
                await handled.ConfigureAwait(_captures);
                return End();
            }
            catch (OperationCanceledException) when (feed.Stopping.IsCancellationRequested)
            {
                return Claim(handler.Done(), MessageOutcome.LeaveUnacknowledged);
            }
            catch (Exception) when (message.Chunk.Payload is { IsCut: true })
            {
                // It never came whole. The server sends it again.
                return Claim(handler.Done(), MessageOutcome.LeaveUnacknowledged);
            }
            catch (Exception error)
            {
                acknowledgement = handler.Done();
                if (acknowledgement is { IsSettled: true })
                {
                    host.ReportHandlerFailure(feed, message.Route.Name, error, MessageOutcome.Acknowledge);
                    return MessageOutcome.Settled;
                }

                if (feed.IsClosed)
                {
                    host.ReportHandlerFailure(feed, message.Route.Name, error, MessageOutcome.LeaveUnacknowledged);
                    return Claim(acknowledgement, MessageOutcome.LeaveUnacknowledged);
                }

                // What was read from a stream cannot be read again.
                if (attempt >= host.Options.Receive.HandlerRetries || message.Chunk.Payload is not null)
                {
                    var decided = await DecideAsync(message, acknowledgement, error).ConfigureAwait(_captures);
                    host.ReportHandlerFailure(feed, message.Route.Name, error, decided);
                    return Claim(acknowledgement, decided);
                }
            }

            if (!await PauseAsync(attempt).ConfigureAwait(_captures))
            {
                return Claim(acknowledgement, MessageOutcome.LeaveUnacknowledged);
            }

            host.Counters.HandlerRetried();
            handled = Start(message, acknowledgement);
        }
    }

    private static MessageOutcome Claim(MessageAcknowledgement? acknowledgement, MessageOutcome outcome) =>
        acknowledgement is null || acknowledgement.TryClaim() ? outcome : MessageOutcome.Settled;

    private async ValueTask<MessageOutcome> DecideAsync(ReceivedMessage message, MessageAcknowledgement? acknowledgement, Exception error)
    {
        if (feed.OnPoison is not { } onPoison)
        {
            return MessageOutcome.Acknowledge;
        }

        try
        {
            return await onPoison(message.ToMessage(acknowledgement), error).ConfigureAwait(_captures);
        }
        catch (Exception failure)
        {
            host.ReportPoisonDecisionFailure(feed, failure);
            return MessageOutcome.Acknowledge;
        }
    }

    /// <summary>A tenth of a second, then twice that, and so on: enough for a database to come back, little enough for those behind.</summary>
    private async ValueTask<bool> PauseAsync(int attempt)
    {
        var pause = Task.Delay(TimeSpan.FromMilliseconds(100) * (1 << Math.Min(attempt, 10)), host.Options.TimeProvider, feed.Stopping);
        await pause.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | (_captures ? ConfigureAwaitOptions.ContinueOnCapturedContext : ConfigureAwaitOptions.None));
        return !pause.IsCanceled;
    }
}
