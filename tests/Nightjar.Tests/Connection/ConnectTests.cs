using Nightjar.Protocol.Packets;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Connection;

/// <summary>Connecting, in every state and with everything that CONNECT and CONNACK can say.</summary>
public sealed class ConnectTests
{
    [Fact]
    public async Task Nothing_is_connected_before_it_is_needed()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));

        Assert.Equal(ClientState.Idle, client.State);
        Assert.Empty(broker.ConnectedClients);
    }

    [Fact]
    public async Task The_first_publish_connects()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));

        await client.PublishAsync("t", "x").Soon();

        Assert.Equal(ClientState.Connected, client.State);
        Assert.Equal("x", Assert.Single(broker.Published).Text);
    }

    [Fact]
    public async Task The_first_publish_at_qos_0_connects_and_completes_when_it_is_buffered()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));

        Assert.Equal(default, await client.PublishAsync("t", "x", QoS.AtMostOnce).Soon());

        Assert.Equal("x", (await broker.WaitForPublishedAsync(_ => true)).Text);
    }

    [Fact]
    public async Task The_first_subscription_connects()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));

        Assert.Equal(QoS.ExactlyOnce, await client.Subscribe("t", new SubscribeOptions { QoS = QoS.ExactlyOnce }).Granted.Soon());

        Assert.Equal(["t"], broker.Subscriptions);
    }

    [Fact]
    public async Task Connecting_again_returns_the_same_connection()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));

        var both = await Task.WhenAll(client.ConnectAsync(), client.ConnectAsync()).Soon();
        var third = await client.ConnectAsync().Soon();

        Assert.Same(both[0], both[1]);
        Assert.Same(both[0], third);
        Assert.Same(third, client.Status.Connection);
        await client.WhenConnectedAsync().Soon();
    }

    [Fact]
    public async Task Connecting_while_the_next_attempt_waits_joins_it()
    {
        var time = new ManualTimeProvider();
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer, time));
        using var end = new AbortAtEnd(client);
        await using var events = new EventReader(client);
        await peer.CloseAsync();
        await events.NextAsync<ClientEvent.Disconnected>();

        var connecting = client.ConnectAsync();
        for (var i = 0; client.State == ClientState.Waiting; i++)
        {
            Assert.True(i < 100, $"{client.Status} {time.UntilNextTimer} {time.GetTimestamp()}");
            time.Advance(TimeSpan.FromMilliseconds(1));
        }

        await peer.AcceptClientAsync();

        var result = await connecting.Soon();
        Assert.Same(result, client.Status.Connection);
    }

    [Fact]
    public async Task Connecting_while_a_disconnect_is_under_way_connects_afterwards()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        var before = client.Status.Connection;

        var disconnecting = client.DisconnectAsync();
        var connecting = client.ConnectAsync();
        await peer.ExpectAsync<DisconnectPacket>();
        await peer.CloseAsync();
        await disconnecting.Soon();
        await peer.AcceptClientAsync();

        Assert.NotSame(before, await connecting.Soon());
    }

    [Fact]
    public async Task Disconnecting_before_there_was_a_connection_fails_those_who_wait_for_it()
    {
        await using var peer = InMemory.Peer();
        await using var client = new MqttClient(InMemory.Options(peer));
        var connecting = client.ConnectAsync();
        await peer.ExpectAsync<ConnectPacket>();

        await client.DisconnectAsync().Soon();

        await Assert.ThrowsAsync<MqttDisconnectedException>(() => connecting.Soon());
        Assert.Equal(ClientState.Disconnected, client.State);
    }

    [Fact]
    public async Task After_disconnecting_only_connect_connects()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));
        await client.ConnectAsync().Soon();

        await client.DisconnectAsync().Soon();
        await client.DisconnectAsync().Soon();
        Assert.Equal(ClientState.Disconnected, client.State);
        await broker.WaitForNoClientsAsync();
        var publish = client.PublishAsync("t", "later").AsTask();
        Assert.Equal(ClientState.Disconnected, client.State);
        await client.ConnectAsync().Soon();

        await publish.Soon();
        Assert.Equal("later", Assert.Single(broker.Published).Text);
    }

    [Fact]
    public async Task Connecting_after_the_end_throws()
    {
        await using var broker = InMemory.Broker();
        var client = new MqttClient(InMemory.Options(broker));
        await client.DisposeAsync();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.ConnectAsync());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.WhenConnectedAsync());
    }

    [Fact]
    public async Task What_the_server_agreed_to_is_the_result()
    {
        await using var broker = InMemory.Broker(options =>
        {
            options.ReceiveMaximum = 7;
            options.MaximumPacketSize = 4096;
            options.MaximumQoS = QoS.AtLeastOnce;
            options.RetainAvailable = false;
            options.WildcardSubscriptionAvailable = false;
            options.SubscriptionIdentifiersAvailable = false;
            options.SharedSubscriptionAvailable = false;
            options.TopicAliasMaximum = 3;
            options.ServerKeepAlive = 11;
            options.MaximumSessionExpiryInterval = 5;
        });
        await using var client = new MqttClient(InMemory.Options(broker));

        var result = await client.ConnectAsync().Soon();

        Assert.Equal(
            new ConnectResult
            {
                Version = MqttVersion.Mqtt5,
                ClientId = client.ClientId,
                SessionExpiryInterval = TimeSpan.FromSeconds(5),
                KeepAlive = TimeSpan.FromSeconds(11),
                ReceiveMaximum = 7,
                MaximumPacketSize = 4096,
                MaximumQoS = QoS.AtLeastOnce,
                RetainAvailable = false,
                WildcardSubscriptionAvailable = false,
                SubscriptionIdentifiersAvailable = false,
                SharedSubscriptionAvailable = false,
                TopicAliasMaximum = 3,
                UserProperties = result.UserProperties,
            },
            result with { Announced = new ServerCapabilities(), Transport = null });
    }

    [Fact]
    public async Task Connect_says_what_the_options_say()
    {
        await using var peer = InMemory.Peer();
        var options = InMemory.Options(peer);
        options.ClientId = "device-1";
        options.KeepAlive = TimeSpan.FromSeconds(25);
        options.Servers[0].Credentials = new MqttCredentials("alice", "s3cret");
        options.Session = new SessionOptions { CleanStart = false, ExpiryInterval = TimeSpan.FromDays(1) };
        options.Receive = new ReceiveOptions { ReceiveMaximum = 5, MaximumPacketSize = 5000, TopicAliasMaximum = 6 };
        options.UserProperties.Add(new UserProperty("site", "north"));
        options.Will = new WillMessage
        {
            Topic = "will",
            Payload = "gone"u8.ToArray(),
            QoS = QoS.ExactlyOnce,
            Retain = true,
            Delay = TimeSpan.FromSeconds(9),
            PayloadFormat = PayloadFormat.Utf8,
            TimeToLive = TimeSpan.FromSeconds(90),
            ContentType = "text/plain",
            ResponseTopic = "answers",
            CorrelationData = "42"u8.ToArray(),
            UserProperties = [new("a", "1"), new("a", "2")],
        };
        await using var client = new MqttClient(options);
        using var end = new AbortAtEnd(client);
        var connecting = client.ConnectAsync();

        var connect = await peer.AcceptClientAsync();
        await connecting.Soon();

        Assert.Equal(MqttVersion.Mqtt5, connect.Version);
        Assert.Equal(("device-1", (ushort)25, false), (connect.ClientId, connect.KeepAlive, connect.CleanStart));
        Assert.Equal(("alice", "s3cret"), (connect.UserName, System.Text.Encoding.UTF8.GetString(connect.Password!.Value.Span)));
        Assert.Equal((86_400u, (ushort)5, 5000u, (ushort)6), (connect.SessionExpiryInterval, connect.ReceiveMaximum, connect.MaximumPacketSize, connect.TopicAliasMaximum));
        Assert.Equal([new UserProperty("site", "north")], connect.UserProperties);
        var will = connect.Will!;
        Assert.Equal(("will", "gone", QoS.ExactlyOnce, true), (will.Topic, System.Text.Encoding.UTF8.GetString(will.Payload.Span), will.QoS, will.Retain));
        Assert.Equal((9u, 90u, PayloadFormat.Utf8), (will.DelayInterval, will.MessageExpiryInterval, will.PayloadFormat));
        Assert.Equal(("text/plain", "answers"), (will.ContentType, will.ResponseTopic));
        Assert.Equal("42"u8.ToArray(), will.CorrelationData!.Value.ToArray());
        Assert.Equal([new("a", "1"), new("a", "2")], will.UserProperties);
    }

    [Fact]
    public async Task A_client_id_that_the_server_assigns_is_used_from_then_on()
    {
        await using var peer = InMemory.Peer();
        var options = InMemory.Options(peer);
        options.ClientId = "";
        await using var client = await peer.ConnectAsync(options, new ConnAckPacket { AssignedClientIdentifier = "yours-1" });
        using var end = new AbortAtEnd(client);
        Assert.Equal("yours-1", client.ClientId);
        Assert.Equal("yours-1", client.Status.Connection!.ClientId);

        await peer.CloseAsync();
        var again = await peer.AcceptClientAsync(new ConnAckPacket { SessionPresent = true });

        Assert.Equal(("yours-1", false), (again.ClientId, again.CleanStart));
    }

    [Fact]
    public async Task A_login_that_is_right_is_accepted()
    {
        await using var broker = InMemory.Broker(options => options.Users["alice"] = "s3cret");
        var options = InMemory.Options(broker);
        options.Servers[0].Credentials = new MqttCredentials("alice", "s3cret");
        await using var client = new MqttClient(options);

        await client.ConnectAsync().Soon();

        Assert.Equal(ClientState.Connected, client.State);
    }
}
