using System.Collections.Concurrent;
using System.Diagnostics;
using Xunit;

namespace Nightjar.Tests.Diagnostics;

/// <summary>The spans of the source <c>Nightjar</c>. Listeners are the whole process's, so each test looks for its own topic.</summary>
public sealed class ActivityTests : IDisposable
{
    private readonly string _topic = $"spans/{Guid.NewGuid():N}";
    private readonly ConcurrentQueue<Activity> _stopped = new();
    private readonly ActivityListener _listener;

    public ActivityTests()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is NightjarTelemetry.ActivitySourceName or nameof(ActivityTests),
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = _stopped.Enqueue,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public void Dispose() => _listener.Dispose();

    [Fact]
    public async Task A_publish_is_a_producers_span_from_the_call_to_the_acknowledgement()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        using var source = new ActivitySource(nameof(ActivityTests));
        using var caller = source.StartActivity("caller")!;

        var publish = client.PublishAsync(_topic, "21.5");
        Assert.Same(caller, Activity.Current);
        await peer.ExpectAsync<MqttMessage>();
        Assert.DoesNotContain(_stopped, IsMine);
        await peer.SendAsync(new Nightjar.Protocol.Packets.AckPacket(Nightjar.Protocol.Packets.PacketType.PubAck, 1));
        await publish.Soon();

