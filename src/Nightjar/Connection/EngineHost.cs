using System.Text;
using System.Text.Unicode;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Nightjar.Diagnostics;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Topics;
using Nightjar.Subscriptions;

namespace Nightjar.Connection;

/// <summary>
/// The engine's asynchronous shell: what the client asks of it, what its connection tells it, what handlers report. Each method is one entry through the
/// <see cref="EngineGate"/>; nothing is decided here.
/// </summary>
internal sealed class EngineHost
{
    private readonly EngineGate _gate;
    private readonly ClientEngine _engine;
    private readonly OutputReports _reports;
    private readonly PublishWaiterPool _waiters;
    private readonly ILogger _logger;

    public EngineHost(MqttClientOptions options)
    {
        Options = options;
        ServerName = options.Servers[0].ToString();
        ReceiveBudget = new ReceiveBudget(options.Receive.Budget, options.TimeProvider);
        _logger = options.LoggerFactory?.CreateLogger("Nightjar.MqttClient") ?? NullLogger.Instance;
        _gate = new EngineGate(this, options, _logger);
        _engine = _gate.Engine;
        _reports = _gate.Reports;
        _waiters = new PublishWaiterPool(this);
    }

    public MqttClientOptions Options { get; }

    public string ServerName { get; }

    public ReceiveBudget ReceiveBudget { get; }

    /// <summary>Held by a receive loop while it fills queues, which take one writer: the loop of a connection that is over may still be at it when the next one begins.</summary>
    public Lock Delivering { get; } = new();

    public EventFeed Events => _reports.Events;

    public Task Completion => _reports.Completion;

    public string ClientId
    {
        get
        {
            using (_gate.Enter())
            {
                return _engine.ClientId;
            }
        }
    }

    public ClientState State
    {
        get
        {
            using (_gate.Enter())
            {
                return _engine.State;
            }
        }
    }

    public ClientStatus Status
    {
        get
        {
            using (_gate.Enter())
            {
                var now = _gate.Now();
                return new ClientStatus
                {
                    State = _engine.State,
                    Server = ServerName,
                    Connection = _reports.Current,
                    LastError = _engine.LastFailure is { } failure ? Failure.ToException(failure, ServerName) : null,
                    NextAttemptIn = _engine.RetryAt == long.MaxValue ? null : TimeSpan.FromTicks(Math.Max(0, _engine.RetryAt - now)),
                    Attempts = _engine.Failures,
                    InFlight = _engine.Outbound.Session.InFlight,
                    Queued = _engine.Outbound.Queued,
                    Unacknowledged = _engine.Ledger.Waiting,
                };
            }
        }
    }

    /// <summary>Publishes; the spans are read during the call. <paramref name="payload"/> is copied.</summary>
    public ValueTask<PublishResult> Publish(
        string topic, ReadOnlySpan<byte> properties, ReadOnlySpan<byte> payload, QoS qos, bool retain, ushort alias, CancellationToken cancellationToken)
    {
        // Three bytes of UTF-8 for each char at the most; a topic that long is rare.
        const int OnTheStack = 384;
        var longest = Encoding.UTF8.GetMaxByteCount(topic.Length);
        Span<byte> utf8 = longest <= OnTheStack ? stackalloc byte[OnTheStack] : new byte[longest];
        if (Utf8.FromUtf16(topic, utf8, out _, out var length, replaceInvalidSequences: false) != System.Buffers.OperationStatus.Done
            || !TopicName.IsValid(utf8[..length]))
        {
            TopicName.ThrowIfInvalid(topic, nameof(topic));
        }

        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<PublishResult>(cancellationToken);
        }

