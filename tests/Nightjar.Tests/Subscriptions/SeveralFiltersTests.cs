using System.Threading.Channels;
using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Subscriptions;

/// <summary>Several filters of one subscription, several subscriptions of one filter, scopes, the catch-all, and the server's answers to all of them.</summary>
public sealed class SeveralFiltersTests
{
    private readonly Channel<string> _called = Channel.CreateUnbounded<string>();

    [Fact]
    public async Task Each_filter_has_its_result_and_those_that_were_granted_go_on()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        var subscription = client.On(["a", "b", "c", "a"], message => _called.Writer.TryWrite(message.Topic));
        Assert.Equal(["a", "b", "c"], subscription.Filters);
        var subscribe = await peer.ExpectAsync<SubscribePacket>();

        await peer.SendAsync(new SubAckPacket
        {
            PacketId = subscribe.PacketId,
            ReasonCodes = [ReasonCode.Success, ReasonCode.UnspecifiedError, ReasonCode.GrantedQoS1],
            ReasonString = "not b",
        });

        var results = await subscription.Results.Soon();
        Assert.Equal([("a", true), ("b", false), ("c", true)], results.Select(r => (r.Filter, r.IsGranted)));
        Assert.Equal([QoS.AtMostOnce, null, QoS.AtLeastOnce], results.Select(r => r.GrantedQoS));
        Assert.Equal("not b", results[1].ReasonString);
        var error = await Assert.ThrowsAsync<MqttRefusedException>(() => subscription.Granted.Soon());
        Assert.Contains("'b'", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("'a'", error.Message, StringComparison.Ordinal);
        Assert.False(subscription.Completion.IsCompleted);
        await peer.SendAsync(MqttMessage.Create("c", "", QoS.AtMostOnce));
        Assert.Equal("c", await _called.Reader.ReadAsync().Soon());
    }

    [Fact]
    public async Task A_refusal_surfaces_on_that_subscription_only()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        var refused = client.On("a", _ => { });
        await peer.SendAsync(new SubAckPacket { PacketId = (await peer.ExpectAsync<SubscribePacket>()).PacketId, ReasonCodes = [ReasonCode.UnspecifiedError] });
        var granted = client.On("b", message => _called.Writer.TryWrite(message.Topic));
        await peer.GrantAsync();

