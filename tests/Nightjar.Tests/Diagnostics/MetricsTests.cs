using System.Diagnostics.Metrics;
using Nightjar.Protocol.Packets;
using Xunit;

namespace Nightjar.Tests.Diagnostics;

/// <summary>The instruments of the meter <c>Nightjar</c>. Each test has a meter of its own, so that it sees its own clients alone.</summary>
public sealed class MetricsTests : IDisposable
{
    private readonly Meters _meters = new();
    private readonly Reading _reading;

    public MetricsTests() => _reading = new Reading(_meters);

    public void Dispose()
    {
        _reading.Dispose();
        _meters.Dispose();
    }

    [Fact]
    public async Task What_the_clients_counted_can_be_read()
    {
        await using var broker = InMemory.Broker();
        await using var client = Measured(() => broker.ConnectInMemory());
        var handled = new SemaphoreSlim(0);
        await client.On("t/#", _ => handled.Release()).Granted.Soon();
        foreach (var qos in new[] { QoS.AtMostOnce, QoS.AtLeastOnce, QoS.ExactlyOnce })
        {
            await client.PublishAsync("t/1", "x", qos).Soon();
            await handled.WaitAsync().Soon();
        }

        await client.PingAsync().Soon();
        await client.DisconnectAsync().Soon();
        _reading.Observe();

        Assert.Equal([1, 1, 1], Enumerable.Range(0, 3).Select(qos => _reading.Sum("messaging.client.sent.messages", ("mqtt.qos", qos))));
        Assert.Equal(3, _reading.Sum("messaging.client.consumed.messages"));
        Assert.Equal(client.Statistics.BytesSent, _reading.Sum("mqtt.client.io", ("mqtt.direction", "sent")));
        Assert.Equal(client.Statistics.BytesReceived, _reading.Sum("mqtt.client.io", ("mqtt.direction", "received")));
        Assert.Equal(1, _reading.Sum("mqtt.client.packets", ("mqtt.packet.type", "PubRel"), ("mqtt.direction", "sent")));
        Assert.Equal(1, _reading.Sum("mqtt.client.packets", ("mqtt.packet.type", "ConnAck"), ("mqtt.direction", "received")));
        Assert.Equal(1, _reading.Sum("mqtt.client.connections", ("mqtt.client.state", "Disconnected")));
        Assert.Equal(0, _reading.Sum("mqtt.client.connections", ("mqtt.client.state", "Connected")));
        Assert.Equal((0, 0), (_reading.Sum("mqtt.client.inflight"), _reading.Sum("mqtt.client.queue.length")));
    }

    [Fact]
    public async Task Durations_are_recorded()
    {
        await using var broker = InMemory.Broker();
        await using var client = Measured(() => broker.ConnectInMemory());
        var handled = new SemaphoreSlim(0);
        await client.On("t", _ => handled.Release()).Granted.Soon();
        await client.PublishAsync("t", "x").Soon();
        await client.PublishAsync("t", "x", QoS.AtMostOnce).Soon();
        await handled.WaitAsync().Soon();
        await handled.WaitAsync().Soon();
        await client.PingAsync().Soon();
        await client.DisposeAsync().AsTask().Soon();

        Assert.Equal(2, _reading.Count("messaging.client.operation.duration", ("messaging.operation.name", "publish")));
        await _reading.UntilAsync(1, "mqtt.client.connect.duration");
        await _reading.UntilAsync(2, "messaging.process.duration");
        await _reading.UntilAsync(1, "mqtt.client.ping.rtt");
        Assert.Empty(_reading.Tagged("error.type"));
    }

    [Fact]
    public async Task Failures_name_their_kind()
    {
        await using var peer = InMemory.Peer();
        await using var client = Measured(() => peer.ConnectInMemory());
        using var end = new AbortAtEnd(client);
        var connecting = client.ConnectAsync();
        await peer.AcceptAsync();
        await peer.ExpectAsync<ConnectPacket>();
        await peer.SendAsync(new ConnAckPacket { ReasonCode = ReasonCode.ServerBusy });
        await peer.AcceptClientAsync();
        await connecting.Soon();
        var publish = client.PublishAsync("t", "x");
        await peer.SendAsync(new AckPacket(PacketType.PubAck, (await peer.ExpectAsync<MqttMessage>()).PacketId, ReasonCode.NotAuthorized));
        await Assert.ThrowsAsync<MqttRefusedException>(() => publish.Soon());

        await _reading.UntilAsync(1, "mqtt.client.connect.duration", ("error.type", "ServerBusy"));
        Assert.Equal(1, _reading.Count("messaging.client.operation.duration", ("error.type", "NotAuthorized")));
    }

    [Fact]
    public async Task Reconnects_name_the_reason_and_resumed_sessions_are_counted()
    {
        await using var peer = InMemory.Peer();
        await using var client = Measured(() => peer.ConnectInMemory());
        using var end = new AbortAtEnd(client);
        var connecting = client.ConnectAsync();
        await peer.AcceptClientAsync();
        await connecting.Soon();
        await using var events = new EventReader(client);
        await peer.CloseAsync();
        await peer.AcceptClientAsync(new ConnAckPacket { SessionPresent = true });
        await events.NextAsync<ClientEvent.Connected>();

        _reading.Observe();

        Assert.Equal(1, _reading.Sum("mqtt.client.reconnects", ("mqtt.reason", "TransportLost")));
        Assert.Equal(1, _reading.Sum("mqtt.client.session.resumed"));
    }

