using Xunit;

namespace Nightjar.Tests.Diagnostics;

public sealed class PacketInspectorTests
{
    private readonly Notes _notes = new();

    [Fact]
    public async Task A_QoS_2_exchange_is_seen_whole_and_in_order()
    {
        await using var broker = InMemory.Broker();
        await using var client = Inspected(InMemory.Options(broker));

        await client.PublishAsync("a/b", "21.5", QoS.ExactlyOnce).Soon();

        string[] expected =
        [
            "> CONNECT", "< CONNACK Success (0x00)",
            "> PUBLISH q2 1 'a/b' 4 B", "< PUBREC 1 NoMatchingSubscribers (0x10)", "> PUBREL 1 Success (0x00)", "< PUBCOMP 1 Success (0x00)",
        ];
        Assert.Equal(expected, _notes.Lines);
    }

    [Theory]
    [InlineData(MqttVersion.Mqtt31)]
    [InlineData(MqttVersion.Mqtt311)]
    [InlineData(MqttVersion.Mqtt5)]
    public async Task Both_directions_are_seen_in_each_version(MqttVersion version)
    {
        await using var broker = InMemory.Broker();
        var options = InMemory.Options(broker);
        options.Version = version;
        await using var client = Inspected(options);
        var subscription = client.Subscribe("t");
        await subscription.Granted.Soon();
        await using var messages = subscription.GetAsyncEnumerator();

        await client.PublishAsync("t", "payload", QoS.AtMostOnce);
        Assert.True(await messages.MoveNextAsync().Soon());
        await client.PingAsync().Soon();
        await client.DisconnectAsync().Soon();

        string[] expected = ["> SUBSCRIBE 1", "< SUBACK 1", "> PUBLISH q0 't' 7 B", "< PUBLISH q0 't' 7 B", "> PINGREQ", "< PINGRESP", "> DISCONNECT Success (0x00)"];
        Assert.Equal(expected, _notes.Lines.Skip(2));
        Assert.Equal(["payload", "payload"], _notes.Payloads);
    }

    [Fact]
    public async Task Sizes_are_those_of_the_wire()
    {
        await using var broker = InMemory.Broker();
        await using var client = Inspected(InMemory.Options(broker));

        await client.PublishAsync("a/b", new byte[300], QoS.AtLeastOnce).Soon();

        var statistics = client.Statistics;
        Assert.Equal(statistics.BytesSent, _notes.SizeOf(PacketDirection.Sent));
        Assert.Equal(statistics.BytesReceived, _notes.SizeOf(PacketDirection.Received));
    }

    [Fact]
    public async Task The_topic_is_there_where_an_alias_stands_for_it()
    {
        await using var broker = InMemory.Broker(options => options.UseTopicAliases = true);
        await using var client = Inspected(InMemory.Options(broker));
        var subscription = client.Subscribe("building/#", new SubscribeOptions { QoS = QoS.AtMostOnce });
        await subscription.Granted.Soon();
        await using var messages = subscription.GetAsyncEnumerator();
        for (var i = 0; i < 3; i++)
        {
            await client.PublishAsync("building/kitchen", "x", QoS.AtMostOnce);
            Assert.True(await messages.MoveNextAsync().Soon());
        }

        Assert.Equal(3, _notes.Lines.Count(line => line == "> PUBLISH q0 'building/kitchen' 1 B"));
        Assert.Equal(3, _notes.Lines.Count(line => line == "< PUBLISH q0 'building/kitchen' 1 B"));
    }

    [Fact]
    public async Task No_password_passes_by()
    {
        await using var broker = InMemory.Broker(options => options.Users["alice"] = "s3cret");
        var options = InMemory.Options(broker);
        options.Servers[0].Credentials = new MqttCredentials("alice", "s3cret");
        await using var client = Inspected(options);

        await client.ConnectAsync().Soon();

        Assert.Equal("> CONNECT", _notes.Lines[0]);
        Assert.DoesNotContain(_notes.Everything, text => text.Contains("s3cret", StringComparison.Ordinal) || text.Contains("alice", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_the_inspector_throws_is_logged_once_and_harms_nothing()
    {
        await using var broker = InMemory.Broker();
        using var logs = new LogNotes();
        var options = InMemory.Options(broker);
        options.LoggerFactory = logs;
        options.PacketInspector = new Broken();
        await using var client = new MqttClient(options);

        await client.PublishAsync("t", "x", QoS.ExactlyOnce).Soon();

        Assert.Single(logs.Entries, entry => entry.Id == 300);
    }

    [Fact]
    public async Task Many_packets_of_many_publishers_are_each_seen_once()
    {
        await using var broker = InMemory.Broker();
        await using var client = Inspected(InMemory.Options(broker));
        await client.ConnectAsync().Soon();

        await Task.WhenAll(Enumerable.Range(0, 8).Select(thread => Task.Run(async () =>
        {
            for (var i = 0; i < 250; i++)
            {
                await client.PublishAsync($"topic/number/{thread}", new byte[i], (QoS)(i % 3)).Soon();
            }
        })));
        await client.FlushAsync().Soon();

        Assert.Equal(2000, _notes.Lines.Count(line => line.StartsWith("> PUBLISH", StringComparison.Ordinal)));
        Assert.Equal(client.Statistics.BytesSent, _notes.SizeOf(PacketDirection.Sent));
    }

    private MqttClient Inspected(MqttClientOptions options)
    {
        options.PacketInspector = _notes;
        return new MqttClient(options);
    }

    private sealed class Notes : IMqttPacketInspector
    {
        private readonly List<(PacketDirection Direction, int Size, string Line, string Payload)> _seen = [];

        public List<string> Lines => [.. Copy().Select(entry => entry.Line)];

        public List<string> Payloads => [.. Copy().Select(entry => entry.Payload).Where(text => text.Length > 0)];

        public IEnumerable<string> Everything => [.. Lines, .. Payloads];

        public long SizeOf(PacketDirection direction) => Copy().Where(entry => entry.Direction == direction).Sum(entry => (long)entry.Size);

        public void Inspect(in InspectedPacket packet)
        {
            lock (_seen)
            {
                _seen.Add((packet.Direction, packet.Size, packet.ToString(), System.Text.Encoding.UTF8.GetString(packet.Payload)));
            }
        }

        private List<(PacketDirection Direction, int Size, string Line, string Payload)> Copy()
        {
            lock (_seen)
            {
                return [.. _seen];
            }
        }
    }

    private sealed class Broken : IMqttPacketInspector
    {
        public void Inspect(in InspectedPacket packet) => throw new InvalidOperationException("No.");
    }
}
