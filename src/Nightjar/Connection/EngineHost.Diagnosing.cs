using Nightjar.Diagnostics;

namespace Nightjar.Connection;

// What the client knows about itself.
internal sealed partial class EngineHost
{
    public HostCounters Counters { get; } = new();

    /// <summary>What is shown to those who measure and trace.</summary>
    public ClientTelemetry Telemetry { get; }

    /// <summary>How long the last attempt to connect took, from dialling to CONNACK or to its failure.</summary>
    public TimeSpan LastAttempt => TimeSpan.FromTicks(_reports.AttemptTook);

    /// <summary>The application's inspector; null if there is none.</summary>
    public PacketInspection? Inspection { get; }

    public ClientStatistics Statistics
    {
        get
        {
            using (_gate.Enter())
            {
                var counters = _engine.Counters;
                var pending = _engine.Outbound.Pending;
                return new ClientStatistics
                {
                    MessagesSent = ByQoS(counters.MessagesSent),
                    MessagesReceived = ByQoS(counters.MessagesReceived),
                    MessagesResent = counters.MessagesResent,
                    PacketsSent = counters.PacketsSent.Sum(),
                    PacketsReceived = counters.PacketsReceived.Sum(),
                    BytesSent = counters.BytesSent,
                    BytesReceived = counters.BytesReceived,
                    Connections = counters.Connections,
                    SessionsResumed = counters.SessionsResumed,
                    AttemptsFailed = counters.AttemptsFailed,
                    PublishesDropped = counters.PublishesDropped,
                    OutboxDropped = counters.OutboxDropped.Sum(),
                    OutboxExpired = counters.OutboxDropped[(int)MessageDropReason.Expired] + counters.OutboxDropped[(int)MessageDropReason.TooOld],
                    Quarantined = counters.Quarantined,
                    MessagesDropped = MessagesDropped,
                    Unrouted = counters.Unrouted,
                    StorageFailures = counters.StorageFailures,
                    MessagesSkipped = _engine.SkippedMessages,
                    HandlerRetries = Counters.HandlerRetries,
                    HandlerFailures = Counters.HandlerFailures,
                    UnknownAcknowledgements = _engine.Outbound.Session.UnknownAcks,
                    PendingMessages = pending.Count,
                    PendingBytes = pending.Bytes,
                    BufferedBytes = _engine.Outbound.Buffered,
                    LastSent = ToTime(counters.LastSent),
                    LastReceived = ToTime(counters.LastReceived),
                    LastRoundTrip = counters.LastRoundTrip < 0 ? null : TimeSpan.FromTicks(counters.LastRoundTrip),
                };
            }
        }
    }

    /// <summary>Adds this client's numbers to those of its server's other clients.</summary>
    public void AddTo(ServerTotals totals)
    {
        using (_gate.Enter())
        {
            totals.Counters.Add(_engine.Counters);
            totals.MessagesDropped += MessagesDropped;
            totals.MessagesSkipped += _engine.SkippedMessages;
            totals.Clients[(int)_engine.State]++;
            totals.InFlight += _engine.Outbound.Session.InFlight;
            totals.Queued += _engine.Outbound.Queued;
        }
    }

    /// <summary>Received QoS 0 messages that were dropped, those that no event has told of yet included; under the gate.</summary>
    private long MessagesDropped => Counters.MessagesDropped + _gate.Feeds.Sum(feed => feed.Dropped);

    public Task<TimeSpan> PingAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var waiter = new TaskCompletionSource<TimeSpan>(TaskCreationOptions.RunContinuationsAsynchronously);
        using (_gate.Enter())
        {
            ThrowIfClosed();
            if (!_engine.Ping(waiter, _gate.Now()))
            {
                return Task.FromException<TimeSpan>(new MqttDisconnectedException(
                    $"There is no connection to {ServerName} to ping (the client's state is {_engine.State}); wait for one with WhenConnectedAsync.")
                {
                    IsTransient = true,
                });
            }
        }

        return Relay.Of(waiter.Task).WaitAsync(cancellationToken);
    }

    public void Throttle(TimeSpan delay)
    {
        using (_gate.Enter())
        {
            ThrowIfClosed();
            _engine.Throttle(delay.Ticks, _gate.Now());
            delay = TimeSpan.FromTicks(_engine.Outbound.Pace.Delay);
        }

        Log.Throttled(_logger, delay);
    }

    private static CountByQoS ByQoS(long[] counts) => new(counts[0], counts[1], counts[2]);

    /// <summary>The engine's monotonic time on the clock of people, as it stands now.</summary>
    private DateTimeOffset? ToTime(long ticks) => ticks < 0 ? null : Options.TimeProvider.GetUtcNow() - TimeSpan.FromTicks(_gate.Now() - ticks);
}
