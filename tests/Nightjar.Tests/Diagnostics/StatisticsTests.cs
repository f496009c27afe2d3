using Nightjar.Protocol.Packets;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Diagnostics;

public sealed class StatisticsTests
{
    [Fact]
    public async Task Messages_bytes_and_times_are_counted()
    {
        var time = new ManualTimeProvider(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker, time));
        using var end = new AbortAtEnd(client);
        Assert.Null(client.Statistics.LastSent);
        var subscription = client.Subscribe("t/#", new SubscribeOptions { QoS = QoS.ExactlyOnce });
        await subscription.Granted.Soon();
        await using var messages = subscription.GetAsyncEnumerator();
        time.Advance(TimeSpan.FromSeconds(5));

        foreach (var qos in new[] { QoS.AtMostOnce, QoS.AtLeastOnce, QoS.ExactlyOnce })
        {
            await client.PublishAsync("t/1", "x", qos).Soon();
            Assert.True(await messages.MoveNextAsync().Soon());
        }

        var statistics = client.Statistics;
        Assert.Equal(new CountByQoS(1, 1, 1), statistics.MessagesSent);
        Assert.Equal(3, statistics.MessagesReceived.Total);
        Assert.Equal((1, 0, 0), (statistics.Connections, statistics.Reconnects, statistics.AttemptsFailed));
        Assert.InRange(statistics.BytesSent, 30, 300);
        Assert.InRange(statistics.BytesReceived, 30, 300);
        Assert.InRange(statistics.PacketsSent, 6, 20);
        Assert.Equal(time.GetUtcNow(), statistics.LastReceived);
        Assert.Equal(time.GetUtcNow(), statistics.LastSent);
    }

    [Fact]
    public async Task The_outbox_is_seen_in_messages_and_bytes()
    {
        await using var client = new MqttClient(new MqttClientOptions("mqtt://127.0.0.1:1") { Reconnect = new ReconnectOptions { FirstConnect = FirstConnect.KeepTrying } });
        using var end = new AbortAtEnd(client);
        for (var i = 0; i < 3; i++)
        {
            _ = client.PublishAsync("topic", new byte[100]).AsTask().ContinueWith(task => task.Exception, TaskScheduler.Default);
        }

        var statistics = client.Statistics;

        Assert.Equal((3, 315), (statistics.PendingMessages, statistics.PendingBytes));
    }

    [Fact]
    public async Task A_lost_connection_and_what_it_repeats_are_counted()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        var publish = client.PublishAsync("t", "x");
        await peer.ExpectAsync<MqttMessage>();
        await peer.CloseAsync();
        await peer.AcceptClientAsync(new ConnAckPacket { SessionPresent = true });
        await peer.TakeAsync();
        await publish.Soon();

        var statistics = client.Statistics;

        Assert.Equal((2, 1, 1, 1), (statistics.Connections, statistics.Reconnects, statistics.SessionsResumed, statistics.MessagesResent));
    }

    [Fact]
    public async Task Handlers_that_fail_are_counted()
    {
        await using var broker = InMemory.Broker();
        var options = InMemory.Options(broker);
        options.Receive.HandlerRetries = 1;
        await using var client = new MqttClient(options);
        await using var events = new EventReader(client);
        await client.On("t", _ => throw new InvalidOperationException("No.")).Granted.Soon();

        await broker.PublishAsync("t", "x");
        await events.NextAsync<ClientEvent.HandlerFailed>();

        Assert.Equal((1, 1), (client.Statistics.HandlerRetries, client.Statistics.HandlerFailures));
    }
}
