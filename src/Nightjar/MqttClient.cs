using System.Buffers;
using System.Text;
using Nightjar.Connection;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Topics;
using Nightjar.Subscriptions;

namespace Nightjar;

/// <summary>
/// An MQTT client: one session over as many connections as it takes. It connects on first use or on <see cref="ConnectAsync"/>, re-establishes a
/// lost connection, sends again what was on its way, and restores subscriptions. Thread-safe; every call is legal in every state and from any handler.
/// </summary>
public sealed class MqttClient : IAsyncDisposable
{
    private readonly EngineHost _host;

    /// <summary>A client with default options. Throws <see cref="UriFormatException"/> for a URI that is none.</summary>
    /// <param name="uri"><c>mqtt://host</c>, <c>mqtts://user:p%40ss@host:8884</c>.</param>
    public MqttClient(string uri)
        : this(new MqttClientOptions(uri))
    {
    }

    /// <summary>A client with a snapshot of these options. Throws <see cref="ArgumentException"/> that lists all conflicts.</summary>
    public MqttClient(MqttClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _host = new EngineHost(options.Snapshot());
    }

    /// <summary>The client identifier in use: the one given, the generated one, or the server's once it assigned one.</summary>
    public string ClientId => _host.ClientId;

    /// <summary>Where the client is.</summary>
    public ClientState State => _host.State;

    /// <summary>What it does and why, at this moment.</summary>
    public ClientStatus Status => _host.Status;

    /// <summary>What happens, from the moment of enumerating; each reader has its own queue of the last 1,024 events.</summary>
    public IAsyncEnumerable<ClientEvent> Events => _host.Events;

    /// <summary>
    /// Ends when the client is closed; faults when it gives up (reconnecting is off, or the first connection could not be made). A client that gave up can be
    /// asked to connect again; reading this again then waits for what comes of it.
    /// </summary>
    public Task Completion => _host.Completion;

    /// <summary>Connects and waits for CONNACK; at once if connected. Throws <see cref="MqttConnectException"/>.</summary>
    public Task<ConnectResult> ConnectAsync(CancellationToken cancellationToken = default) => _host.ConnectAsync(ask: true, cancellationToken);

    /// <summary>Waits until there is a connection; asks for none.</summary>
    public Task WhenConnectedAsync(CancellationToken cancellationToken = default) => _host.ConnectAsync(ask: false, cancellationToken);

    /// <summary>
    /// Publishes. QoS 0 completes when buffered, QoS 1 and 2 when the server has acknowledged. Cancelling ends the wait; before the first byte was
    /// sent it also withdraws the message. Throws <see cref="MqttRefusedException"/> if the server refuses it, <see cref="MqttLimitException"/> if a limit of the server forbids it.
    /// </summary>
    public ValueTask<PublishResult> PublishAsync(
        string topic, ReadOnlyMemory<byte> payload, QoS qos = QoS.AtLeastOnce, bool retain = false, CancellationToken cancellationToken = default)
    {
        ThrowIfInvalid(topic, qos);
        return _host.Publish(topic, default, payload.Span, qos, retain, alias: 0, cancellationToken);
    }

    /// <inheritdoc cref="PublishAsync(string, ReadOnlyMemory{byte}, QoS, bool, CancellationToken)"/>
    public ValueTask<PublishResult> PublishAsync(
        string topic, ReadOnlySequence<byte> payload, QoS qos = QoS.AtLeastOnce, bool retain = false, CancellationToken cancellationToken = default)
    {
        ThrowIfInvalid(topic, qos);
        return Publish(topic, default, payload, qos, retain, alias: 0, cancellationToken);
    }

