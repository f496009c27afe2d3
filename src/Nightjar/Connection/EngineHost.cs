using System.Text;
using System.Text.Unicode;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Nightjar.Diagnostics;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Topics;
using Nightjar.Subscriptions;
using Nightjar.Transport;

namespace Nightjar.Connection;

/// <summary>
/// The engine's asynchronous shell: one lock around it, one timer for its deadline, one connection at a time. Each entry follows the same steps: take the lock, tell the
/// engine, collect what that leads to, release the lock, carry it out. Nothing is decided here.
/// </summary>
internal sealed class EngineHost
{
    private readonly Lock _gate = new();
    private readonly ClientEngine _engine;
    private readonly PublishWaiterPool _waiters;
    private readonly ITransport _transport;
    private readonly OutputReports _reports;
    private readonly HashSet<MessageFeed> _feeds = [];
    private readonly ITimer _timer;
    private readonly ILogger _logger;
    private readonly long _started;
    private long _armedFor = long.MaxValue;
    private NetworkConnection? _connection;
    private Effects? _spare;

    public EngineHost(MqttClientOptions options)
    {
        Options = options;
        ServerName = options.Servers[0].ToString();
        ReceiveBudget = new ReceiveBudget(options.Receive.Budget, options.TimeProvider);
        _started = options.TimeProvider.GetTimestamp();
        _engine = new ClientEngine(EngineSettingsFactory.Create(options));
        _waiters = new PublishWaiterPool(this);
        _transport = TransportFactory.For(options.Servers[0]);
        _logger = options.LoggerFactory?.CreateLogger("Nightjar.MqttClient") ?? NullLogger.Instance;
        _reports = new OutputReports(ServerName);
        _timer = options.TimeProvider.CreateTimer(static state => ((EngineHost)state!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
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
            lock (_gate)
            {
                return _engine.ClientId;
            }
        }
    }

    public ClientState State
    {
        get
        {
            lock (_gate)
            {
                return _engine.State;
            }
        }
    }

    public ClientStatus Status
    {
        get
        {
            lock (_gate)
            {
                var now = Now();
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
        Effects? effects;
        Flusher? flush;
        lock (_gate)
        {
            ThrowIfClosed();
            connected = _reports.WhenConnected(ending: _engine.State == ClientState.Disconnected);
            if (ask)
            {
                _engine.Connect(Now());
            }

            effects = Collect(out flush);
        }

        CarryOut(effects, flush);
        return connected.WaitAsync(cancellationToken);
    }

    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
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

        Effects? effects;
        Flusher? flush;
        lock (_gate)
        {
            ThrowIfClosed();
            _feeds.Add(feed);
            _engine.Subscribe(feed, Now());
            effects = Collect(out flush);
        }

        if (handler is not null)
        {
            _ = Task.Run(new HandlerPump(this, feed, handler).RunAsync);
        }

        CarryOut(effects, flush);
        return feed;
    }

    public async ValueTask UnsubscribeAsync(MessageFeed feed)
    {
        TaskCompletionSource<ReasonCode>? answer = null;
        Task disconnected;
        Effects? effects;
        Flusher? flush;
        lock (_gate)
        {
            if (!_feeds.Remove(feed))
            {
                return;
            }

            if (_engine.State == ClientState.Connected)
            {
                answer = new TaskCompletionSource<ReasonCode>(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            _engine.Unsubscribe(feed, answer);
            disconnected = answer is null ? Task.CompletedTask : _reports.WhenDisconnected();
            effects = Collect(out flush);
        }

        CarryOut(effects, flush);
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
        Effects? effects;
        Flusher? flush;
        lock (_gate)
        {
            ThrowIfClosed();
            ended = [.. _engine.Unsubscribe(filter, answer, Now()).Cast<MessageFeed>()];
            _feeds.ExceptWith(ended);
            effects = Collect(out flush);
        }

        CarryOut(effects, flush);
        ended.ForEach(feed => feed.Close());
        return answer.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Ends the connection in order; with <paramref name="final"/> the client too. The task ends when it is down.</summary>
    public Task EndAsync(DisconnectPacket packet, bool final)
    {
        Task ended;
        Effects? effects;
        Flusher? flush;
        lock (_gate)
        {
            if (_engine.State == ClientState.Closed)
            {
                return Task.CompletedTask;
            }

            ended = final ? _reports.WhenClosed() : _reports.WhenStopped();
            _engine.End(packet, final, Now());
            effects = Collect(out flush);
        }

        CarryOut(effects, flush);
        return ended;
    }

    public void Abort()
    {
        Effects? effects;
        lock (_gate)
        {
            _engine.Abort(Now());
            effects = Collect(out _);
        }

        CarryOut(effects, flush: null);
    }

    /// <summary>Handlers are done with these messages.</summary>
    public void Complete(ReadOnlySpan<HandlerOutcome> outcomes)
    {
        Effects? effects;
        Flusher? flush;
        lock (_gate)
        {
            _engine.Complete(outcomes, Now());
            effects = Collect(out flush);
        }

        CarryOut(effects, flush);
    }

    /// <summary>The waiter's token was cancelled. True: the wait was still on, and is the caller's to end.</summary>
    public bool Withdraw(PublishWaiter waiter)
    {
        lock (_gate)
        {
            return _engine.Outbound.Withdraw(waiter.Ticket, waiter, out _);
        }
    }

    public void SetDialStage(ConnectStage stage)
    {
        lock (_gate)
        {
            _engine.DialStage = (int)stage;
        }
    }

    /// <summary>The transport is open. Null: it is not wanted any more.</summary>
    public Inbound? Dialed(NetworkConnection connection)
    {
        Inbound? inbound;
        Effects? effects;
        Flusher? flush;
        lock (_gate)
        {
            _engine.DialStage = (int)ConnectStage.Connect;
            _engine.HandleDialed(connection.Attempt, Now());
            inbound = _connection == connection ? _engine.Inbound : null;
            effects = Collect(out flush);
        }

        CarryOut(effects, flush);
        return inbound;
    }

    public void TransportLost(NetworkConnection connection, CloseReason reason)
    {
        Effects? effects;
        Flusher? flush;
        lock (_gate)
        {
            if (reason.Kind == CloseKind.DialFailed)
            {
                _engine.HandleDialFailed(connection.Attempt, reason, Now());
            }
            else
            {
                _engine.HandleTransportLost(connection.Attempt, reason, Now());
            }

            effects = Collect(out flush);
        }

        CarryOut(effects, flush);
    }

    /// <summary>A chunk was parsed. Output is held back until <see cref="ReleaseOutput"/>.</summary>
    public void Apply(NetworkConnection connection, InboundBatch batch, ReadOnlySpan<byte> chunk)
    {
        Effects? effects;
        lock (_gate)
        {
            connection.HoldsOutput = true;
            _engine.Apply(connection.Attempt, batch, chunk, Now());
            effects = Collect(out _);
        }

        CarryOut(effects, flush: null);
    }

    public void ReleaseOutput(NetworkConnection connection)
    {
        Flusher? flush;
        lock (_gate)
        {
            connection.HoldsOutput = false;
            flush = FlusherToWake();
        }

        CarryOut(effects: null, flush);
    }

    /// <summary>What to wait for before more is parsed: nothing, unless the peer sends without reading.</summary>
    public Task WhenControlHasRoom(NetworkConnection connection)
    {
        lock (_gate)
        {
            if (_connection != connection || !_engine.Outbound.ControlIsFull)
            {
                return Task.CompletedTask;
            }

            connection.WhenControlHasRoom = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return connection.WhenControlHasRoom.Task;
        }
    }

    /// <summary>The flusher's: what it writes next; false if nothing, and then it sleeps.</summary>
    public bool TakeOutput(NetworkConnection connection, OutputBatch batch, bool written)
    {
        Effects? effects;
        Flusher? flush;
        bool any;
        bool closeOutput;
        lock (_gate)
        {
            if (_connection != connection)
            {
                return false;
            }

            if (written)
            {
                _engine.HandleWritten(connection.Attempt, Now());
            }

            any = _engine.TakeOutput(batch);
            connection.Flusher!.IsBusy = any;
            closeOutput = !any && connection.CloseAfterFlush;
            connection.WhenControlHasRoom?.TrySetResult();
            connection.WhenControlHasRoom = null;
            effects = Collect(out flush);
        }

        CarryOut(effects, flush);
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
        lock (_gate)
        {
            feeds = [.. _feeds.Where(feed => feed.Dropped > 0)];
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
        Effects? effects;
        Flusher? flush;
        lock (_gate)
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
                waiter.Ticket = _engine.Accept(message, waiter, Now());
            }

            effects = Collect(out flush);
        }

        waiter?.ListenTo(cancellationToken);
        CarryOut(effects, flush);
        if (refusal is { } limit)
        {
            return ValueTask.FromException<PublishResult>(new MqttLimitException(limit.Message) { ReasonCode = limit.ReasonCode });
        }

        return waiter is null ? new ValueTask<PublishResult>(default(PublishResult)) : task;
    }

    private void OnTimer()
    {
        Effects? effects;
        Flusher? flush;
        lock (_gate)
        {
            _armedFor = long.MaxValue;
            var now = Now();
            if (_connection is { IsPaused: true })
            {
                _engine.HandlePaused(now);
            }

            _engine.Advance(now);
            effects = Collect(out flush);
        }

        CarryOut(effects, flush);
    }

    /// <summary>Ticks of 100 ns since the client was made.</summary>
    private long Now() => Options.TimeProvider.GetElapsedTime(_started).Ticks;

    private void ThrowIfClosed() => ObjectDisposedException.ThrowIf(_engine.State == ClientState.Closed, typeof(MqttClient));

    /// <summary>The flusher that somebody has to wake; the caller then does, without the lock. It is that of this moment: by then there may be another connection.</summary>
    private Flusher? FlusherToWake()
    {
        if (_connection is not { HoldsOutput: false, Flusher: { IsBusy: false } flusher } || !_engine.Outbound.HasOutput)
        {
            return null;
        }

        flusher.IsBusy = true;
        return flusher;
    }

    /// <summary>Under the lock, at the end of each entry: re-arms the timer and moves out what is to be done without the lock.</summary>
    private Effects? Collect(out Flusher? flush)
    {
        Effects? effects = null;
        var outbound = _engine.Outbound;
        if (_engine.HasNews)
        {
            effects = Interlocked.Exchange(ref _spare, null) ?? new Effects();
            effects.Ended = outbound.TakeEnded(effects.Ended);
            _reports.Report(_engine, _feeds);
            while (_engine.Outputs.TryDequeue(out var output))
            {
                effects.Outputs.Add(output);
                Connect(output, effects);
                _reports.Report(output, _feeds, Now());
            }
        }

        Arm();
        flush = FlusherToWake();
        return effects;
    }

    private void Connect(EngineOutput output, Effects effects)
    {
        switch (output)
        {
            case EngineOutput.Dial dial:
                _connection = new NetworkConnection(this, dial.Attempt, _transport);
                effects.Start = _connection;
                break;
            case EngineOutput.CloseTransport close when _connection?.Attempt == close.Attempt:
                _connection.CloseAfterFlush = close.AfterFlush;
                effects.Close.Add((_connection, close.AfterFlush));
                if (!close.AfterFlush)
                {
                    // The receive loop may wait for room that nobody will make any more.
                    _connection.WhenControlHasRoom?.TrySetResult();
                    _connection = null;
                }

                break;
            case EngineOutput.Closed:
                _timer.Dispose();
                ReceiveBudget.Dispose();
                break;
        }
    }

    /// <summary>The timer is set earlier when it must be, never later: it then finds nothing to do and is set again.</summary>
    private void Arm()
    {
        var deadline = _engine.Deadline;
        if (deadline < _armedFor)
        {
            _armedFor = deadline;
            var due = TimeSpan.FromTicks(Math.Max(0, deadline - Now()));

            // A timer counts in whole milliseconds; rounding up spares it a visit that comes a moment too early.
            _timer.Change(due + TimeSpan.FromMilliseconds(1) - TimeSpan.FromTicks(1), Timeout.InfiniteTimeSpan);
        }
    }

    private void CarryOut(Effects? effects, Flusher? flush)
    {
        flush?.Wake();
        if (effects is null)
        {
            return;
        }

        foreach (ref readonly var outcome in System.Runtime.InteropServices.CollectionsMarshal.AsSpan(effects.Ended))
        {
            var waiter = (PublishWaiter)outcome.Waiter;
            if (Failure.ToException(outcome, ServerName) is { } error)
            {
                waiter.SetException(error);
            }
            else
            {
                waiter.SetResult(new PublishResult(outcome.ReasonCode, outcome.PacketId, outcome.Flags));
            }
        }

        foreach (var (connection, afterFlush) in effects.Close)
        {
            if (!afterFlush)
            {
                connection.Close(error: null);
            }
        }

        if (effects.Start is { } start)
        {
            _ = Task.Run(start.RunAsync);
        }

        foreach (var output in effects.Outputs)
        {
            Log.Output(_logger, output, ServerName);
        }

        effects.Clear();
        Volatile.Write(ref _spare, effects);
    }
}
