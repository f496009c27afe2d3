using Nightjar.Protocol.Packets;
using Xunit;

namespace Nightjar.Testing.Tests.Broker;

public sealed class BrokerSessionTests : IAsyncDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ManualTimeProvider _time = new();
    private readonly MqttTestBrokerOptions _options;
    private readonly MqttTestBroker _broker;

    public BrokerSessionTests()
    {
        _options = new MqttTestBrokerOptions { Listen = false, TimeProvider = _time };
        _broker = new MqttTestBroker(_options);
    }

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Theory]
    [InlineData(MqttVersion.Mqtt31)]
    [InlineData(MqttVersion.Mqtt311)]
    [InlineData(MqttVersion.Mqtt5)]
    public async Task A_session_waits_with_its_subscriptions_and_messages(MqttVersion version)
    {
        var first = await RawClient.ConnectAsync(_broker, Persistent(version));
        Assert.False(first.ConnAck.SessionPresent);
        await first.SubscribeAsync("a");
        await first.DisconnectAsync();
        await _broker.PublishAsync("a", "0", QoS.AtMostOnce);
        await _broker.PublishAsync("a", "1", QoS.AtLeastOnce);
        await _broker.PublishAsync("a", "2", QoS.ExactlyOnce);

        await using var second = await RawClient.ConnectAsync(_broker, Persistent(version));

        Assert.Equal(version != MqttVersion.Mqtt31, second.ConnAck.SessionPresent);
        Assert.Equal(["1", "2"], [(await second.ReceiveAsync()).Text, (await second.ReceiveAsync()).Text]);
        await second.FenceAsync();
    }

    [Theory(DisplayName = "[MQTT5-3.1.2-4] A clean start discards the session")]
    [InlineData(MqttVersion.Mqtt311)]
    [InlineData(MqttVersion.Mqtt5)]
    public async Task A_clean_start_discards_the_session(MqttVersion version)
    {
        var first = await RawClient.ConnectAsync(_broker, Persistent(version));
        await first.SubscribeAsync("a");
        await first.DisconnectAsync();
        await _broker.PublishAsync("a", "1");

        await using var second = await RawClient.ConnectAsync(_broker, "c", version);

        Assert.False(second.ConnAck.SessionPresent);
        Assert.Empty(_broker.Subscriptions);
        await second.FenceAsync();
    }

    [Fact(DisplayName = "[MQTT5-4.4.0-1] On resume what is in flight goes again, in order and marked, before anything new")]
    public async Task In_flight_messages_are_sent_again()
    {
        await using var first = await RawClient.ConnectAsync(_broker, Persistent());
        await first.SubscribeAsync("a");
        await _broker.PublishAsync("a", "1", QoS.ExactlyOnce);
        await _broker.PublishAsync("a", "2", QoS.AtLeastOnce);
        await _broker.PublishAsync("a", "3", QoS.ExactlyOnce);
        var (one, two, three) = (await Next(first), await Next(first), await Next(first));
        await first.Peer.SendAsync(new AckPacket(PacketType.PubRec, one.PacketId));
        await first.Peer.ExpectAckAsync(PacketType.PubRel, one.PacketId);
        _broker.DropConnections();
        await _broker.PublishAsync("a", "4");

        await using var second = await RawClient.ConnectAsync(_broker, Persistent());
        await second.Peer.ExpectAckAsync(PacketType.PubRel, one.PacketId);
        var again = await Next(second);
        Assert.Equal(("2", true, two.PacketId), (again.Text, again.Duplicate, again.PacketId));
        again = await Next(second);
        Assert.Equal(("3", true, three.PacketId), (again.Text, again.Duplicate, again.PacketId));
        var fresh = await Next(second);
        Assert.Equal(("4", false), (fresh.Text, fresh.Duplicate));
        Assert.DoesNotContain(fresh.PacketId, new[] { one.PacketId, two.PacketId, three.PacketId });

        await second.Peer.SendAsync(new AckPacket(PacketType.PubComp, one.PacketId));
        await second.Peer.SendAsync(new AckPacket(PacketType.PubAck, two.PacketId));
        await second.Peer.SendAsync(new AckPacket(PacketType.PubRec, three.PacketId));
        await second.Peer.ExpectAckAsync(PacketType.PubRel, three.PacketId);
        await second.Peer.SendAsync(new AckPacket(PacketType.PubComp, three.PacketId));
        await second.Peer.SendAsync(new AckPacket(PacketType.PubAck, fresh.PacketId));
        await second.DisconnectAsync();
        await using var third = await RawClient.ConnectAsync(_broker, Persistent());
        await third.FenceAsync();

        static Task<MqttMessage> Next(RawClient client) => client.Peer.ExpectAsync<MqttMessage>();
    }

    [Fact]
    public async Task A_resume_keeps_within_the_new_receive_maximum()
    {
        await using var first = await RawClient.ConnectAsync(_broker, Persistent());
        await first.SubscribeAsync("a");
        for (var i = 1; i <= 3; i++)
        {
            await _broker.PublishAsync("a", $"{i}");
            await first.Peer.ExpectAsync<MqttMessage>();
        }

        _broker.DropConnections();
        await using var second = await RawClient.ConnectAsync(
            _broker, new ConnectPacket { ClientId = "c", SessionExpiryInterval = 100, ReceiveMaximum = 1 });

        for (var i = 1; i <= 3; i++)
        {
            var message = await second.Peer.ExpectAsync<MqttMessage>();
            await second.FenceAsync();
            Assert.Equal(($"{i}", true), (message.Text, message.Duplicate));
            await second.Peer.SendAsync(new AckPacket(PacketType.PubAck, message.PacketId));
        }
    }

    [Fact]
    public async Task A_QoS_2_message_begun_before_the_cut_is_not_taken_twice()
    {
        await using var first = await RawClient.ConnectAsync(_broker, Persistent());
        await first.Peer.SendAsync(MqttMessage.Create("a", "x", QoS.ExactlyOnce));
        await first.Peer.ExpectAckAsync(PacketType.PubRec, 1);
        _broker.DropConnections();

        await using var second = await RawClient.ConnectAsync(_broker, Persistent());
        await second.Peer.SendAsync(MqttMessage.Create("a", "x"u8.ToArray(), QoS.ExactlyOnce, duplicate: true));
        await second.AcknowledgedAsync(1, QoS.ExactlyOnce);

        Assert.Single(_broker.Published);
    }

    [Theory]
    [InlineData(MqttVersion.Mqtt311)]
    [InlineData(MqttVersion.Mqtt5)]
    public async Task A_session_with_no_expiry_interval_ends_with_its_connection(MqttVersion version)
    {
        await using var client = await RawClient.ConnectAsync(_broker, "c", version);
        await client.SubscribeAsync("a");

        _broker.DropConnections();

        Assert.Empty(_broker.Sessions);
        Assert.Empty(_broker.Subscriptions);
    }

    [Fact(DisplayName = "[MQTT5-3.1.2-23] A session lasts as long as its expiry interval says")]
    public async Task A_session_expires()
    {
        await using var client = await RawClient.ConnectAsync(_broker, Persistent());
        await client.SubscribeAsync("a");
        _time.Advance(1000 * Second);
        Assert.Equal(["c"], _broker.ConnectedClients);
        _broker.DropConnections();

        _time.Advance(99 * Second);
        Assert.Equal(["c"], _broker.Sessions);
        _time.Advance(1 * Second);

        Assert.Empty(_broker.Sessions);
        Assert.Empty(_broker.Subscriptions);
    }

    [Fact]
    public async Task A_session_that_never_expires_outlives_the_years()
    {
        await using var client = await RawClient.ConnectAsync(_broker, new ConnectPacket { ClientId = "c", SessionExpiryInterval = uint.MaxValue });
        await using var years = await RawClient.ConnectAsync(_broker, new ConnectPacket { ClientId = "y", SessionExpiryInterval = uint.MaxValue - 1 });
        _broker.DropConnections();

        _time.Advance(TimeSpan.FromDays(365));

        Assert.Equal(["c", "y"], _broker.Sessions.Order());
    }

    [Fact]
    public async Task A_DISCONNECT_may_change_the_expiry_and_not_raise_it_from_zero()
    {
        var shortened = await RawClient.ConnectAsync(_broker, Persistent());
        await shortened.DisconnectAsync(sessionExpiry: 5);
        _time.Advance(5 * Second);
        Assert.Empty(_broker.Sessions);

        await using var raised = await RawClient.ConnectAsync(_broker);
        await raised.Peer.SendAsync(new DisconnectPacket { SessionExpiryInterval = 5 });

        Assert.Equal(ReasonCode.ProtocolError, (await raised.Peer.ExpectAsync<DisconnectPacket>()).ReasonCode);
        Assert.Empty(_broker.Sessions);
    }

    [Fact]
    public async Task The_broker_may_shorten_the_expiry()
    {
        _options.MaximumSessionExpiryInterval = 10;
        await using var client = await RawClient.ConnectAsync(_broker, Persistent());
        _broker.DropConnections();

        _time.Advance(9 * Second);
        Assert.NotEmpty(_broker.Sessions);
        _time.Advance(1 * Second);
        Assert.Empty(_broker.Sessions);
    }

    [Theory(DisplayName = "[MQTT5-3.1.4-3] A second connection takes the session over; the first is told 0x8E in 5.0")]
    [InlineData(MqttVersion.Mqtt31)]
    [InlineData(MqttVersion.Mqtt311)]
    [InlineData(MqttVersion.Mqtt5)]
    public async Task A_second_connection_takes_over(MqttVersion version)
    {
        await using var first = await RawClient.ConnectAsync(_broker, Persistent(version));
        await first.SubscribeAsync("a");

        await using var second = await RawClient.ConnectAsync(_broker, Persistent(version));
        if (version == MqttVersion.Mqtt5)
        {
            Assert.Equal(ReasonCode.SessionTakenOver, (await first.Peer.ExpectAsync<DisconnectPacket>()).ReasonCode);
        }

        await first.Peer.ExpectClosedAsync();
        await _broker.PublishAsync("a", "x");

        Assert.Equal(version != MqttVersion.Mqtt31, second.ConnAck.SessionPresent);
        Assert.Equal("x", (await second.ReceiveAsync()).Text);
        Assert.Equal(["c"], _broker.ConnectedClients);
    }

    [Fact]
    public async Task A_takeover_sends_a_will_without_delay_and_drops_a_delayed_one()
    {
        await using var first = await RawClient.ConnectAsync(_broker, WithWill("at once", 0));
        await using var second = await RawClient.ConnectAsync(_broker, WithWill("later", 10));
        Assert.Equal("at once", Assert.Single(_broker.Published).Text);

        await using var third = await RawClient.ConnectAsync(_broker, Persistent());
        _time.Advance(50 * Second);

        Assert.Single(_broker.Published);

        static ConnectPacket WithWill(string text, uint delay) => new()
        {
            ClientId = "c",
            SessionExpiryInterval = 100,
            Will = new WillPacket { Topic = "w", Payload = System.Text.Encoding.UTF8.GetBytes(text), DelayInterval = delay },
        };
    }

    [Fact(DisplayName = "[MQTT5-3.3.2-5] [MQTT5-3.3.2-6] A waiting message expires, and one that does not says what is left")]
    public async Task Waiting_messages_expire()
    {
        var first = await RawClient.ConnectAsync(_broker, Persistent());
        await first.SubscribeAsync("a");
        await first.DisconnectAsync();
        await _broker.PublishAsync(new OutgoingMessage("a", "short") { TimeToLive = 10 * Second });
        await _broker.PublishAsync(new OutgoingMessage("a", "long") { TimeToLive = 60 * Second });

        _time.Advance(20 * Second);
        await using var second = await RawClient.ConnectAsync(_broker, Persistent());
        var message = await second.ReceiveAsync();
        await second.FenceAsync();

        Assert.Equal(("long", 40 * Second), (message.Text, message.TimeToLive));
    }

    [Fact]
    public async Task A_full_session_drops_and_counts()
    {
        _options.MaximumQueuedMessages = 2;
        var first = await RawClient.ConnectAsync(_broker, Persistent());
        await first.SubscribeAsync("a");
        await first.DisconnectAsync();

        for (var i = 1; i <= 3; i++)
        {
            await _broker.PublishAsync("a", $"{i}");
        }

        Assert.Equal(1, _broker.Dropped);
        await using var second = await RawClient.ConnectAsync(_broker, Persistent());
        Assert.Equal(["1", "2"], [(await second.ReceiveAsync()).Text, (await second.ReceiveAsync()).Text]);
        await second.FenceAsync();
    }

    [Fact(DisplayName = "[MQTT5-3.1.2-22] A silent client is closed after one and a half times its keep-alive")]
    public async Task Keep_alive_is_enforced()
    {
        await using var client = await RawClient.ConnectAsync(_broker, new ConnectPacket { ClientId = "c", KeepAlive = 10 });
        await using var older = await RawClient.ConnectAsync(
            _broker, new ConnectPacket { Version = MqttVersion.Mqtt311, ClientId = "o", CleanStart = true, KeepAlive = 10 });
        await using var forever = await RawClient.ConnectAsync(_broker, "forever");

        _time.Advance(14 * Second);
        await client.FenceAsync();
        _time.Advance(1 * Second);
        await older.Peer.ExpectClosedAsync();
        Assert.Equal(["c", "forever"], _broker.ConnectedClients.Order());
        _time.Advance(14 * Second);

        Assert.Equal(ReasonCode.KeepAliveTimeout, (await client.Peer.ExpectAsync<DisconnectPacket>()).ReasonCode);
        await client.Peer.ExpectClosedAsync();
        Assert.Equal(["forever"], _broker.ConnectedClients);
    }

    [Fact(DisplayName = "[MQTT5-3.1.2-21] The broker's Server Keep Alive is the one that counts")]
    public async Task Server_keep_alive_replaces_the_clients()
    {
        _options.ServerKeepAlive = 2;
        await using var client = await RawClient.ConnectAsync(_broker, new ConnectPacket { ClientId = "c", KeepAlive = 1000 });

        _time.Advance(3 * Second);

        Assert.Equal(ReasonCode.KeepAliveTimeout, (await client.Peer.ExpectAsync<DisconnectPacket>()).ReasonCode);
    }

    [Fact]
    public async Task A_client_that_does_not_close_after_the_goodbye_is_cut()
    {
        await using var client = await RawClient.ConnectAsync(_broker);
        await client.Peer.SendAsync(new ConnectPacket { ClientId = "again" });
        await client.Peer.ExpectAsync<DisconnectPacket>();
        await client.Peer.ExpectClosedAsync();

        _time.Advance(5 * Second);

        await Assert.ThrowsAsync<IOException>(() => client.Peer.SendAsync(default(PingReqPacket)));
    }

    private static ConnectPacket Persistent(MqttVersion version = MqttVersion.Mqtt5) => new()
    {
        Version = version,
        ClientId = "c",
        SessionExpiryInterval = version == MqttVersion.Mqtt5 ? 100 : null,
    };
}
