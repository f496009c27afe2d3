using System.Buffers;
using Nightjar.Protocol.Packets;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Connection;

/// <summary>Every way to publish.</summary>
public sealed class PublishTests
{
    [Theory]
    [InlineData(QoS.AtMostOnce)]
    [InlineData(QoS.AtLeastOnce)]
    [InlineData(QoS.ExactlyOnce)]
    public async Task Every_form_of_payload_arrives(QoS qos)
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));

        await client.PublishAsync("1", "memory"u8.ToArray().AsMemory(), qos).Soon();
        await client.PublishAsync("2", Segments("one ", "by ", "", "one"), qos).Soon();
        await client.PublishAsync("3", "text: ü €", qos).Soon();
        await client.PublishCopyAsync("4", "span"u8, qos).Soon();
        await client.PublishAsync(new OutgoingMessage("5", "message") { QoS = qos }).Soon();
        await client.PublishAsync(new OutgoingMessage("6", "bytes"u8.ToArray().AsMemory()) { QoS = qos }).Soon();
        await client.PublishAsync("7", ReadOnlyMemory<byte>.Empty, qos).Soon();
        await client.PublishAsync(new OutgoingMessage { Topic = "8", Payload = Segments("a", "b"), QoS = qos, ContentType = "x" }).Soon();

        var published = await broker.WaitForPublishedAsync(8);
        Assert.Equal(["memory", "one by one", "text: ü €", "span", "message", "bytes", "", "ab"], published.Select(message => message.Text));
        Assert.All(published, message => Assert.Equal(qos, message.QoS));
        Assert.Equal(0, client.Status.InFlight);
    }

    [Fact]
    public async Task Memory_may_be_used_again_as_soon_as_the_call_returns()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        var buffer = new byte[200_000];
        Array.Fill(buffer, (byte)'a');

        var first = client.PublishAsync("t", buffer);
        Array.Fill(buffer, (byte)'b');
        var second = client.PublishCopyAsync("t", buffer);
        Array.Clear(buffer);

        Assert.True((await peer.TakeAsync()).Payload.Span.IndexOfAnyExcept((byte)'a') < 0);
        Assert.True((await peer.TakeAsync()).Payload.Span.IndexOfAnyExcept((byte)'b') < 0);
        await first.Soon();
        await second.Soon();
    }

    [Fact]
    public async Task Every_property_of_a_message_arrives()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));

        var result = await client.PublishAsync(new OutgoingMessage("t", "x")
        {
            QoS = QoS.ExactlyOnce,
            Retain = true,
            TimeToLive = TimeSpan.FromSeconds(90),
            PayloadFormat = PayloadFormat.Utf8,
            ContentType = "text/plain",
            ResponseTopic = "answers",
            CorrelationData = "42"u8.ToArray(),
            UserProperties = [new("a", "1"), new("a", "2"), new("", "")],
            TopicAlias = 3,
        }).Soon();

        var message = Assert.Single(broker.Published);
        Assert.False(result.ReasonCode.IsFailure());
        Assert.NotEqual(0, result.PacketId);
        Assert.Equal((QoS.ExactlyOnce, true, PayloadFormat.Utf8), (message.QoS, message.Retain, message.PayloadFormat));
        Assert.Equal(("text/plain", "answers", TimeSpan.FromSeconds(90)), (message.ContentType, message.ResponseTopic, message.TimeToLive));
        Assert.Equal("42"u8.ToArray(), message.CorrelationData!.Value.ToArray());
        Assert.Equal([new("a", "1"), new("a", "2"), new("", "")], message.UserProperties);
    }

    [Fact(DisplayName = "[MQTT5-3.3.2-8] A topic alias is sent with the topic first and without it from then on, within the server's maximum")]
    public async Task Aliases_are_used()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer), new ConnAckPacket { TopicAliasMaximum = 2 });
        using var end = new AbortAtEnd(client);
        for (var i = 0; i < 2; i++)
        {
            await client.PublishAsync("a/long/enough/topic", "x", QoS.AtMostOnce);
        }

        await client.PublishAsync(new OutgoingMessage("mine", "x") { QoS = QoS.AtMostOnce, TopicAlias = 2 });
        await Assert.ThrowsAsync<MqttLimitException>(() => client.PublishAsync(new OutgoingMessage("mine", "x") { QoS = QoS.AtMostOnce, TopicAlias = 3 }).Soon());

        var first = await peer.ExpectAsync<MqttMessage>();
        var second = await peer.ExpectAsync<MqttMessage>();
        var third = await peer.ExpectAsync<MqttMessage>();
        Assert.Equal(("a/long/enough/topic", first.TopicAlias), (first.Topic, second.TopicAlias));
        Assert.InRange((int)first.TopicAlias!, 1, 2);
        Assert.Equal("", second.Topic);
        Assert.Equal(("mine", (ushort?)2), (third.Topic, third.TopicAlias));
    }

    [Fact]
    public async Task Flush_waits_until_the_transport_has_taken_everything()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        await client.FlushAsync().Soon();
        await client.PublishAsync("t", new byte[100_000], QoS.AtMostOnce);

        var flush = client.FlushAsync().AsTask();

        // 64 KiB fit into the connection; the rest waits for the peer to read.
        Assert.False(flush.IsCompleted);
        await peer.ExpectAsync<MqttMessage>();
        await flush.Soon();
    }

    [Fact]
    public async Task A_flush_whose_connection_is_lost_says_so()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        await using var events = new EventReader(client);
        await client.PublishAsync("t", new byte[100_000], QoS.AtMostOnce);
        var flush = client.FlushAsync().AsTask();

        await peer.CloseAsync();

        await Assert.ThrowsAsync<MqttDisconnectedException>(() => flush.Soon());
        Assert.Equal(1, (await events.NextAsync<ClientEvent.PublishesDropped>()).Count);
    }

    [Fact]
    public async Task What_the_server_does_not_do_is_refused_here()
    {
        await using var broker = InMemory.Broker(options =>
        {
            options.MaximumQoS = QoS.AtMostOnce;
            options.RetainAvailable = false;
            options.MaximumPacketSize = 100;
        });
        await using var client = new MqttClient(InMemory.Options(broker));
        await client.ConnectAsync().Soon();

        Assert.Equal(ReasonCode.QoSNotSupported, (await RefusedAsync(client.PublishAsync("t", "x"))).ReasonCode);
        Assert.Equal(ReasonCode.RetainNotSupported, (await RefusedAsync(client.PublishAsync("t", "x", QoS.AtMostOnce, retain: true))).ReasonCode);
        Assert.Equal(ReasonCode.PacketTooLarge, (await RefusedAsync(client.PublishAsync("t", new byte[100], QoS.AtMostOnce))).ReasonCode);
        Assert.Equal(ClientState.Connected, client.State);

        static Task<MqttLimitException> RefusedAsync(ValueTask<PublishResult> publish) => Assert.ThrowsAsync<MqttLimitException>(() => publish.Soon());
    }

    [Fact]
    public async Task QoS_is_lowered_on_request_and_the_result_says_so()
    {
        await using var broker = InMemory.Broker(options => options.MaximumQoS = QoS.AtLeastOnce);
        var options = InMemory.Options(broker);
        options.Outbox.LowerQoS = true;
        await using var client = new MqttClient(options);

        Assert.Equal(PublishFlags.QoSLowered, (await client.PublishAsync("t", "x", QoS.ExactlyOnce).Soon()).Flags);
        Assert.Equal(QoS.AtLeastOnce, Assert.Single(broker.Published).QoS);
    }

    [Fact]
    public async Task A_message_that_was_not_sent_is_withdrawn_by_its_token()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer), new ConnAckPacket { ReceiveMaximum = 1 });
        using var end = new AbortAtEnd(client);
        using var cancellation = new CancellationTokenSource();
        var first = client.PublishAsync("t", "first").AsTask();
        var withdrawn = client.PublishAsync("t", "withdrawn", cancellationToken: cancellation.Token).AsTask();
        var last = client.PublishAsync("t", "last").AsTask();

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => withdrawn.Soon());
        Assert.Equal("first", (await peer.TakeAsync()).Text);
        Assert.Equal("last", (await peer.TakeAsync()).Text);
        await Task.WhenAll(first, last).Soon();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.PublishAsync("t", "x", cancellationToken: cancellation.Token).Soon());
    }

    [Fact]
    public async Task Publish_timeout_ends_the_wait_and_not_the_message()
    {
        var time = new ManualTimeProvider();
        await using var peer = InMemory.Peer();
        var options = InMemory.Options(peer, time);
        options.Outbox.PublishTimeout = TimeSpan.FromSeconds(3);
        await using var client = await peer.ConnectAsync(options);
        using var end = new AbortAtEnd(client);
        var publish = client.PublishAsync("t", "x").AsTask();
        var message = await peer.ExpectAsync<MqttMessage>();

        time.Advance(TimeSpan.FromSeconds(2.9));
        Assert.False(publish.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.2));

        await Assert.ThrowsAsync<MqttTimeoutException>(() => publish.Soon());
        Assert.Equal(1, client.Status.InFlight);
        await peer.SendAsync(new AckPacket(PacketType.PubAck, message.PacketId));
    }

    [Fact]
    public async Task Misuse_is_told_at_the_call()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));

        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await client.PublishAsync("a/#", "x"));
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await client.PublishAsync("", "x"));
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await client.PublishAsync("a\ud800", "x"));
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await client.PublishAsync("t", "x", (QoS)3));
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await client.PublishAsync(null!, "x"));
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await client.PublishAsync(new OutgoingMessage("t", "x") { ResponseTopic = "#" }));
        Assert.ThrowsAny<ArgumentException>(() => client.Subscribe("a/#/b"));
        Assert.ThrowsAny<ArgumentException>(() => client.Subscribe("$share/g/t", new SubscribeOptions { NoLocal = true }));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => client.UnsubscribeAsync("a/#/b"));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => client.DisconnectAsync(new DisconnectOptions { ReasonCode = ReasonCode.ServerBusy }));
        Assert.Equal(ClientState.Idle, client.State);
    }

    [Fact]
    public async Task A_megabyte_goes_both_ways()
    {
        await using var broker = InMemory.Broker();
        var options = InMemory.Options(broker);
        options.Receive.MaximumPacketSize = 2 * 1024 * 1024;
        await using var client = new MqttClient(options);
        var subscription = client.Subscribe("t");
        await subscription.Granted.Soon();
        var payload = new byte[1024 * 1024];
        new Random(5).NextBytes(payload);
        await using var messages = subscription.GetAsyncEnumerator();

        for (var i = 0; i < 3; i++)
        {
            await client.PublishAsync("t", payload).Soon();
            Assert.True(await messages.MoveNextAsync().Soon());
            Assert.True(messages.Current.Payload.Span.SequenceEqual(payload));
        }
    }

    [Fact]
    public async Task Sixty_four_threads_publish_a_thousand_each_and_each_topic_keeps_its_order()
    {
        const int Threads = 64;
        const int Messages = 1_000;
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));

        await Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => Task.Run(async () =>
        {
            var qos = (QoS)(thread % 3);
            var pending = new List<Task<PublishResult>>();
            for (var i = 0; i < Messages; i++)
            {
                pending.Add(client.PublishAsync($"thread/{thread}", $"{i}", qos).AsTask());
            }

            Assert.All(await Task.WhenAll(pending), result => Assert.Equal(qos == QoS.AtMostOnce, result.PacketId == 0));
        }))).Soon();

        var published = await broker.WaitForPublishedAsync(Threads * Messages);
        Assert.Equal(Threads * Messages, published.Count);
        foreach (var topic in published.GroupBy(message => message.Topic))
        {
            Assert.Equal(Enumerable.Range(0, Messages).Select(i => $"{i}"), topic.Select(message => message.Text));
        }

        Assert.Equal((0, 0), (client.Status.InFlight, client.Status.Queued));
    }

    private static ReadOnlySequence<byte> Segments(params string[] parts)
    {
        Segment? first = null;
        Segment? last = null;
        foreach (var part in parts)
        {
            last = new Segment(System.Text.Encoding.UTF8.GetBytes(part), last);
            first ??= last;
        }

        return new ReadOnlySequence<byte>(first!, 0, last!, last!.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(byte[] bytes, Segment? before)
        {
            Memory = bytes;
            if (before is not null)
            {
                before.Next = this;
                RunningIndex = before.RunningIndex + before.Memory.Length;
            }
        }
    }
}
