using Nightjar.Connection;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Topics;
using Nightjar.Subscriptions;
using Xunit;

namespace Nightjar.Tests.Connection;

/// <summary>From a chunk into queues.</summary>
public sealed class MessageDeliveryTests
{
    [Fact]
    public async Task What_came_for_a_subscription_that_ended_is_let_go_of_without_the_lock_of_delivering()
    {
        var host = new EngineHost(new MqttClientOptions("mqtt://localhost"));
        var filter = TopicFilter.Parse("t");
        var feed = new MessageFeed(host, [filter], [filter], new SubscriptionTerms(QoS.AtMostOnce, false, false, RetainHandling.SendAtSubscribe, null, []), new SubscribeOptions());
        feed.Close();
        await Eventually.True(() => feed.Stopping.IsCancellationRequested);
        var chunk = new ReceiveChunk(host.ReceiveBudget, 64);
        byte[] publish = [0x30, 4, 0, 1, (byte)'t', (byte)'x'];
        publish.CopyTo(chunk.Bytes);
        var batch = new InboundBatch();
        new Inbound(MqttVersion.Mqtt311, 1000, 0, 1000).Parse(chunk.Bytes.AsSpan(0, publish.Length), batch);
        batch[0].Deliver = true;
        batch[0].Route = new TopicRoute("t"u8.ToArray(), [], retained: false, [feed], version: 0);
        var delivery = new MessageDelivery(host.ReceiveBudget);

        lock (host.Delivering)
        {
            delivery.Deliver(batch, chunk, 0, dropping: false);
        }

        // Letting go acknowledges, and so enters the engine.
        Assert.True(feed.Queue.HasMessages);
        delivery.LetGoOfEnded();
        Assert.False(feed.Queue.HasMessages);
    }
}
