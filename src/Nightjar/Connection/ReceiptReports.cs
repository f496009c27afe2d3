using Nightjar.Protocol.Engine;

namespace Nightjar.Connection;

/// <summary>Tells receipts what became of their messages; under the gate, so in the engine's order.</summary>
internal static class ReceiptReports
{
    public static void Report(List<(object Waiter, DeliveryStep Step)> steps)
    {
        foreach (var (waiter, step) in steps)
        {
            ((DeliveryReceipt)waiter).Step(step);
        }

        steps.Clear();
    }

    public static void Report(List<PublishOutcome> ended, string server)
    {
        foreach (ref readonly var outcome in System.Runtime.InteropServices.CollectionsMarshal.AsSpan(ended))
        {
            if (outcome.Waiter is DeliveryReceipt receipt)
            {
                receipt.End(ToState(outcome), new PublishResult(outcome.ReasonCode, outcome.PacketId, outcome.Flags), Failure.ToException(outcome, server));
            }
        }
    }

    private static DeliveryState ToState(in PublishOutcome outcome) => outcome.End switch
    {
        PublishEnd.Answered => outcome.ReasonCode.IsFailure() ? DeliveryState.Refused : DeliveryState.Delivered,
        PublishEnd.Limit => DeliveryState.Refused,
        PublishEnd.Dropped => outcome.Drop is MessageDropReason.Expired or MessageDropReason.TooOld ? DeliveryState.Expired : DeliveryState.Dropped,
        PublishEnd.Withdrawn => DeliveryState.Withdrawn,
        PublishEnd.Unanswered => DeliveryState.Unknown,
        PublishEnd.Kept => DeliveryState.Kept,
        _ => DeliveryState.NotSent,
    };
}