        await Assert.ThrowsAsync<MqttRefusedException>(() => refused.Granted.Soon());
        await refused.Completion.Soon();
        Assert.Equal(QoS.AtLeastOnce, await granted.Granted.Soon());
        await peer.SendAsync(MqttMessage.Create("b", "", QoS.AtMostOnce));
        Assert.Equal("b", await _called.Reader.ReadAsync().Soon());
        Assert.Equal(ClientState.Connected, client.State);
    }

    [Fact]
    public async Task What_is_refused_in_a_new_session_is_not_granted_any_more()
    {
        var mayAsk = true;
        await using var broker = InMemory.Broker(options => options.MaySubscribe = (_, _) => Volatile.Read(ref mayAsk));
        await using var client = new MqttClient(InMemory.Options(broker));
        var subscription = client.On("a", _ => { });
        Assert.Equal(QoS.AtLeastOnce, await subscription.Granted.Soon());

        Volatile.Write(ref mayAsk, false);
        await broker.StopAsync(forget: true);
        broker.Start();

        await subscription.Completion.Soon();
        Assert.Equal(ReasonCode.NotAuthorized, (await Assert.ThrowsAsync<MqttRefusedException>(() => subscription.Granted.Soon())).ReasonCode);
    }

    [Fact]
    public async Task Giving_several_filters_up_returns_a_code_for_each()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        var unsubscribing = client.UnsubscribeAsync(["a", "b"]);
        var unsubscribe = await peer.ExpectAsync<UnsubscribePacket>();
        Assert.Equal(["a", "b"], unsubscribe.Filters);

        await peer.SendAsync(new UnsubAckPacket { PacketId = unsubscribe.PacketId, ReasonCodes = [ReasonCode.Success, ReasonCode.NoSubscriptionExisted] });

        Assert.Equal([new("a", ReasonCode.Success), new UnsubscribeResult("b", ReasonCode.NoSubscriptionExisted)], await unsubscribing.Soon());
    }

    [Fact]
    public async Task No_filters_are_nothing_to_do()
    {
        await using var client = new MqttClient("mqtt://localhost");

        Assert.Empty(await client.UnsubscribeAsync(Array.Empty<string>()).Soon());
        var subscription = client.Subscribe([]);
        Assert.Empty(await subscription.Results.Soon());
        await subscription.Granted.Soon();
        await foreach (var message in subscription)
        {
            Assert.Fail($"{message}");
        }

        await client.On([], (MqttMessage _) => { }).Completion.Soon();
        Assert.Equal(ClientState.Idle, client.State);
    }

    [Fact]
    public async Task An_UNSUBSCRIBE_has_its_bytes_and_leaves_the_others_alone()
    {
        await using var peer = InMemory.Peer();
        peer.Version = MqttVersion.Mqtt311;
        var options = InMemory.Options(peer);
        options.Version = MqttVersion.Mqtt311;
        await using var client = await peer.ConnectAsync(options);
        using var end = new AbortAtEnd(client);
        var first = client.On("a/1", message => _called.Writer.TryWrite($"first {message.Text}"));
        await peer.GrantAsync();
        client.On("a/2", message => _called.Writer.TryWrite($"second {message.Text}"));
        await peer.GrantAsync();

        var disposing = first.DisposeAsync();
        await peer.ExpectBytesAsync(new byte[] { 0xA2, 0x07, 0x00, 0x03, 0x00, 0x03, (byte)'a', (byte)'/', (byte)'1' });
        await peer.SendAsync(new UnsubAckPacket { PacketId = 3 });
        await disposing.Soon();

        await peer.SendAsync(MqttMessage.Create("a/1", "late", QoS.AtMostOnce));
        await peer.SendAsync(MqttMessage.Create("a/2", "message", QoS.AtMostOnce));
        Assert.Equal("second message", await _called.Reader.ReadAsync().Soon());
    }

    [Fact]
    public async Task Every_matching_handler_is_called_once()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));
        foreach (var filter in new[] { "a/#", "a/+", "a/b" })
        {
            await client.On(filter, message => _called.Writer.TryWrite(filter)).Granted.Soon();
        }

        await broker.PublishAsync("a/b", "");
        await broker.PublishAsync("a", "");

        var calls = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            calls.Add(await _called.Reader.ReadAsync().Soon());
        }

        Assert.Equal(["a/#", "a/#", "a/+", "a/b"], calls.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_message_that_nobody_wants_goes_to_the_catch_all_once_and_is_acknowledged_after_it()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        var gate = new TaskCompletionSource();
        await using var catchAll = client.OnUnrouted(async message =>
        {
            _called.Writer.TryWrite(message.Topic);
            await gate.Task;
        });
        client.On("a", message => _called.Writer.TryWrite($"routed {message.Topic}"));
        await peer.GrantAsync();

        await peer.SendAsync(MqttMessage.Create("left over", "x"u8.ToArray(), packetId: 9));
        Assert.Equal("left over", await _called.Reader.ReadAsync().Soon());
        Assert.Equal(1, client.Status.Unacknowledged);
        gate.SetResult();
        await peer.ExpectAckAsync(PacketType.PubAck, 9);
        await peer.SendAsync(MqttMessage.Create("a", "x"u8.ToArray(), packetId: 10));
        Assert.Equal("routed a", await _called.Reader.ReadAsync().Soon());
        await catchAll.Granted.Soon();
    }

    [Fact]
    public async Task Without_a_catch_all_it_is_acknowledged_and_reported()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        await using var events = new EventReader(client);

        await peer.SendAsync(MqttMessage.Create("left over", "x"u8.ToArray(), packetId: 9));
        await peer.ExpectAckAsync(PacketType.PubAck, 9);
        await peer.SendAsync(MqttMessage.Create("left over", "x"u8.ToArray(), QoS.ExactlyOnce, packetId: 10));
        await peer.ExpectAckAsync(PacketType.PubRec, 10);

        Assert.Equal("left over", (await events.NextAsync<ClientEvent.Unrouted>()).Topic);
    }

    [Fact]
    public async Task What_a_resumed_session_sends_with_the_CONNACK_reaches_the_handlers()
    {
        await using var peer = InMemory.Peer();
        var options = InMemory.Options(peer);
        options.ClientId = "device";
        options.Session.CleanStart = false;
        await using var client = new MqttClient(options);
        using var end = new AbortAtEnd(client);
        client.On("a/#", message => _called.Writer.TryWrite(message.Text));
        var connecting = client.ConnectAsync();
        await peer.AcceptAsync();
        await peer.ExpectAsync<ConnectPacket>();

        await peer.SendBytesAsync(PacketWriter.ToArray(new ConnAckPacket { SessionPresent = true }, MqttVersion.Mqtt5).Concat(PacketWriter.ToArray(
            new PublishPacket { Topic = "a/b"u8, Payload = "stored"u8, QoS = QoS.AtLeastOnce, PacketId = 3 }, MqttVersion.Mqtt5)).ToArray());

        await connecting.Soon();
        Assert.Equal("stored", await _called.Reader.ReadAsync().Soon());
    }

    [Fact]
    public async Task Fifty_handlers_in_a_scope_cost_one_SUBSCRIBE()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        var scope = client.CreateScope("device/1/#");
        var handlers = Enumerable.Range(0, 50).Select(i => scope.On($"device/1/{i}", message => _called.Writer.TryWrite($"{i} {message.Text}"))).ToList();
        await peer.GrantAsync();
        await scope.Granted.Soon();
        Assert.Equal(QoS.AtLeastOnce, await handlers[49].Granted.Soon());

        for (var i = 0; i < 50; i++)
        {
            await peer.SendAsync(MqttMessage.Create($"device/1/{i}", "x", QoS.AtMostOnce));
        }

        var calls = new List<string>();
        for (var i = 0; i < 50; i++)
        {
            calls.Add(await _called.Reader.ReadAsync().Soon());
        }

        Assert.Equal(Enumerable.Range(0, 50).Select(i => $"{i} x").Order(StringComparer.Ordinal), calls.Order(StringComparer.Ordinal));

        // One that is disposed costs nothing and hears nothing; the scope takes the rest along.
        await handlers[0].DisposeAsync().Soon();
        await peer.SendAsync(MqttMessage.Create("device/1/0", "y", QoS.AtMostOnce));
        await peer.SendAsync(MqttMessage.Create("device/1/1", "y", QoS.AtMostOnce));
        Assert.Equal("1 y", await _called.Reader.ReadAsync().Soon());
        var disposing = scope.DisposeAsync();
        var unsubscribe = await peer.ExpectAsync<UnsubscribePacket>();
        Assert.Equal(["device/1/#"], unsubscribe.Filters);
        await peer.SendAsync(new UnsubAckPacket { PacketId = unsubscribe.PacketId, ReasonCodes = [ReasonCode.Success] });
        await disposing.Soon();
        await handlers[49].Completion.Soon();
        Assert.Throws<ObjectDisposedException>(() => scope.On("device/1/x", _ => { }));
    }

    [Fact]
    public async Task One_subscription_of_a_scope_may_have_several_filters_and_a_leased_handler_no_task()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        var scope = client.CreateScope("d/#");
        var several = scope.On(["d/1", "d/2/+", "d/1"], message => _called.Writer.TryWrite($"several {message.Topic}"));
        scope.On(["d/1"], message => _called.Writer.WriteAsync($"task {message.Topic}"));
        scope.On(["d/9"], (message, cancellation) => _called.Writer.WriteAsync($"token {message.Topic}", cancellation));
        scope.OnLeased("d/3", message => { _called.Writer.TryWrite($"leased {message.Payload.Length}"); });
        var sequence = scope.Subscribe(["d/4", "d/5"]);
        Assert.Empty(await scope.Subscribe([]).ToListAsync(TestContext.Current.CancellationToken));
        Assert.Equal(["d/1", "d/2/+"], several.Filters);
        Assert.Contains("'e' reaches beyond", Assert.Throws<ArgumentException>(() => scope.Subscribe(["d/1", "e", "d/x"])).Message, StringComparison.Ordinal);
        await peer.GrantAsync();

        foreach (var topic in new[] { "d/1", "d/2/x", "d/3", "d/5", "d/9" })
        {
            await peer.SendAsync(MqttMessage.Create(topic, "x", QoS.AtMostOnce));
        }

        var called = new List<string>();
        while (called.Count < 5)
        {
            called.Add(await _called.Reader.ReadAsync().Soon());
        }

        Assert.Equal(["leased 1", "several d/1", "several d/2/x", "task d/1", "token d/9"], called.Order(StringComparer.Ordinal));
        await using var messages = sequence.GetAsyncEnumerator();
        Assert.True(await messages.MoveNextAsync().Soon());
        Assert.Equal("d/5", messages.Current.Topic);
    }

    [Theory]
    [InlineData("device/10/x")]
    [InlineData("device/#")]
    [InlineData("device/+/x")]
    [InlineData("$share/g/device/1/x")]
    public async Task A_filter_that_reaches_beyond_its_scope_is_refused(string filter)
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));
        await using var scope = client.CreateScope("device/1/#");

        Assert.Contains("scope", Assert.Throws<ArgumentException>(() => scope.Subscribe(filter)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Asking_again_brings_the_retained_message_again_to_the_one_who_asked()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));
        await client.PublishAsync("a", "kept", retain: true).Soon();
        var first = client.On("a", message => _called.Writer.TryWrite($"first {message.Text}"));
        await first.Granted.Soon();
        Assert.Equal("first kept", await _called.Reader.ReadAsync().Soon());

        var second = client.On("a", message => _called.Writer.TryWrite($"second {message.Text}"));
        await second.Granted.Soon();
        Assert.Equal("second kept", await _called.Reader.ReadAsync().Soon());

        Assert.True(Assert.Single(await second.ResubscribeAsync().Soon()).IsGranted);
        Assert.Equal("second kept", await _called.Reader.ReadAsync().Soon());
        await first.DisposeAsync().Soon();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => first.ResubscribeAsync());
    }

    [Fact]
    public async Task The_identifiers_of_a_message_are_there_beside_other_properties_and_alone()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));
        var subscription = client.Subscribe("a", new SubscribeOptions { SubscriptionIdentifier = 7 });
        await subscription.Granted.Soon();
        await client.PublishAsync("a", "alone").Soon();
        await client.PublishAsync(new OutgoingMessage("a", "beside") { ContentType = "text/plain" }).Soon();

        await using var messages = subscription.GetAsyncEnumerator();
        Assert.True(await messages.MoveNextAsync().Soon());
        Assert.Equal([7u], messages.Current.SubscriptionIdentifiers);
        Assert.True(await messages.MoveNextAsync().Soon());
        Assert.Equal([7u], messages.Current.SubscriptionIdentifiers);
        Assert.Equal("text/plain", messages.Current.ContentType);
    }

    [Fact]
    public async Task A_SUBSCRIBE_without_an_answer_is_sent_once_on_the_next_connection_and_its_task_completes()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        var subscription = client.On("a", _ => { });
        await peer.ExpectAsync<SubscribePacket>();
        await peer.CloseAsync();
        await peer.AcceptClientAsync(new ConnAckPacket { SessionPresent = true });

        Assert.Equal("a", Assert.Single((await peer.GrantAsync()).Subscriptions).Filter);

        Assert.Equal(QoS.AtLeastOnce, await subscription.Granted.Soon());
        await client.PublishAsync("marker", "", QoS.AtMostOnce);
        Assert.Equal("marker", (await peer.ExpectAsync<MqttMessage>()).Topic);
    }

    [Fact]
    public async Task Unsubscribing_while_offline_goes_out_after_the_reconnection()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        var subscription = client.On("a", _ => { });
        await peer.GrantAsync();
        await subscription.Granted.Soon();
        await using var events = new EventReader(client);
        await peer.CloseAsync();
        await events.NextAsync<ClientEvent.Disconnected>();

        await subscription.DisposeAsync().Soon();

        await peer.AcceptClientAsync(new ConnAckPacket { SessionPresent = true });
        Assert.Equal(["a"], (await peer.ExpectAsync<UnsubscribePacket>()).Filters);
    }
}
