using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Nightjar.Diagnostics;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Subscriptions;

namespace Nightjar.Connection;

/// <summary>
/// The engine's asynchronous shell: what the client asks of it, what its connection tells it, what handlers report. Each method is one entry through the
/// <see cref="EngineGate"/>; nothing is decided here.
/// </summary>
internal sealed partial class EngineHost
{
    private readonly EngineGate _gate;
    private readonly ClientEngine _engine;
    private readonly OutputReports _reports;
    private readonly PublishWaiterPool _waiters;
    private readonly ILogger _logger;
    private readonly DurableSession? _durable;
    private readonly string _generatedId = EngineSettingsFactory.NewClientId();
    private volatile MqttClientOptions _options;
    private long _receivePauses;

    public EngineHost(MqttClientOptions options)
    {
        _options = options;
        ReceiveBudget = new ReceiveBudget(options.Receive.Budget);
        _logger = options.LoggerFactory?.CreateLogger("Nightjar.MqttClient") is { } logger ? new ContainedLogger(logger) : NullLogger.Instance;
        Inspection = options.PacketInspector is { } inspector ? new PacketInspection(inspector, _logger) : null;
        Telemetry = new ClientTelemetry(this, options);
        _durable = options.Session.Store is { } store ? new DurableSession(this, store) : null;
        _gate = new EngineGate(this, EngineSettingsFactory.Create(options, _generatedId), _logger);
        _engine = _gate.Engine;
        _reports = _gate.Reports;
        _waiters = new PublishWaiterPool(this);
        Handlers = options.HandlerContext.ForClient();
        Telemetry.Begin();
    }

    /// <summary>Those in force.</summary>
    public MqttClientOptions Options => _options;

    /// <summary>The server of the current or last attempt.</summary>
    public string ServerName => _engine.Server.Name;

    public ReceiveBudget ReceiveBudget { get; }

    /// <summary>Where handlers run.</summary>
    public HandlerScheduler Handlers { get; }

    public PublishWaiterPool Waiters => _waiters;

    /// <summary>Held by a receive loop while it fills queues, which take one writer: the loop of a connection that is over may still be at it when the next one begins.</summary>
    public Lock Delivering { get; } = new();

    public EventFeed Events => _reports.Events;

    public Task Completion => Relay.Of(_reports.Completion);

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
                    PendingRequests = _engine.Requests.Count,
                    LateResponses = _engine.Requests.Late,
                    Held = [.. _engine.Held(now).Select(OutputReports.ToHeld)],
                    Dropped = MessagesDropped,
                    NextKeepAliveIn = _engine.PingDue == long.MaxValue ? null : TimeSpan.FromTicks(Math.Max(0, _engine.PingDue - now)),
                    PublishDelay = TimeSpan.FromTicks(_engine.Outbound.Pace.DelayAt(now)),
                    IsReceivingPaused = _gate.Connection is { IsPaused: true },
                    ReceivePauses = _receivePauses,
                    SkippedMessages = _engine.SkippedMessages,
                    Storage = _durable?.Status,
                };
            }
        }
    }

    /// <summary>Ends the connection in order; with <paramref name="final"/> the client too. The task ends when it is down.</summary>
    public Task EndAsync(DisconnectPacket packet, bool final) => _durable is { } durable ? EndAsync(packet, final, durable) : EndNowAsync(packet, final);

    private async Task EndAsync(DisconnectPacket packet, bool final, DurableSession durable)
    {
        // What was called before the store was open comes first, and is not to be lost for that.
        await durable.WhenSettledAsync(Options.DrainTimeout).ConfigureAwait(false);
        await EndNowAsync(packet, final).ConfigureAwait(false);
        if (final)
        {
            await durable.Closed.ConfigureAwait(false);
        }
    }

    private Task EndNowAsync(DisconnectPacket packet, bool final)
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

        return Relay.Of(ended);
    }

    public void Abort()
    {
        using (_gate.Enter())
        {
            _engine.Abort(_gate.Now());
        }
    }

    private void ThrowIfClosed() => ObjectDisposedException.ThrowIf(_engine.State == ClientState.Closed, typeof(MqttClient));
}
