using System.Buffers;

namespace Nightjar;

/// <summary>
/// An MQTT client: one session over as many connections as it takes. It connects on first use or on <see cref="ConnectAsync"/>, re-establishes a
/// lost connection, sends again what was on its way, and restores subscriptions. Thread-safe; every call is legal in every state and from any handler.
/// </summary>
public sealed class MqttClient : IAsyncDisposable
{
    /// <summary>A client with default options. Throws <see cref="ArgumentException"/> for a URI that is none.</summary>
    /// <param name="uri"><c>mqtt://host</c>, <c>mqtts://user:p%40ss@host:8884</c>.</param>
    public MqttClient(string uri)
        : this(new MqttClientOptions(uri))
    {
    }

    /// <summary>A client with a snapshot of these options. Throws <see cref="ArgumentException"/> that lists all conflicts.</summary>
    public MqttClient(MqttClientOptions options) => throw new NotSupportedException("skeleton");

    /// <summary>The client identifier in use: the one given, the generated one, or the server's once it assigned one.</summary>
    public string ClientId => throw new NotSupportedException("skeleton");

    /// <summary>Where the client is.</summary>
    public ClientState State => throw new NotSupportedException("skeleton");

    /// <summary>What it does and why, at this moment.</summary>
    public ClientStatus Status => throw new NotSupportedException("skeleton");

    /// <summary>What happens, from the moment of enumerating; each reader has its own queue of the last 1,024 events.</summary>
    public IAsyncEnumerable<ClientEvent> Events => throw new NotSupportedException("skeleton");

    /// <summary>Ends when the client is closed; faults if it gave up (reconnecting is off, or a failure is permanent).</summary>
    public Task Completion => throw new NotSupportedException("skeleton");

    /// <summary>Connects and waits for CONNACK; at once if connected. Throws <see cref="MqttConnectException"/>.</summary>
    public Task<ConnectResult> ConnectAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException("skeleton");

    /// <summary>Waits until there is a connection; asks for none.</summary>
    public Task WhenConnectedAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException("skeleton");

    /// <summary>
    /// Publishes. QoS 0 completes when buffered, QoS 1 and 2 when the server has acknowledged. Cancelling ends the wait; before the first byte was
    /// sent it also withdraws the message. Throws <see cref="MqttRefusedException"/> if the server refuses it, <see cref="MqttLimitException"/> if a limit of the server forbids it.
    /// </summary>
    public ValueTask<PublishResult> PublishAsync(
        string topic, ReadOnlyMemory<byte> payload, QoS qos = QoS.AtLeastOnce, bool retain = false, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException("skeleton");

    /// <inheritdoc cref="PublishAsync(string, ReadOnlyMemory{byte}, QoS, bool, CancellationToken)"/>
    public ValueTask<PublishResult> PublishAsync(
        string topic, ReadOnlySequence<byte> payload, QoS qos = QoS.AtLeastOnce, bool retain = false, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException("skeleton");

    /// <summary>Publishes text as UTF-8; else as the overload for memory.</summary>
    public ValueTask<PublishResult> PublishAsync(
        string topic, string text, QoS qos = QoS.AtLeastOnce, bool retain = false, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException("skeleton");

    /// <summary>Publishes a message with all that MQTT 5 can say about it.</summary>
    public ValueTask<PublishResult> PublishAsync(OutgoingMessage message, CancellationToken cancellationToken = default) => throw new NotSupportedException("skeleton");

    /// <summary>Publishes a copy of the span, which may be used again as soon as the call returns.</summary>
    public ValueTask<PublishResult> PublishCopyAsync(
        string topic, ReadOnlySpan<byte> payload, QoS qos = QoS.AtLeastOnce, bool retain = false, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException("skeleton");

    /// <summary>Waits until all that was published before is handed to the transport.</summary>
    public ValueTask FlushAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException("skeleton");

    /// <summary>Subscribes; the result is the sequence of messages. Registered at the call, whether or not there is a connection.</summary>
    public Subscription Subscribe(string filter, SubscribeOptions? options = null) => throw new NotSupportedException("skeleton");

    /// <summary>
    /// Subscribes with a handler, called for one message after the other, in order. The message is acknowledged when the handler's task ends. One that throws is called
    /// again (<see cref="ReceiveOptions.HandlerRetries"/>); after that the failure is logged and reported as an event, and the message acknowledged. The token is cancelled when the subscription or the client is disposed.
    /// </summary>
    public Subscription On(string filter, Func<MqttMessage, CancellationToken, ValueTask> handler, SubscribeOptions? options = null) => throw new NotSupportedException("skeleton");

    /// <inheritdoc cref="On(string, Func{MqttMessage, CancellationToken, ValueTask}, SubscribeOptions?)"/>
    public Subscription On(string filter, Func<MqttMessage, ValueTask> handler, SubscribeOptions? options = null) => throw new NotSupportedException("skeleton");

    /// <inheritdoc cref="On(string, Func{MqttMessage, CancellationToken, ValueTask}, SubscribeOptions?)"/>
    public Subscription On(string filter, Action<MqttMessage> handler, SubscribeOptions? options = null) => throw new NotSupportedException("skeleton");

    /// <summary>As <see cref="On(string, Func{MqttMessage, CancellationToken, ValueTask}, SubscribeOptions?)"/>, with the message still in the receive buffer: no copy, no allocation.</summary>
    public Subscription OnLeased(string filter, Func<LeasedMessage, CancellationToken, ValueTask> handler, SubscribeOptions? options = null) =>
        throw new NotSupportedException("skeleton");

    /// <inheritdoc cref="OnLeased(string, Func{LeasedMessage, CancellationToken, ValueTask}, SubscribeOptions?)"/>
    public Subscription OnLeased(string filter, Action<LeasedMessage> handler, SubscribeOptions? options = null) => throw new NotSupportedException("skeleton");

    /// <summary>
    /// Sends UNSUBSCRIBE for a filter that this client need not have subscribed to itself (a resumed session may hold it), and ends its own subscriptions to it.
    /// Returns the server's code.
    /// </summary>
    public Task<ReasonCode> UnsubscribeAsync(string filter, CancellationToken cancellationToken = default) => throw new NotSupportedException("skeleton");

    /// <summary>Sends DISCONNECT after all that was published before and stays down until asked to connect.</summary>
    public Task DisconnectAsync(DisconnectOptions? options = null, CancellationToken cancellationToken = default) => throw new NotSupportedException("skeleton");

    /// <summary>Cuts the connection without DISCONNECT, so that the server publishes the will, and closes the client.</summary>
    public void Abort() => throw new NotSupportedException("skeleton");

    /// <summary>Connects, runs until the token is cancelled, then disposes. Throws if the client gives up.</summary>
    public Task RunAsync(CancellationToken cancellationToken) => throw new NotSupportedException("skeleton");

    /// <summary>Waits up to <see cref="MqttClientOptions.DrainTimeout"/> for what is on its way, sends DISCONNECT, closes. Never waits for user code, never throws; may be called from a handler.</summary>
    public ValueTask DisposeAsync() => throw new NotSupportedException("skeleton");
}
