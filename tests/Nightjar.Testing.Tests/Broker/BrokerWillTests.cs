using Nightjar.Protocol.Packets;
using Xunit;

namespace Nightjar.Testing.Tests.Broker;

public sealed class BrokerWillTests : IAsyncDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ManualTimeProvider _time = new();
    private readonly MqttTestBroker _broker;

    public BrokerWillTests() => _broker = new MqttTestBroker(new MqttTestBrokerOptions { Listen = false, TimeProvider = _time });

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Theory(DisplayName = "[MQTT5-3.1.2-8] The will is sent when the client vanishes")]
    [InlineData(MqttVersion.Mqtt31)]
    [InlineData(MqttVersion.Mqtt311)]
    [InlineData(MqttVersion.Mqtt5)]
    public async Task The_will_is_sent_when_the_client_vanishes(MqttVersion version)
    {
        await using var watcher = await RawClient.ConnectAsync(_broker, "watcher", version);
        await watcher.SubscribeAsync("will/#");
        var client = await RawClient.ConnectAsync(_broker, Connect(version));

        await client.DisposeAsync();
        var will = await watcher.ReceiveAsync();

        Assert.Equal(("will/c", "gone", QoS.AtLeastOnce, false), (will.Topic, will.Text, will.QoS, will.Retain));
        Assert.Equal("gone", Assert.Single(_broker.Retained).Text);
    }

    [Theory(DisplayName = "[MQTT5-3.14.4-3] A normal DISCONNECT discards the will")]
    [InlineData(MqttVersion.Mqtt31)]
    [InlineData(MqttVersion.Mqtt311)]
    [InlineData(MqttVersion.Mqtt5)]
    public async Task The_will_is_discarded_by_a_normal_end(MqttVersion version)
    {
        var client = await RawClient.ConnectAsync(_broker, Connect(version));

        await client.DisconnectAsync();
        _time.Advance(1000 * Second);

        Assert.Empty(_broker.Published);
    }

    [Fact]
    public async Task A_DISCONNECT_with_will_sends_it()
    {
        var client = await RawClient.ConnectAsync(_broker, Connect());

        await client.DisconnectAsync(ReasonCode.DisconnectWithWillMessage);

        Assert.Equal("gone", (await _broker.WaitForPublishedAsync(1))[0].Text);
    }

    [Fact]
    public async Task A_client_that_breaks_the_rules_leaves_its_will()
    {
        await using var client = await RawClient.ConnectAsync(_broker, Connect());

        await client.Peer.SendBytesAsync(new byte[] { 0x00, 0x00 });

        Assert.Equal("gone", (await _broker.WaitForPublishedAsync(1))[0].Text);
    }

    [Fact]
    public async Task Dropping_connections_sends_wills_before_it_returns()
    {
        await using var client = await RawClient.ConnectAsync(_broker, Connect());

        _broker.DropConnections();

        Assert.Equal("gone", Assert.Single(_broker.Published).Text);
        Assert.Empty(_broker.ConnectedClients);
        await client.Peer.ExpectClosedAsync();
    }

    [Fact(DisplayName = "[MQTT5-3.1.3-9] A delayed will waits, and a client that comes back in time is not mourned")]
    public async Task A_delayed_will_waits_for_the_client()
    {
        await using var first = await RawClient.ConnectAsync(_broker, Connect(delay: 30, expiry: 100));
        _broker.DropConnections();
        _time.Advance(29 * Second);
        await using var second = await RawClient.ConnectAsync(_broker, Connect(delay: 30, expiry: 100));
        _time.Advance(100 * Second);
        Assert.Empty(_broker.Published);

        _broker.DropConnections();
        _time.Advance(29 * Second);
        Assert.Empty(_broker.Published);
        _time.Advance(1 * Second);

        Assert.Equal("gone", Assert.Single(_broker.Published).Text);
        _time.Advance(1000 * Second);
        Assert.Single(_broker.Published);
    }

    [Fact]
    public async Task A_delayed_will_is_sent_when_the_session_ends_first()
    {
        await using var client = await RawClient.ConnectAsync(_broker, Connect(delay: 30, expiry: 10));
        _broker.DropConnections();

        _time.Advance(9 * Second);
        Assert.Empty(_broker.Published);
        _time.Advance(1 * Second);

        Assert.Single(_broker.Published);
        Assert.Empty(_broker.Sessions);
    }

    [Fact]
    public async Task A_clean_start_ends_the_session_and_sends_its_delayed_will()
    {
        await using var first = await RawClient.ConnectAsync(_broker, Connect(delay: 30, expiry: 100));
        _broker.DropConnections();

        await using var second = await RawClient.ConnectAsync(_broker, "c");

        Assert.Equal("gone", Assert.Single(_broker.Published).Text);
    }

    [Fact]
    public async Task The_will_has_all_its_properties()
    {
        await using var watcher = await RawClient.ConnectAsync(_broker, "watcher");
        await watcher.SubscribeAsync("w", identifier: 3);
        await using var client = await RawClient.ConnectAsync(_broker, new ConnectPacket
        {
            ClientId = "c",
            Will = new WillPacket
            {
                Topic = "w",
                Payload = new byte[] { 1 },
                QoS = QoS.ExactlyOnce,
                PayloadFormat = PayloadFormat.Unspecified,
                MessageExpiryInterval = 60,
                ContentType = "t",
                ResponseTopic = "r",
                CorrelationData = new byte[] { 2 },
                UserProperties = [new UserProperty("k", "v")],
            },
        });

        _broker.DropConnections();
        await watcher.Peer.ExpectClosedAsync();
        var will = Assert.Single(_broker.Published);

        Assert.Equal((QoS.ExactlyOnce, TimeSpan.FromSeconds(60), PayloadFormat.Unspecified), (will.QoS, will.TimeToLive, will.PayloadFormat));
        Assert.Equal(("t", "r"), (will.ContentType, will.ResponseTopic));
        Assert.Equal([2], will.CorrelationData?.ToArray());
        Assert.Equal([new UserProperty("k", "v")], will.UserProperties);
    }

    private static ConnectPacket Connect(MqttVersion version = MqttVersion.Mqtt5, uint? delay = null, uint? expiry = null) => new()
    {
        Version = version,
        ClientId = "c",
        CleanStart = version != MqttVersion.Mqtt5,
        SessionExpiryInterval = expiry,
        Will = new WillPacket { Topic = "will/c", Payload = "gone"u8.ToArray(), QoS = QoS.AtLeastOnce, Retain = true, DelayInterval = delay },
    };
}
