using System.Net.Sockets;
using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Topics;
using Nightjar.Testing.Broker;

namespace Nightjar.Testing;

/// <summary>
/// An MQTT broker in this process, for development and tests; it is no production broker: it keeps everything in memory and trusts its
/// callers. It speaks 3.1, 3.1.1 and 5.0 with QoS 0 to 2, retained messages, wills, shared subscriptions and sessions, and lets a test look
/// inside and interfere. Thread-safe. A client that does not read never delays another; see <see cref="MqttTestBrokerOptions.MaximumQueuedBytes"/>.
/// </summary>
/// <example>
/// <code>
/// await using var broker = new MqttTestBroker();
/// await using var client = new MqttClient(broker.Uri);
/// await client.PublishAsync("a/b", "hello");
/// Assert.Equal("hello", broker.Published[0].Text);
/// </code>
/// </example>
public sealed class MqttTestBroker : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<BrokerConnection, Task> _connections = [];
    private readonly MqttTestBrokerOptions _options;
    private readonly BrokerState _state;
    private BrokerListener? _listener;
    private int _port;
    private bool _running;
    private bool _disposed;

    /// <summary>A broker that runs and, unless told otherwise, listens.</summary>
    /// <param name="options">Default: a free port of 127.0.0.1, everybody may do everything.</param>
    /// <exception cref="SocketException">The address or port is not to be had.</exception>
    public MqttTestBroker(MqttTestBrokerOptions? options = null)
    {
        _options = options ?? new MqttTestBrokerOptions();
        _state = new BrokerState(_options);
        _port = _options.Port;
        Start();
    }

    /// <summary>The port that it listens on.</summary>
    /// <exception cref="InvalidOperationException">It does not listen.</exception>
    public int Port => _port != 0 ? _port : throw new InvalidOperationException("The broker does not listen; use ConnectInMemory, or set Listen.");

    /// <summary>Where a client reaches it: <c>mqtt://127.0.0.1:port</c>, or <c>mqtts</c> with a certificate.</summary>
    /// <exception cref="InvalidOperationException">It does not listen.</exception>
    public string Uri
    {
        get
        {
            var scheme = _options.ServerCertificate is null ? "mqtt" : "mqtts";
            var address = _options.Address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{_options.Address}]" : _options.Address.ToString();
            return $"{scheme}://{address}:{Port}";
        }
    }

    /// <summary>
    /// All messages published so far, in order, by clients, by wills and by the broker itself; a snapshot. Payloads are shared with the broker:
    /// do not write to them.
    /// </summary>
    public IReadOnlyList<MqttMessage> Published => _state.Published.From(0);

    /// <summary>The retained messages, by topic; a snapshot.</summary>
    public IReadOnlyList<MqttMessage> Retained
    {
        get
        {
            lock (_state.Gate)
            {
                var now = _state.Now;
                return [.. _state.Retained.All(now).Select(message => message.ToMessage(now))];
            }
        }
    }

    /// <summary>The identifiers of the clients that are connected now; a snapshot.</summary>
    public IReadOnlyList<string> ConnectedClients
    {
        get
        {
            lock (_state.Gate)
            {
                return [.. _state.Sessions.Connected.Select(session => session.ClientId)];
            }
        }
    }

    /// <summary>The identifiers of all sessions, of clients that are connected or may come back; a snapshot.</summary>
    public IReadOnlyList<string> Sessions
    {
        get
        {
            lock (_state.Gate)
            {
                return [.. _state.Sessions.ClientIds];
            }
        }
    }

    /// <summary>The filters that somebody subscribes to, as they were given; a snapshot.</summary>
    public IReadOnlyList<string> Subscriptions
    {
        get
        {
            lock (_state.Gate)
            {
                return [.. _state.Subscriptions.Filters];
            }
        }
    }

    /// <summary>How many messages were dropped because a client did not read or a session was full.</summary>
    public long Dropped => _state.Dropped;

    /// <summary>A client's end of a new connection, without a socket. With a manual clock in the options, nothing then happens by itself in time.</summary>
    /// <param name="capacity">Bytes under way in each direction.</param>
    /// <exception cref="ObjectDisposedException">The broker is disposed.</exception>
    /// <exception cref="InvalidOperationException">The broker is stopped.</exception>
    public Stream ConnectInMemory(int capacity = 65_536)
    {
        var (client, server) = InMemoryStream.CreatePair(capacity);
        if (!TryServe(server, out _))
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            throw new InvalidOperationException("The broker is stopped; start it first.");
        }

        return client;
    }

    /// <summary>
    /// Publishes a message of the broker's own, as if a client had. Done when it returns: the messages are on their way. Returns how many sessions it went to.
    /// </summary>
    /// <exception cref="ArgumentException">The topic is no topic name.</exception>
    public ValueTask<int> PublishAsync(OutgoingMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        TopicName.ThrowIfInvalid(message.Topic, nameof(message));
        var published = BrokerMessage.From(message, _state.Now);
        lock (_state.Gate)
        {
            return ValueTask.FromResult(_state.Publish(published));
        }
    }

    /// <summary>Publishes a text; see the other overload.</summary>
    /// <exception cref="ArgumentException">The topic is no topic name.</exception>
    public ValueTask<int> PublishAsync(string topic, string text, QoS qos = QoS.AtLeastOnce, bool retain = false) =>
        PublishAsync(new OutgoingMessage(topic, text) { QoS = qos, Retain = retain });

    /// <summary>Completes as soon as somebody subscribes to exactly this filter.</summary>
    /// <exception cref="TimeoutException">Nobody did within <see cref="MqttTestBrokerOptions.Patience"/>.</exception>
    public Task WaitForSubscriptionAsync(string filter, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        return WaitAsync(
            state => state.Subscriptions.Contains(filter),
            () => $"Nobody subscribed to '{filter}'; there are: {string.Join(", ", Subscriptions)}.",
            cancellationToken);
    }

    /// <summary>Completes as soon as so many clients are connected, or more.</summary>
    /// <exception cref="TimeoutException">They did not within <see cref="MqttTestBrokerOptions.Patience"/>.</exception>
    public Task WaitForClientsAsync(int count = 1, CancellationToken cancellationToken = default) => WaitAsync(
        state => state.Sessions.Connected.Count() >= count,
        () => $"Fewer than {count} clients connected: {string.Join(", ", ConnectedClients)}.",
        cancellationToken);

    /// <summary>Completes as soon as no client is connected.</summary>
    /// <exception cref="TimeoutException">One still was after <see cref="MqttTestBrokerOptions.Patience"/>.</exception>
    public Task WaitForNoClientsAsync(CancellationToken cancellationToken = default) => WaitAsync(
        state => !state.Sessions.Connected.Any(),
        () => $"Still connected: {string.Join(", ", ConnectedClients)}.",
        cancellationToken);

    /// <summary>The first message like this, published already or later.</summary>
    /// <exception cref="TimeoutException">None came within <see cref="MqttTestBrokerOptions.Patience"/>.</exception>
    public Task<MqttMessage> WaitForPublishedAsync(Func<MqttMessage, bool> predicate, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(predicate);
        return PatientlyAsync(token => _state.Published.FindAsync(predicate, token), NothingPublished, cancellationToken);
    }

    /// <summary>All messages, as soon as so many are published, or more.</summary>
    /// <exception cref="TimeoutException">They were not within <see cref="MqttTestBrokerOptions.Patience"/>.</exception>
    public Task<IReadOnlyList<MqttMessage>> WaitForPublishedAsync(int count, CancellationToken cancellationToken = default) =>
        PatientlyAsync(token => _state.Published.CountAsync(count, token), NothingPublished, cancellationToken);

    /// <summary>Refuses the next CONNECT; called several times, as many of them, in this order. Before 5.0 only the reasons that those versions know are sent.</summary>
    /// <param name="reason">A failure that CONNACK can name (MQTT 5, 3.2.2.2).</param>
    /// <param name="reasonString">5.0: a text for people.</param>
    /// <exception cref="ArgumentOutOfRangeException">The reason is no such failure.</exception>
    public void RefuseNext(ReasonCode reason, string? reasonString = null)
    {
        if (!reason.IsFailure() || !ReasonCodeTable.IsLegal(reason, PacketType.ConnAck, PacketSender.Server))
        {
            throw new ArgumentOutOfRangeException(nameof(reason), reason, "CONNACK cannot refuse with this code; see MQTT 5, 3.2.2.2.");
        }

        _state.RefuseNext(reason, reasonString);
    }

    /// <summary>Cuts all connections without a DISCONNECT, as a dead network would; sessions and wills go on as the protocol says.</summary>
    public void DropConnections()
    {
        BrokerConnection[] connections;
        lock (_gate)
        {
            connections = [.. _connections.Keys];
        }

        lock (_state.Gate)
        {
            foreach (var connection in connections)
            {
                _state.Sessions.Detach(connection);
            }
        }

        foreach (var connection in connections)
        {
            connection.Abort();
        }

        _state.Changed.Raise();
    }

    /// <summary>Stops: cuts all connections and closes the port. Sessions, retained messages and what was published stay for <see cref="Start"/>.</summary>
    /// <param name="forget">Forgets all that instead, wills included, as a broker without persistence that crashes.</param>
    public async Task StopAsync(bool forget = false)
    {
        BrokerListener? listener;
        lock (_gate)
        {
            _running = false;
            listener = _listener;
            _listener = null;
        }

        if (listener is not null)
        {
            await listener.DisposeAsync().ConfigureAwait(false);
        }

        if (forget)
        {
            lock (_state.Gate)
            {
                _state.Sessions.Clear();
                _state.Retained.Clear();
            }
        }

        DropConnections();
        Task[] running;
        lock (_gate)
        {
            running = [.. _connections.Values];
        }

        await Task.WhenAll(running).ConfigureAwait(false);
    }

    /// <summary>Starts again after <see cref="StopAsync"/>, on the same port. Does nothing if the broker runs.</summary>
    /// <exception cref="SocketException">The port was taken in the meantime.</exception>
    /// <exception cref="ObjectDisposedException">The broker is disposed.</exception>
    public void Start()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_running)
            {
                return;
            }

            if (_options.Listen)
            {
                _listener = new BrokerListener(_options, _port, ServeAsync);
                _port = _listener.EndPoint.Port;
            }

            _running = true;
        }
    }

    /// <summary>Cuts all connections, sends no wills, and frees the port.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _disposed = true;
        }

        await StopAsync(forget: true).ConfigureAwait(false);
    }

    private string NothingPublished()
    {
        var published = Published;
        return $"{published.Count} messages were published; the last: {string.Join("; ", published.TakeLast(8))}.";
    }

    private bool TryServe(Stream stream, out Task served)
    {
        served = Task.CompletedTask;
        lock (_gate)
        {
            if (_running)
            {
                var connection = new BrokerConnection(_state, stream);
                served = Task.Run(() => RunAsync(connection));
                _connections.Add(connection, served);
            }

            return _running;
        }
    }

    private async Task ServeAsync(Stream stream)
    {
        if (TryServe(stream, out var served))
        {
            await served.ConfigureAwait(false);
        }
        else
        {
            await stream.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task RunAsync(BrokerConnection connection)
    {
        try
        {
            await connection.RunAsync().ConfigureAwait(false);
        }
        finally
        {
            lock (_gate)
            {
                _connections.Remove(connection);
            }
        }
    }

    private Task<bool> WaitAsync(Func<BrokerState, bool> condition, Func<string> explain, CancellationToken cancellationToken) => PatientlyAsync(
        async token =>
        {
            while (true)
            {
                var changed = _state.Changed.Next;
                lock (_state.Gate)
                {
                    if (condition(_state))
                    {
                        return true;
                    }
                }

                await changed.WaitAsync(token).ConfigureAwait(false);
            }
        },
        explain,
        cancellationToken);

    private async Task<T> PatientlyAsync<T>(Func<CancellationToken, Task<T>> wait, Func<string> explain, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(_options.Patience);
        try
        {
            return await wait(deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"Waited {_options.Patience.TotalSeconds} s. {explain()}", e);
        }
    }
}