    [Fact]
    public async Task Durations_name_the_server_that_they_were_with()
    {
        await using var broker = InMemory.Broker();
        var options = InMemory.Options(() => throw new IOException("No."));
        options.Servers.Add(MqttServer.FromStream("second", _ => ValueTask.FromResult(broker.ConnectInMemory())));
        options.Telemetry.MeterFactory = _meters;
        await using var client = new MqttClient(options);

        await client.PublishAsync("t", "x").Soon();

        await _reading.UntilAsync(1, "mqtt.client.connect.duration", ("server.address", "peer"), ("error.type", "DialFailed"));
        await _reading.UntilAsync(1, "mqtt.client.connect.duration", ("server.address", "second"));
        Assert.Equal(1, _reading.Count("messaging.client.operation.duration", ("server.address", "second")));
    }

    [Fact]
    public async Task Counters_of_closed_clients_stay_and_no_topic_is_a_tag()
    {
        await using var broker = InMemory.Broker();
        for (var i = 0; i < 3; i++)
        {
            await using var client = Measured(() => broker.ConnectInMemory());
            await client.PublishAsync("secret/topic", "x").Soon();
            await client.DisposeAsync().AsTask().Soon();
        }

        _reading.Observe();

        Assert.Equal(3, _reading.Sum("messaging.client.sent.messages"));
        Assert.Equal(0, _reading.Sum("mqtt.client.connections"));
        Assert.DoesNotContain(_reading.Values, value => value is string text && text.Contains("secret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_listener_that_throws_harms_nothing()
    {
        await using var broker = InMemory.Broker();
        using var listener = new MeterListener { InstrumentPublished = (instrument, self) => Enable(instrument, self) };
        listener.SetMeasurementEventCallback<double>((_, _, _, _) => throw new InvalidOperationException("No."));
        listener.Start();
        await using var client = Measured(() => broker.ConnectInMemory());

        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(ReasonCode.NoMatchingSubscribers, (await client.PublishAsync("t", "x").Soon()).ReasonCode);
        }

        await client.PingAsync().Soon();
    }

    private void Enable(Instrument instrument, MeterListener listener)
    {
        if (_meters.Owns(instrument.Meter))
        {
            listener.EnableMeasurementEvents(instrument);
        }
    }

    private MqttClient Measured(Func<Stream> connect)
    {
        var options = InMemory.Options(connect);
        options.Telemetry.MeterFactory = _meters;
        return new MqttClient(options);
    }

    private sealed class Meters : IMeterFactory
    {
        private readonly List<Meter> _meters = [];

        public bool Owns(Meter meter) => _meters.Contains(meter);

        public Meter Create(MeterOptions options)
        {
            Assert.Equal(NightjarTelemetry.MeterName, options.Name);
            options.Scope = this;
            var meter = new Meter(options);
            _meters.Add(meter);
            return meter;
        }

        public void Dispose() => _meters.ForEach(meter => meter.Dispose());
    }

    /// <summary>Hears everything of one factory's meters.</summary>
    private sealed class Reading : IDisposable
    {
        private readonly MeterListener _listener = new();
        private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly List<(string Name, double Value, Dictionary<string, object?> Tags)> _measured = [];

        public Reading(Meters meters)
        {
            _listener.InstrumentPublished = (instrument, self) =>
            {
                if (meters.Owns(instrument.Meter) || ReferenceEquals(instrument.Meter.Scope, meters))
                {
                    self.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument.Name, value, tags));
            _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument.Name, value, tags));
            _listener.Start();
        }

        public IEnumerable<object?> Values => Copy().SelectMany(entry => entry.Tags.Values);

        public void Observe() => _listener.RecordObservableInstruments();

        public long Sum(string name, params (string Key, object Value)[] tags) => (long)Find(name, tags).Sum(entry => entry.Value);

        public int Count(string name, params (string Key, object Value)[] tags) => Find(name, tags).Count;

        public IEnumerable<string> Tagged(string key) => Copy().Where(entry => entry.Tags.ContainsKey(key)).Select(entry => entry.Name);

        /// <summary>Some are recorded by a thread that nobody waits for.</summary>
        public async Task UntilAsync(int count, string name, params (string Key, object Value)[] tags)
        {
            while (true)
            {
                var next = _next.Task;
                if (Count(name, tags) >= count)
                {
                    return;
                }

                await next.Soon(name);
            }
        }

        public void Dispose() => _listener.Dispose();

        private void Note(string name, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            lock (_measured)
            {
                _measured.Add((name, value, tags.ToArray().ToDictionary(tag => tag.Key, tag => tag.Value)));
            }

            Interlocked.Exchange(ref _next, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
        }

        private List<(string Name, double Value, Dictionary<string, object?> Tags)> Copy()
        {
            lock (_measured)
            {
                return [.. _measured];
            }
        }

        private List<(string Name, double Value, Dictionary<string, object?> Tags)> Find(string name, (string Key, object Value)[] tags) =>
            [.. Copy().Where(entry => entry.Name == name && Array.TrueForAll(tags, tag => entry.Tags.TryGetValue(tag.Key, out var value) && Equals(value, tag.Value)))];
    }
}