        return Publish(
            new OutgoingPublish
            {
                Topic = utf8[..length],
                Properties = properties,
                Payload = payload,
                QoS = qos,
                Retain = retain,
                TopicAlias = alias,
            },
            cancellationToken);
    }

    public Task<ConnectResult> ConnectAsync(bool ask, CancellationToken cancellationToken)
    {
        Task<ConnectResult> connected;
        using (_gate.Enter())
        {
            ThrowIfClosed();
            connected = _reports.WhenConnected(ending: _engine.State == ClientState.Disconnected);
            if (ask)
            {
                _engine.Connect(_gate.Now());
            }
        }

        return connected.WaitAsync(cancellationToken);
    }

    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using (_gate.Enter())
        {
            ThrowIfClosed();
            if (_engine.Outbound.Flush(waiter))
            {
                return;
            }
        }

        await waiter.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Registers a subscription; it is asked for as soon as there is a connection.</summary>
    public MessageFeed Subscribe(TopicFilter filter, SubscriptionTerms terms, MessageHandler? handler)
    {
        var feed = new MessageFeed(this, filter, terms);
        if (handler is not null)
        {
            feed.TryConsume();
        }

        using (_gate.Enter())
        {
            ThrowIfClosed();
            _gate.Feeds.Add(feed);
            _engine.Subscribe(feed, _gate.Now());
        }

        if (handler is not null)
        {
            _ = Task.Run(new HandlerPump(this, feed, handler).RunAsync);
        }

        return feed;
    }

    public async ValueTask UnsubscribeAsync(MessageFeed feed)
    {
        TaskCompletionSource<ReasonCode>? answer = null;
        Task disconnected;
        using (_gate.Enter())
        {
            if (!_gate.Feeds.Remove(feed))
            {
                return;
            }

            if (_engine.State == ClientState.Connected)
            {
                answer = new TaskCompletionSource<ReasonCode>(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            _engine.Unsubscribe(feed, answer);
            disconnected = answer is null ? Task.CompletedTask : _reports.WhenDisconnected();
        }

        feed.Close();
        if (answer is not null)
        {
            // A connection that ends meanwhile answers nothing soon; the UNSUBSCRIBE itself is not forgotten.
            await Task.WhenAny(answer.Task, disconnected).ConfigureAwait(false);
        }
    }

    public Task<ReasonCode> UnsubscribeAsync(string filter, CancellationToken cancellationToken)
    {
        var answer = new TaskCompletionSource<ReasonCode>(TaskCreationOptions.RunContinuationsAsynchronously);
        List<MessageFeed> ended;
        using (_gate.Enter())
        {
            ThrowIfClosed();
            ended = [.. _engine.Unsubscribe(filter, answer, _gate.Now()).Cast<MessageFeed>()];
            _gate.Feeds.ExceptWith(ended);
        }

        ended.ForEach(feed => feed.Close());
        return answer.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Ends the connection in order; with <paramref name="final"/> the client too. The task ends when it is down.</summary>
    public Task EndAsync(DisconnectPacket packet, bool final)
    {
        Task ended;
        using (_gate.Enter())
        {
            if (_engine.State == ClientState.Closed)
            {
                return Task.CompletedTask;
            }

            ended = final ? _reports.WhenClosed() : _reports.WhenStopped();
            _engine.End(packet, final, _gate.Now());
        }

        return ended;
    }

    public void Abort()
    {
        using (_gate.Enter())
        {
            _engine.Abort(_gate.Now());
        }
    }

    /// <summary>Handlers are done with these messages.</summary>
    public void Complete(ReadOnlySpan<HandlerOutcome> outcomes)
    {
        using (_gate.Enter())
        {
            _engine.Complete(outcomes, _gate.Now());
        }
    }

    /// <summary>The waiter's token was cancelled. True: the wait was still on, and is the caller's to end.</summary>
    public bool Withdraw(PublishWaiter waiter)
    {
        using (_gate.Enter())
        {
            return _engine.Outbound.Withdraw(waiter.Ticket, waiter, out _);
        }
    }

    public void SetDialStage(ConnectStage stage)
    {
        using (_gate.Enter())
        {
            _engine.DialStage = (int)stage;
        }
    }

    /// <summary>The transport is open. Null: it is not wanted any more.</summary>
    public Inbound? Dialed(NetworkConnection connection)
    {
        Inbound? inbound;
        using (_gate.Enter())
        {
            _engine.DialStage = (int)ConnectStage.Connect;
            _engine.HandleDialed(connection.Attempt);
            inbound = _gate.Connection == connection ? _engine.Inbound : null;
        }

        return inbound;
    }

    public void TransportLost(NetworkConnection connection, CloseReason reason)
    {
        using (_gate.Enter())
        {
            _engine.HandleTransportLost(connection.Attempt, reason, _gate.Now());
        }
    }

    /// <summary>A chunk was parsed. Output is held back until <see cref="ReleaseOutput"/>.</summary>
    public void Apply(NetworkConnection connection, InboundBatch batch, ReadOnlySpan<byte> chunk)
    {
        using (_gate.Enter())
        {
            connection.HoldsOutput = true;
            _engine.Apply(connection.Attempt, batch, chunk, _gate.Now());
        }
    }

    public void ReleaseOutput(NetworkConnection connection)
    {
        using (_gate.Enter())
        {
            connection.HoldsOutput = false;
        }
    }

    /// <summary>What to wait for before more is parsed: nothing, unless the peer sends without reading.</summary>
    public Task WhenControlHasRoom(NetworkConnection connection)
    {
        TaskCompletionSource? room = null;
        using (_gate.Enter())
        {
            if (_gate.Connection == connection && _engine.Outbound.ControlIsFull)
            {
                room = connection.WhenControlHasRoom = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }

        return room?.Task ?? Task.CompletedTask;
    }

    /// <summary>The flusher's: what it writes next; false if nothing, and then it sleeps.</summary>
    public bool TakeOutput(NetworkConnection connection, OutputBatch batch, bool written)
    {
        bool any;
        bool closeOutput;
        using (_gate.Enter())
        {
            if (_gate.Connection != connection)
            {
                return false;
            }

            if (written)
            {
                _engine.HandleWritten(connection.Attempt, _gate.Now());
            }

            any = _engine.TakeOutput(batch);
            connection.Flusher!.IsBusy = any;
            closeOutput = !any && connection.CloseAfterFlush;
            connection.WhenControlHasRoom?.TrySetResult();
            connection.WhenControlHasRoom = null;
        }

        if (closeOutput)
        {
            connection.CloseOutput();
        }

        return any;
    }

    public void ReportHandlerFailure(string filter, string topic, Exception error)
    {
        Events.Publish(new ClientEvent.HandlerFailed(filter, topic, error));
        Log.HandlerFailed(_logger, filter, error);
    }

    /// <summary>What a user hung on a handler's token threw.</summary>
    public void ReportStoppingFailure(string filter, Exception error) => Log.StoppingFailed(_logger, filter, error);

    /// <summary>An episode of dropping QoS 0 messages is over.</summary>
    public void ReportDropped()
    {
        List<MessageFeed> feeds;
        using (_gate.Enter())
        {
            feeds = [.. _gate.Feeds.Where(feed => feed.Dropped > 0)];
        }

        foreach (var feed in feeds)
        {
            Events.Publish(new ClientEvent.MessagesDropped(feed.TopicFilter.Text, feed.Dropped));
            Log.MessagesDropped(_logger, feed.Dropped, feed.TopicFilter.Text);
            feed.Dropped = 0;
        }
    }

    private ValueTask<PublishResult> Publish(in OutgoingPublish message, CancellationToken cancellationToken)
    {
        PublishWaiter? waiter = null;
        ValueTask<PublishResult> task = default;
        SendLimit? refusal = null;
        var start = PublishStart.Accepted;
        using (_gate.Enter())
        {
            ThrowIfClosed();
            if (message.QoS == QoS.AtMostOnce)
            {
                start = _engine.TryBuffer(message, out refusal);
            }

            if (start == PublishStart.Accepted)
            {
                waiter = _waiters.Rent();
                task = waiter.Task;
                waiter.Ticket = _engine.Accept(message, waiter, _gate.Now());
            }
        }

        waiter?.ListenTo(cancellationToken);
        if (refusal is { } limit)
        {
            return ValueTask.FromException<PublishResult>(new MqttLimitException(limit.Message) { ReasonCode = limit.ReasonCode });
        }

        return waiter is null ? new ValueTask<PublishResult>(default(PublishResult)) : task;
    }

    private void ThrowIfClosed() => ObjectDisposedException.ThrowIf(_engine.State == ClientState.Closed, typeof(MqttClient));
}
