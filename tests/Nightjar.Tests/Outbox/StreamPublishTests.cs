using Xunit;

namespace Nightjar.Tests.Outbox;

/// <summary>Payloads that are read from a stream.</summary>
public sealed class StreamPublishTests
{
    [Theory]
    [InlineData(QoS.AtMostOnce)]
    [InlineData(QoS.AtLeastOnce)]
    [InlineData(QoS.ExactlyOnce)]
    public async Task What_a_stream_holds_is_published_from_where_it_stands(QoS qos)
    {
        await using var broker = InMemory.Broker(options => options.MaximumPacketSize = 8_000_000);
        await using var client = new MqttClient(InMemory.Options(broker));
        await client.ConnectAsync().Soon();
        var bytes = new byte[5_000_000];
        new Random(1).NextBytes(bytes);
        using var stream = new MemoryStream(bytes) { Position = 1_000_000 };

        await client.PublishAsync("t", stream, 4_000_000, qos).Soon();
        await client.PublishAsync("t", stream, 0, qos).Soon();

        var published = await broker.WaitForPublishedAsync(2).Soon();
        Assert.True(published[0].Payload.Span.SequenceEqual(bytes.AsSpan(1_000_000)));
        Assert.True(published[1].Payload.IsEmpty);
        Assert.Equal((0, 0L), (client.Statistics.PendingMessages, client.Statistics.PendingBytes));
    }

    [Fact]
    public async Task A_stream_that_ends_early_is_an_error_and_its_room_is_free_again()
    {
        await using var gated = new GatedBroker();
        await using var client = new MqttClient(gated.Options(outbox => outbox.MaximumBytes = 1000));

        var error = await Assert.ThrowsAsync<EndOfStreamException>(() => client.PublishAsync("t", new MemoryStream(new byte[10]), 900).Soon());

        Assert.Contains("after 10 bytes", error.Message, StringComparison.Ordinal);
        await client.EnqueueAsync("t", new byte[999]).Soon();
    }

    [Fact]
    public async Task Room_is_taken_before_the_stream_is_read()
    {
        await using var gated = new GatedBroker();
        await using var client = new MqttClient(gated.Options(outbox => outbox.MaximumBytes = 1000));
        await client.EnqueueAsync("t", new byte[500]).Soon();
        using var stream = new MemoryStream(new byte[600]);
        using var leaving = new CancellationTokenSource();

        var first = client.PublishAsync("t", stream, 600, cancellationToken: leaving.Token);
        Assert.Equal((1, 0L), (client.Status.WaitingForRoom, stream.Position));
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first.Soon());
        var second = client.PublishAsync("t", stream, 600);
        await Assert.ThrowsAsync<MqttOutboxFullException>(() => client.PublishAsync("t", stream, 1001).Soon());
        gated.Open();

        await second.Soon();
        Assert.Equal(600, stream.Position);
    }

    [Fact]
    public async Task Without_a_connection_it_is_as_with_any_message()
    {
        await using var gated = new GatedBroker();
        await using var client = new MqttClient(gated.Options(outbox => (outbox.WhenOffline, outbox.AtMostOnceWhenOffline) = (WhenOffline.Fail, WhenOffline.Drop)));
        using var stream = new MemoryStream(new byte[10]);

        await Assert.ThrowsAsync<MqttOfflineException>(() => client.PublishAsync("t", stream, 10).Soon());
        Assert.Equal(PublishFlags.Dropped, (await client.PublishAsync("t", stream, 10, QoS.AtMostOnce).Soon()).Flags);
        Assert.Equal(0, stream.Position);
    }
}