    /// <summary>Publishes text as UTF-8; else as the overload for memory.</summary>
    public ValueTask<PublishResult> PublishAsync(
        string topic, string text, QoS qos = QoS.AtLeastOnce, bool retain = false, CancellationToken cancellationToken = default)
    {
        ThrowIfInvalid(topic, qos);
        ArgumentNullException.ThrowIfNull(text);
        var rented = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
        try
        {
            var length = Encoding.UTF8.GetBytes(text, rented);
            return _host.Publish(topic, default, rented.AsSpan(0, length), qos, retain, alias: 0, cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>Publishes a message with all that MQTT 5 can say about it.</summary>
    public ValueTask<PublishResult> PublishAsync(OutgoingMessage message, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        ThrowIfInvalid(message.Topic, message.QoS);
        var alias = message.TopicAlias ?? 0;
        if (!message.HasProperties())
        {
            return Publish(message.Topic, default, message.Payload, message.QoS, message.Retain, alias, cancellationToken);
        }

        var properties = new ArrayBufferWriter<byte>();
        OutgoingProperties.Write(message, properties);
        return Publish(message.Topic, properties.WrittenSpan, message.Payload, message.QoS, message.Retain, alias, cancellationToken);
    }

    /// <summary>Publishes a copy of the span, which may be used again as soon as the call returns.</summary>
    public ValueTask<PublishResult> PublishCopyAsync(
        string topic, ReadOnlySpan<byte> payload, QoS qos = QoS.AtLeastOnce, bool retain = false, CancellationToken cancellationToken = default)
    {
        ThrowIfInvalid(topic, qos);
        return _host.Publish(topic, default, payload, qos, retain, alias: 0, cancellationToken);
    }

    /// <summary>Waits until all that was published before is handed to the transport.</summary>
    public ValueTask FlushAsync(CancellationToken cancellationToken = default) => _host.FlushAsync(cancellationToken);

    /// <summary>Subscribes; the result is the sequence of messages. Registered at the call, whether or not there is a connection.</summary>
    public Subscription Subscribe(string filter, SubscribeOptions? options = null) => Subscribe(filter, handler: null, options);

    /// <summary>
    /// Subscribes with a handler, called for one message after the other, in order. The message is acknowledged when the handler's task ends. One that throws is called
    /// again (<see cref="ReceiveOptions.HandlerRetries"/>); after that the failure is logged and reported as an event, and the message acknowledged. The token is cancelled when the subscription or the client is disposed.
    /// </summary>
    public Subscription On(string filter, Func<MqttMessage, CancellationToken, ValueTask> handler, SubscribeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Subscribe(filter, new MessageHandler.Safe(handler), options);
    }

    /// <inheritdoc cref="On(string, Func{MqttMessage, CancellationToken, ValueTask}, SubscribeOptions?)"/>
    public Subscription On(string filter, Func<MqttMessage, ValueTask> handler, SubscribeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Subscribe(filter, new MessageHandler.Safe((message, _) => handler(message)), options);
    }

    /// <inheritdoc cref="On(string, Func{MqttMessage, CancellationToken, ValueTask}, SubscribeOptions?)"/>
    public Subscription On(string filter, Action<MqttMessage> handler, SubscribeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Subscribe(
            filter,
            new MessageHandler.Safe((message, _) =>
            {
                handler(message);
                return default;
            }),
            options);
    }

    /// <summary>As <see cref="On(string, Func{MqttMessage, CancellationToken, ValueTask}, SubscribeOptions?)"/>, with the message still in the receive buffer: no copy, no allocation.</summary>
    public Subscription OnLeased(string filter, Func<LeasedMessage, CancellationToken, ValueTask> handler, SubscribeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Subscribe(filter, new MessageHandler.Leased(handler), options);
    }

    /// <inheritdoc cref="OnLeased(string, Func{LeasedMessage, CancellationToken, ValueTask}, SubscribeOptions?)"/>
    public Subscription OnLeased(string filter, Action<LeasedMessage> handler, SubscribeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Subscribe(
            filter,
            new MessageHandler.Leased((message, _) =>
            {
                handler(message);
                return default;
            }),
            options);
    }

    /// <summary>
    /// Sends UNSUBSCRIBE for a filter that this client need not have subscribed to itself (a resumed session may hold it), and ends its own subscriptions to it.
    /// Returns the server's code.
    /// </summary>
    public Task<ReasonCode> UnsubscribeAsync(string filter, CancellationToken cancellationToken = default) => _host.UnsubscribeAsync(TopicFilter.Parse(filter).Text, cancellationToken);

    /// <summary>Sends DISCONNECT after all that was published before and stays down until asked to connect.</summary>
    public Task DisconnectAsync(DisconnectOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new DisconnectOptions();
        options.ThrowIfInvalid(nameof(options));
        return _host.EndAsync(ToPacket(options), final: false).WaitAsync(cancellationToken);
    }

    /// <summary>Cuts the connection without DISCONNECT, so that the server publishes the will, and closes the client.</summary>
    public void Abort() => _host.Abort();

    /// <summary>Connects, runs until the token is cancelled, then disposes. Throws if the client gives up.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await ConnectAsync(cancellationToken).ConfigureAwait(false);
            await Completion.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // That is how running ends.
        }
        finally
        {
            await DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Waits up to <see cref="MqttClientOptions.DrainTimeout"/> for what is on its way, sends DISCONNECT, closes. Never waits for user code, never throws; may be called from a handler.</summary>
    public ValueTask DisposeAsync() => new(_host.EndAsync(new DisconnectPacket(), final: true));

    private static void ThrowIfInvalid(string topic, QoS qos)
    {
        ArgumentNullException.ThrowIfNull(topic);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((int)qos, (int)QoS.ExactlyOnce, nameof(qos));
    }

    private static DisconnectPacket ToPacket(DisconnectOptions options) => new()
    {
        ReasonCode = options.ReasonCode,
        ReasonString = options.ReasonString,
        SessionExpiryInterval = options.SessionExpiryInterval is { } expiry ? EngineSettingsFactory.ToSeconds(expiry) : null,
        UserProperties = options.UserProperties,
    };

    private ValueTask<PublishResult> Publish(
        string topic, ReadOnlySpan<byte> properties, in ReadOnlySequence<byte> payload, QoS qos, bool retain, ushort alias, CancellationToken cancellationToken)
    {
        if (payload.IsSingleSegment)
        {
            return _host.Publish(topic, properties, payload.FirstSpan, qos, retain, alias, cancellationToken);
        }

        var length = checked((int)payload.Length);
        var rented = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            payload.CopyTo(rented);
            return _host.Publish(topic, properties, rented.AsSpan(0, length), qos, retain, alias, cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private Subscription Subscribe(string filter, MessageHandler? handler, SubscribeOptions? options)
    {
        var parsed = TopicFilter.Parse(filter);
        options ??= new SubscribeOptions();
        options.ThrowIfInvalid(nameof(options));
        if (options.NoLocal && parsed.IsShared)
        {
            throw new ArgumentException(
                $"The subscription to '{filter}' is shared and asks for NoLocal, which the protocol forbids [MQTT5-3.8.3-4]; leave one of the two out.", nameof(options));
        }

        var terms = new SubscriptionTerms(
            options.QoS, options.NoLocal, options.RetainAsPublished, options.RetainHandling, options.SubscriptionIdentifier, options.UserProperties);
        return new Subscription(_host, _host.Subscribe(parsed, terms, handler), hasHandler: handler is not null);
    }
}
