namespace Nightjar.Subscriptions;

/// <summary>One message that was passed on, until its receipt ends.</summary>
internal sealed class BridgedMessage(MqttMessage message, MessageFeed feed) : IReceiptObserver
{
    public static void Follow(DeliveryReceipt? receipt, MqttMessage message, MessageFeed feed)
    {
        if (receipt is null)
        {
            throw new InvalidOperationException("A bridging handler returned no receipt; return that of EnqueueAsync.");
        }

        var bridged = new BridgedMessage(message, feed);
        if (!receipt.Observe(bridged))
        {
            bridged.Ended(receipt);
        }
    }

    public void Ended(DeliveryReceipt receipt)
    {
        switch (receipt.State)
        {
            case DeliveryState.Delivered:
                message.Acknowledge();
                break;
            case DeliveryState.NotSent or DeliveryState.Unknown or DeliveryState.Kept:
                // The other client is closed, which is nothing that is wrong with the message: it comes again.
                message.LeaveUnacknowledged();
                break;
            default:
                // What decides is user code: not on the thread that brought the end.
                ThreadPool.UnsafeQueueUserWorkItem(static state => _ = state.Bridged.DecideAsync(state.Failure), (Bridged: this, Failure: ToFailure(receipt)), preferLocal: false);
                break;
        }
    }

    private static Exception ToFailure(DeliveryReceipt receipt) => receipt.Failure ?? new OperationCanceledException("The message that was passed on was withdrawn before it was sent.");

    private async Task DecideAsync(Exception failure)
    {
        var outcome = MessageOutcome.Acknowledge;
        if (feed.OnPoison is { } onPoison)
        {
            try
            {
                outcome = await onPoison(message, failure).ConfigureAwait(false);
            }
            catch (Exception error)
            {
                feed.Host.ReportPoisonDecisionFailure(feed, error);
            }
        }

        feed.Host.ReportHandlerFailure(feed, message.Topic, failure, outcome);
        message.Acknowledgement?.Settle(outcome);
    }
}
