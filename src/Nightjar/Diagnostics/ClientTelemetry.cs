using System.Diagnostics;
using Nightjar.Connection;
using Nightjar.Protocol.Engine;
using Nightjar.Subscriptions;

namespace Nightjar.Diagnostics;

/// <summary>What one client shows to those who measure and trace. The questions whether anybody does come first, and are a few flags.</summary>
internal sealed class ClientTelemetry
{
    private static readonly ActivitySource Source = new(NightjarTelemetry.ActivitySourceName, typeof(ClientTelemetry).Assembly.GetName().Version?.ToString(fieldCount: 3));

    private readonly EngineHost _host;
    private readonly ClientMetrics _metrics;
    private readonly bool _propagates;

    // Of the last attempt. Written by the one who dials, read by whoever publishes: a moment late is early enough.
    private volatile MqttServer _current;

    public ClientTelemetry(EngineHost host, MqttClientOptions options)
    {
        _host = host;
        _propagates = options.Telemetry.PropagateContext;
        _metrics = ClientMetrics.For(options.Telemetry.MeterFactory);
        _current = options.Servers[0];
        Server = (_current.Host, _current.Port);
    }

    /// <summary>The client's number among those of its meter.</summary>
    public long Number { get; set; }

    /// <summary>Where the client's totals belong: its first server, however many it has been with since. Durations and spans name the one that they were with.</summary>
    public (string Host, int Port) Server { get; }

    /// <summary>Whether somebody wants to know of publishes, or messages are to carry their trace.</summary>
    public bool WatchesPublishing => _propagates || Source.HasListeners() || _metrics.PublishDuration.Enabled;

    /// <summary>Whether somebody wants to know of handlers' work.</summary>
    public bool WatchesProcessing => Source.HasListeners() || _metrics.ProcessDuration.Enabled;

    public static TagList ServerTags(string host, int port)
    {
        var tags = new TagList { { TelemetryTags.System, TelemetryTags.Mqtt }, { TelemetryTags.ServerAddress, host } };
        if (port != 0)
        {
            tags.Add(TelemetryTags.ServerPort, port);
        }

        return tags;
    }

    /// <summary>The next attempt is at this server.</summary>
    public void Dialling(MqttServer server) => _current = server;

    /// <summary>The client begins to count.</summary>
    public void Begin() => _metrics.Enter(_host);

    /// <summary>One of the engine's outputs was carried out. Without the client's lock.</summary>
    public void Report(EngineOutput output)
    {
        switch (output)
        {
            case EngineOutput.Connected when _metrics.ConnectDuration.Enabled:
                ClientMetrics.Record(_metrics.ConnectDuration, _host.LastAttempt, Tags());
                break;
            case EngineOutput.AttemptFailed failed when _metrics.ConnectDuration.Enabled:
                ClientMetrics.Record(_metrics.ConnectDuration, _host.LastAttempt, Tags(error: failed.Reason.ReasonCode?.ToString() ?? failed.Reason.Kind.ToString()));
                break;
            case EngineOutput.PingAnswered answered when _metrics.PingRoundTrip.Enabled:
                ClientMetrics.Record(_metrics.PingRoundTrip, TimeSpan.FromTicks(answered.RoundTrip), Tags());
                break;
            case EngineOutput.Closed:
                _metrics.Leave(_host);
                break;
        }
    }

    /// <summary>A publish begins; <paramref name="properties"/> get the trace's context if messages are to carry it.</summary>
    public PublishWatch StartPublish(scoped ReadOnlySpan<byte> topic, int payloadLength, QoS qos, ref ReadOnlySpan<byte> properties)
    {
        // The span is the message's and not the caller's: it ends on another thread, and the caller's own stays current.
        var current = Activity.Current;
        var activity = Start(TelemetryTags.Publish, ActivityKind.Producer, sender: default);
        Activity.Current = current;
        if (activity is { IsAllDataRequested: true })
        {
            activity.SetTag(TelemetryTags.Operation, TelemetryTags.Publish).SetTag(TelemetryTags.OperationType, "send");
            Describe(activity, System.Text.Encoding.UTF8.GetString(topic), payloadLength, qos);
        }

        if (_propagates && (activity ?? current) is { } carried)
        {
            properties = TraceContext.Add(carried, properties);
        }

        return new PublishWatch(this, activity, _host.Options.TimeProvider.GetTimestamp());
    }