        var span = Assert.Single(_stopped, IsMine);
        Assert.Equal(("publish", ActivityKind.Producer, ActivityStatusCode.Unset), (span.OperationName, span.Kind, span.Status));
        Assert.Equal(caller.SpanId, span.ParentSpanId);
        Assert.Equal(("mqtt", "peer"), (Tag(span, "messaging.system"), Tag(span, "server.address")));
        Assert.Equal(("publish", "send"), (Tag(span, "messaging.operation.name"), Tag(span, "messaging.operation.type")));
        Assert.Equal((4, 1), (Tag(span, "messaging.message.body.size"), Tag(span, "mqtt.qos")));
    }

    [Fact]
    public async Task A_handlers_work_is_a_consumers_span_linked_to_the_publishers()
    {
        await using var broker = InMemory.Broker();
        var options = InMemory.Options(broker);
        options.Telemetry.PropagateContext = true;
        await using var client = new MqttClient(options);
        var current = new TaskCompletionSource<Activity?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await client.On(_topic, async _ =>
        {
            await Task.Yield();
            current.SetResult(Activity.Current);
        }).Granted.Soon();

        await client.PublishAsync(_topic, "x").Soon();
        var process = (await current.Task.Soon())!;
        var publish = Assert.Single(_stopped, span => IsMine(span) && span.Kind == ActivityKind.Producer);

        Assert.Equal(($"process {_topic}", ActivityKind.Consumer), (process.OperationName, process.Kind));
        Assert.Equal((publish.TraceId, publish.SpanId), (process.TraceId, process.ParentSpanId));
        Assert.Equal(publish.SpanId, Assert.Single(process.Links).Context.SpanId);
        Assert.Equal(_topic, Tag(process, "messaging.destination.template"));
        Assert.Equal(_topic, Tag(process, "messaging.destination.name"));
    }

    [Fact]
    public async Task The_state_of_the_trace_goes_along_and_other_properties_stay()
    {
        await using var broker = InMemory.Broker();
        var options = InMemory.Options(broker);
        options.Telemetry.PropagateContext = true;
        await using var client = new MqttClient(options);
        using var source = new ActivitySource(nameof(ActivityTests));
        using var caller = source.StartActivity("caller")!;
        caller.TraceStateString = "vendor=1";

        await client.PublishAsync(new OutgoingMessage(_topic, "x") { ContentType = "text/plain", UserProperties = [new("mine", "1")] }).Soon();

        var message = Assert.Single(broker.Published);
        var span = Assert.Single(_stopped, IsMine);
        Assert.Equal("text/plain", message.ContentType);
        Assert.Equal([new("mine", "1"), new("traceparent", span.Id!), new("tracestate", "vendor=1")], message.UserProperties);
    }

    [Fact]
    public async Task A_context_of_the_messages_own_stays()
    {
        await using var broker = InMemory.Broker();
        var options = InMemory.Options(broker);
        options.Telemetry.PropagateContext = true;
        await using var client = new MqttClient(options);
        var own = new UserProperty("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");

        await client.PublishAsync(new OutgoingMessage(_topic, "x") { UserProperties = [own] }).Soon();

        Assert.Equal([own], Assert.Single(broker.Published).UserProperties);
    }

    [Theory]
    [InlineData(MqttVersion.Mqtt5, false)]
    [InlineData(MqttVersion.Mqtt311, true)]
    public async Task Nothing_is_added_unless_it_was_asked_for_and_the_version_has_it(MqttVersion version, bool asked)
    {
        await using var broker = InMemory.Broker();
        var options = InMemory.Options(broker);
        options.Version = version;
        options.Telemetry.PropagateContext = asked;
        await using var client = new MqttClient(options);

        await client.PublishAsync(_topic, "x").Soon();

        Assert.Empty(Assert.Single(broker.Published).UserProperties);
    }

    [Fact]
    public async Task A_failure_is_the_spans_status()
    {
        await using var broker = InMemory.Broker(options => options.MayPublish = (_, _) => false);
        await using var client = new MqttClient(InMemory.Options(broker));

        await Assert.ThrowsAsync<MqttRefusedException>(() => client.PublishAsync(_topic, "x").Soon());

        var span = Assert.Single(_stopped, IsMine);
        Assert.Equal((ActivityStatusCode.Error, "NotAuthorized"), (span.Status, Tag(span, "error.type")));
    }

    [Fact]
    public async Task A_cancelled_wait_ends_the_span()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        using var cancelled = new CancellationTokenSource();
        var publish = client.PublishAsync(_topic, "x", cancellationToken: cancelled.Token);
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => publish.Soon());

        Assert.Equal("System.OperationCanceledException", Tag(Assert.Single(_stopped, IsMine), "error.type"));
    }

    [Fact]
    public async Task A_handler_that_throws_makes_a_failed_span_for_each_try()
    {
        await using var broker = InMemory.Broker();
        var options = InMemory.Options(broker);
        options.Receive.HandlerRetries = 1;
        await using var client = new MqttClient(options);
        await using var events = new EventReader(client);
        await client.On(_topic, _ => throw new NotSupportedException("No.")).Granted.Soon();

        await broker.PublishAsync(_topic, "x");
        await events.NextAsync<ClientEvent.HandlerFailed>();

        Assert.Equal(2, _stopped.Count(span => IsMine(span) && (string?)Tag(span, "error.type") == "System.NotSupportedException"));
    }

    [Fact]
    public async Task Nonsense_for_a_context_is_no_context()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));
        var current = new TaskCompletionSource<Activity?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await client.On(_topic, _ => current.SetResult(Activity.Current)).Granted.Soon();

        await broker.PublishAsync(new OutgoingMessage(_topic, "x") { UserProperties = [new("traceparent", "00-nonsense")] });

        var span = await current.Task.Soon();
        Assert.Empty(span!.Links);
        Assert.Equal(default, span.ParentSpanId);
    }

    [Fact]
    public async Task A_payload_that_comes_as_a_stream_has_its_span_too()
    {
        await using var broker = InMemory.Broker();
        var options = InMemory.Options(broker);
        options.Receive.MaximumStreamedPacketSize = 4 * 1024 * 1024;
        await using var client = new MqttClient(options);
        var read = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        await client.OnStream(_topic, async (message, stopping) =>
        {
            var total = 0L;
            var buffer = new byte[65_536];
            while (await message.Payload.ReadAsync(buffer, stopping) is > 0 and var count)
            {
                total += count;
            }

            read.SetResult(total);
        }).Granted.Soon();

        await broker.PublishAsync(new OutgoingMessage(_topic, new byte[3_000_000]));

        Assert.Equal(3_000_000, await read.Task.Soon());
    }

    private static object? Tag(Activity activity, string name) => activity.GetTagItem(name);

    private bool IsMine(Activity activity) => (string?)Tag(activity, "messaging.destination.name") == _topic;
}
