using Nightjar.Subscriptions;

namespace Nightjar;

// Messages that are read as they arrive.
public sealed partial class MqttClient
{
    /// <summary>
    /// Subscribes with a handler that reads each payload as it arrives, called for one message after the other. The message is acknowledged when the handler's task ends and its
    /// last byte has come; a handler that ends early leaves the rest unread, and it is discarded.
    /// </summary>
    /// <remarks>
    /// <para>Messages up to <see cref="ReceiveOptions.MaximumPacketSize"/> are held whole as always. Larger ones, up to <see cref="ReceiveOptions.MaximumStreamedPacketSize"/>,
    /// take 128 KiB and a little more, whatever their length: while their payload is not being read, the client reads nothing else from the network either, so read them promptly.
    /// A handler must not wait for the acknowledgement of a publish before it has read its payload: it would lie behind it.</para>
    /// <para>If the connection ends in the middle, reading throws <see cref="MqttDisconnectedException"/>, and what the handler then throws is no failure: at QoS 1 and 2 the
    /// message comes again from its beginning. A handler that throws otherwise is tried again (<see cref="ReceiveOptions.HandlerRetries"/>) only for messages that were held whole.</para>
    /// <para>Other subscriptions that match a message above MaximumPacketSize do not get it; <see cref="ClientEvent.MessageSkipped"/> says so.</para>
    /// </remarks>
    public Subscription OnStream(string filter, Func<StreamedMessage, CancellationToken, ValueTask> handler, SubscribeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Subscribe([filter], new MessageHandler.Streamed(handler), options);
    }
}