    /// <summary>A publish ended.</summary>
    public void EndPublish(Activity? activity, long started, string? error)
    {
        if (_metrics.PublishDuration.Enabled)
        {
            ClientMetrics.Record(_metrics.PublishDuration, _host.Options.TimeProvider.GetElapsedTime(started), Tags(TelemetryTags.Publish, error));
        }

        Stop(activity, error);
    }

    /// <summary>Runs a handler for one message, inside a span that is linked to the sender's.</summary>
    public async ValueTask ProcessAsync(MessageHandler handler, ReceivedMessage message, MessageFeed feed, MessageAcknowledgement? acknowledgement)
    {
        var started = _host.Options.TimeProvider.GetTimestamp();

        // What was current when the subscription was made has nothing to do with this message. It comes back with the end of this method.
        Activity.Current = null;
        var activity = StartProcess(message, feed.TopicFilter.Text);
        string? error = null;
        try
        {
            await handler.HandleAsync(message, feed, acknowledgement).ConfigureAwait(false);
        }
        catch (Exception thrown)
        {
            error = thrown.GetType().FullName;
            throw;
        }
        finally
        {
            if (_metrics.ProcessDuration.Enabled)
            {
                ClientMetrics.Record(_metrics.ProcessDuration, _host.Options.TimeProvider.GetElapsedTime(started), Tags(TelemetryTags.Process, error));
            }

            Stop(activity, error);
        }
    }

    private Activity? StartProcess(in ReceivedMessage message, string filter)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        var sender = TraceContext.Read(message.Properties);
        var activity = Start($"{TelemetryTags.Process} {filter}", ActivityKind.Consumer, sender);
        if (activity is { IsAllDataRequested: true })
        {
            activity.SetTag(TelemetryTags.Operation, TelemetryTags.Process).SetTag(TelemetryTags.OperationType, TelemetryTags.Process).SetTag(TelemetryTags.Filter, filter);
            Describe(activity, message.Route.Name, message.PayloadLength, message.QoS);
        }

        return activity;
    }

    /// <summary>A span below what is current, or below the sender's and linked to it.</summary>
    private static Activity? Start(string name, ActivityKind kind, ActivityContext sender)
    {
        try
        {
            return Source.HasListeners() ? Source.StartActivity(name, kind, sender, tags: null, sender == default ? null : [new ActivityLink(sender)]) : null;
        }
        catch (Exception)
        {
            // A listener's sampler or callback threw: the message goes on without a span.
            return null;
        }
    }

    private static void Stop(Activity? activity, string? error)
    {
        if (activity is null)
        {
            return;
        }

        try
        {
            if (error is not null)
            {
                activity.SetStatus(ActivityStatusCode.Error).SetTag(TelemetryTags.Error, error);
            }

            activity.Dispose();
        }
        catch (Exception)
        {
            // A listener's callback threw; the span is lost and the message is not.
        }
    }

    private void Describe(Activity activity, string topic, int size, QoS qos)
    {
        activity.SetTag(TelemetryTags.System, TelemetryTags.Mqtt).SetTag(TelemetryTags.Topic, topic).SetTag(TelemetryTags.BodySize, size).SetTag(TelemetryTags.QoS, (int)qos)
            .SetTag(TelemetryTags.ClientId, _host.ClientId).SetTag(TelemetryTags.ServerAddress, _current.Host);
        if (_current.Port != 0)
        {
            activity.SetTag(TelemetryTags.ServerPort, _current.Port);
        }
    }

    private TagList Tags(string? operation = null, string? error = null)
    {
        var server = _current;
        var tags = ServerTags(server.Host, server.Port);
        if (operation is not null)
        {
            tags.Add(TelemetryTags.Operation, operation);
        }

        if (error is not null)
        {
            tags.Add(TelemetryTags.Error, error);
        }

        return tags;
    }
}
