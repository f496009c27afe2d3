using System.Runtime.CompilerServices;
using Nightjar.Subscriptions;

namespace Nightjar;

// Passing messages on.
public sealed partial class MqttClient
{
    /// <summary>
    /// Subscribes with a handler that passes messages on, to another client or to this one, and returns the receipt: <c>a.On("sensors/#", m => b.EnqueueAsync(OutgoingMessage.From(m)))</c>. It is called for one
    /// message after the other, in order, and for the next one as soon as it has returned the receipt: many are on their way at once. Each message is acknowledged when its receipt ends as delivered, in the order of
    /// arrival, so that none is lost between the two.
    /// </summary>
    /// <remarks>
    /// A handler that throws is called again, as with any other. If the message is refused, expires or is dropped on its way, it is not tried again: the failure is logged, counted and reported as
    /// <see cref="ClientEvent.HandlerFailed"/>, and <see cref="ReceiveOptions.OnPoison"/> decides (default: it is acknowledged). If the client that it was passed to is closed, it stays unacknowledged and
    /// comes again. Of <see cref="SubscribeOptions.Acknowledge"/> only <see cref="AcknowledgeMode.AtArrival"/> makes a difference.
    /// </remarks>
    [OverloadResolutionPriority(1)] // a handler that only throws fits all overloads
    public Subscription On(string filter, Func<MqttMessage, ValueTask<DeliveryReceipt>> handler, SubscribeOptions? options = null) =>
        Bridge([filter], BridgeHandler.From(handler), options);

    /// <inheritdoc cref="On(string, Func{MqttMessage, ValueTask{DeliveryReceipt}}, SubscribeOptions?)"/>
    [OverloadResolutionPriority(1)] // a handler that only throws fits all overloads
    public Subscription On(string filter, Func<MqttMessage, CancellationToken, ValueTask<DeliveryReceipt>> handler, SubscribeOptions? options = null) =>
        Bridge([filter], BridgeHandler.From(handler), options);

    private Subscription Bridge(IEnumerable<string> filters, BridgeHandler handler, SubscribeOptions? options)
    {
        options ??= new SubscribeOptions();
        return Subscribe(
            filters,
            handler,
            options.Acknowledge == AcknowledgeMode.AtArrival ? options : options with { Acknowledge = AcknowledgeMode.Manual, AcknowledgeForgotten = false });
    }
}
