namespace Nightjar.Subscriptions;

/// <summary>
/// A handler that passes each message on: its part is over when it has the receipt, and the next message is its turn. The message itself is acknowledged when the receipt ends.
/// </summary>
internal sealed class BridgeHandler(Func<MqttMessage, CancellationToken, ValueTask<DeliveryReceipt>> handler) : MessageHandler
{
    private MessageAcknowledgement? _acknowledgement;

    public static BridgeHandler From(Func<MqttMessage, CancellationToken, ValueTask<DeliveryReceipt>> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return new BridgeHandler(handler);
    }

    public static BridgeHandler From(Func<MqttMessage, ValueTask<DeliveryReceipt>> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return new BridgeHandler((message, _) => handler(message));
    }

    public override ValueTask HandleAsync(in ReceivedMessage message, MessageFeed feed, MessageAcknowledgement? acknowledgement)
    {
        _acknowledgement = acknowledgement ?? feed.AcknowledgementFor(message);
        var received = message.ToMessage(_acknowledgement);
        var passed = handler(received, feed.Stopping);
        if (!passed.IsCompletedSuccessfully)
        {
            return WaitAsync(passed.AsTask(), received, feed);
        }

        BridgedMessage.Follow(passed.GetAwaiter().GetResult(), received, feed);
        return default;
    }

    public override MessageAcknowledgement? Done() => _acknowledgement;

    public override MessageHandler Another() => new BridgeHandler(handler);

    private static async ValueTask WaitAsync(Task<DeliveryReceipt> passed, MqttMessage message, MessageFeed feed) =>
        BridgedMessage.Follow(await passed.ConfigureAwait(false), message, feed);
}
