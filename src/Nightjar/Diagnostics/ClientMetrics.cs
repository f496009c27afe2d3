using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using Nightjar.Connection;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;

namespace Nightjar.Diagnostics;

/// <summary>
/// The instruments of one meter. Counters are not counted here: they are read from the clients' own numbers when somebody looks, so that they cost nothing until then.
/// Durations are recorded as they happen, if
/// somebody listens.
/// </summary>
internal sealed class ClientMetrics
{
    // OpenTelemetry's advice for messaging.client.operation.duration.
    private static readonly InstrumentAdvice<double> Seconds = new() { HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] };
    private static readonly Lazy<ClientMetrics> Shared = new(() => new ClientMetrics(new Meter(NightjarTelemetry.MeterName, Version)));
    private static readonly ConditionalWeakTable<IMeterFactory, ClientMetrics> OfFactories = [];

    private readonly LiveClients _clients = new();

    private ClientMetrics(Meter meter)
    {
        PublishDuration = meter.CreateHistogram("messaging.client.operation.duration", "s", "From the call to publish until its end.", tags: null, Seconds);
        ProcessDuration = meter.CreateHistogram("messaging.process.duration", "s", "The work of a handler for one message.", tags: null, Seconds);
        ConnectDuration = meter.CreateHistogram("mqtt.client.connect.duration", "s", "From dialling to CONNACK, or to the failure.", tags: null, Seconds);
        PingRoundTrip = meter.CreateHistogram("mqtt.client.ping.rtt", "s", "From PINGREQ to PINGRESP.", tags: null, Seconds);
        meter.CreateObservableCounter("messaging.client.sent.messages", () => Observe(SentMessages), "{message}", "PUBLISH packets sent.");
        meter.CreateObservableCounter("messaging.client.consumed.messages", () => Observe(ConsumedMessages), "{message}", "PUBLISH packets received.");
        meter.CreateObservableCounter("mqtt.client.reconnects", () => Observe(Reconnects), "{connection}", "Connections after a client's first.");
        meter.CreateObservableCounter("mqtt.client.session.resumed", () => Observe(Resumed), "{connection}", "Connections that found their session.");
        meter.CreateObservableCounter("mqtt.client.dropped.messages", () => Observe(Dropped), "{message}", "QoS 0 messages dropped, and messages that nobody subscribes to.");
        meter.CreateObservableCounter("mqtt.client.quarantined.messages", () => Observe(Quarantined), "{message}", "Messages that were sent before and could not be sent again for a server's limits.");
        meter.CreateObservableCounter("mqtt.client.storage.failures", () => Observe(StorageFailures), "{failure}", "How often a session's store began to fail, or could not be opened.");
        meter.CreateObservableCounter("mqtt.client.io", () => Observe(Bytes), "By", "Bytes of MQTT.");
        meter.CreateObservableCounter("mqtt.client.packets", () => Observe(Packets), "{packet}", "Control packets.");
        meter.CreateObservableUpDownCounter("mqtt.client.connections", () => Observe(States), "{client}", "Clients by state.");
        meter.CreateObservableUpDownCounter("mqtt.client.inflight", () => Observe(InFlight), "{message}", "QoS 1 and 2 messages that wait for the server's answer.");
        meter.CreateObservableUpDownCounter("mqtt.client.queue.length", () => Observe(Queued), "{message}", "Messages that wait to be sent.");
    }

    private delegate void Add(long value, TagList tags);

    public Histogram<double> PublishDuration { get; }

    public Histogram<double> ProcessDuration { get; }

    public Histogram<double> ConnectDuration { get; }

    public Histogram<double> PingRoundTrip { get; }

    private static string? Version => typeof(ClientMetrics).Assembly.GetName().Version?.ToString(fieldCount: 3);

    /// <summary>The instruments of this factory's meter, or those of the process.</summary>
    public static ClientMetrics For(IMeterFactory? factory) =>
        factory is null ? Shared.Value : OfFactories.GetValue(factory, static factory => new ClientMetrics(factory.Create(NightjarTelemetry.MeterName, Version)));

    /// <summary>A client begins.</summary>
    public void Enter(EngineHost client) => _clients.Enter(client);

    /// <summary>A client is closed; what it counted stays. Not to be called under the client's lock, which it takes.</summary>
    public void Leave(EngineHost client) => _clients.Leave(client);

    /// <summary>Records, whatever those who listen throw: measuring must not harm what is measured.</summary>
    public static void Record(Histogram<double> histogram, TimeSpan duration, in TagList tags)
    {
        try
        {
            histogram.Record(duration.TotalSeconds, tags);
        }
        catch (Exception)
        {
            // A listener's callback runs inside the call, and there is nobody here to tell.
        }
    }

    private static void SentMessages(TagList tags, ServerTotals totals, Add add)
    {
        tags.Add(TelemetryTags.Operation, TelemetryTags.Publish);
        AddByQoS(tags, totals.Counters.MessagesSent, add);
    }

    private static void ConsumedMessages(TagList tags, ServerTotals totals, Add add)
    {
        tags.Add(TelemetryTags.Operation, TelemetryTags.Process);
        AddByQoS(tags, totals.Counters.MessagesReceived, add);
    }

    private static void AddByQoS(TagList tags, long[] counts, Add add)
    {
        for (var qos = 0; qos < counts.Length; qos++)
        {
            add(counts[qos], With(tags, TelemetryTags.QoS, qos));
        }
    }

    private static void Reconnects(TagList tags, ServerTotals totals, Add add)
    {
        for (var kind = 0; kind < totals.Counters.Reconnects.Length; kind++)
        {
            if (totals.Counters.Reconnects[kind] > 0)
            {
                add(totals.Counters.Reconnects[kind], With(tags, TelemetryTags.Reason, ((CloseKind)kind).ToString()));
            }
        }
    }

    private static void Resumed(TagList tags, ServerTotals totals, Add add) => add(totals.Counters.SessionsResumed, tags);

    private static void Dropped(TagList tags, ServerTotals totals, Add add)
    {
        add(totals.Counters.PublishesDropped, With(tags, TelemetryTags.Reason, "connection_lost"));
        foreach (var reason in Enum.GetValues<MessageDropReason>())
        {
            if (totals.Counters.OutboxDropped[(int)reason] is > 0 and var count)
            {
                add(count, With(tags, TelemetryTags.Reason, ToTag(reason)));
            }
        }

        add(totals.MessagesDropped, With(tags, TelemetryTags.Reason, "slow_handler"));
        add(totals.MessagesSkipped, With(tags, TelemetryTags.Reason, "too_large"));
        add(totals.Counters.Unrouted, With(tags, TelemetryTags.Reason, "unrouted"));
    }

    private static string ToTag(MessageDropReason reason) => reason switch
    {
        MessageDropReason.Overflow => "outbox_full",
        MessageDropReason.Replaced => "outbox_replaced",
        MessageDropReason.Expired => "outbox_expired",
        MessageDropReason.TooOld => "outbox_too_old",
        MessageDropReason.Offline => "outbox_offline",
        MessageDropReason.Limit => "outbox_limit",
        _ => "outbox_connection_lost",
    };

    private static void Quarantined(TagList tags, ServerTotals totals, Add add) => add(totals.Counters.Quarantined, tags);

    private static void StorageFailures(TagList tags, ServerTotals totals, Add add) => add(totals.Counters.StorageFailures, tags);

    private static void InFlight(TagList tags, ServerTotals totals, Add add) => add(totals.InFlight, tags);

    private static void Queued(TagList tags, ServerTotals totals, Add add) => add(totals.Queued, tags);

    private static void Bytes(TagList tags, ServerTotals totals, Add add)
    {
        add(totals.Counters.BytesSent, With(tags, TelemetryTags.Direction, TelemetryTags.Sent));
        add(totals.Counters.BytesReceived, With(tags, TelemetryTags.Direction, TelemetryTags.Received));
    }

    private static void Packets(TagList tags, ServerTotals totals, Add add)
    {
        AddPackets(With(tags, TelemetryTags.Direction, TelemetryTags.Sent), totals.Counters.PacketsSent, add);
        AddPackets(With(tags, TelemetryTags.Direction, TelemetryTags.Received), totals.Counters.PacketsReceived, add);
    }

    private static void AddPackets(TagList tags, long[] counts, Add add)
    {
        for (var type = 0; type < counts.Length; type++)
        {
            if (counts[type] > 0)
            {
                add(counts[type], With(tags, TelemetryTags.PacketType, ((PacketType)type).ToString()));
            }
        }
    }

    private static void States(TagList tags, ServerTotals totals, Add add)
    {
        for (var state = 0; state < totals.Clients.Length; state++)
        {
            add(totals.Clients[state], With(tags, TelemetryTags.State, ((ClientState)state).ToString()));
        }
    }

    private static TagList With(TagList tags, string name, object value)
    {
        tags.Add(name, value);
        return tags;
    }

    private List<Measurement<long>> Observe(Action<TagList, ServerTotals, Add> read)
    {
        var measurements = new List<Measurement<long>>();
        foreach (var ((host, port), totals) in _clients.Sum())
        {
            read(ClientTelemetry.ServerTags(host, port), totals, (value, tags) => measurements.Add(new Measurement<long>(value, tags)));
        }

        return measurements;
    }
}
