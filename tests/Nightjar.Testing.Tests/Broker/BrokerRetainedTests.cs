using Nightjar.Protocol.Packets;
using Xunit;

namespace Nightjar.Testing.Tests.Broker;

public sealed class BrokerRetainedTests : IAsyncDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly MqttTestBrokerOptions _options;
    private readonly MqttTestBroker _broker;

    public BrokerRetainedTests()
    {
        _options = new MqttTestBrokerOptions { Listen = false, TimeProvider = _time };
        _broker = new MqttTestBroker(_options);
    }

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Theory(DisplayName = "[MQTT5-3.3.1-5] [MQTT5-3.3.1-8] The last retained message waits for later subscribers; live it is not marked")]
    [InlineData(MqttVersion.Mqtt31)]
    [InlineData(MqttVersion.Mqtt311)]
    [InlineData(MqttVersion.Mqtt5)]
    public async Task Later_subscribers_get_the_last_retained_message(MqttVersion version)
    {
        await using var publisher = await RawClient.ConnectAsync(_broker, "publisher", version);
        await using var early = await RawClient.ConnectAsync(_broker, "early", version);
        await early.SubscribeAsync("a/#");
        await publisher.PublishAsync("a/b", "old", retain: true);
        await publisher.PublishAsync("a/b", "new", QoS.ExactlyOnce, retain: true);
        await publisher.PublishAsync("a/b", "live");
        Assert.False((await early.ReceiveAsync()).Retain);

        await using var late = await RawClient.ConnectAsync(_broker, "late", version);
        await late.SubscribeAsync("a/+", QoS.AtLeastOnce);
        var message = await late.ReceiveAsync();
        await late.FenceAsync();

        Assert.Equal(("new", true, QoS.AtLeastOnce), (message.Text, message.Retain, message.QoS));
        Assert.Equal("new", Assert.Single(_broker.Retained).Text);
    }

    [Fact(DisplayName = "[MQTT5-3.3.1-6] [MQTT5-3.3.1-7] An empty retained message removes the one before and is not kept")]
    public async Task An_empty_message_removes()
    {
        await using var client = await RawClient.ConnectAsync(_broker);
        await client.PublishAsync("a", "x", retain: true);
        await client.PublishAsync("a", "", retain: true);

        Assert.Empty(_broker.Retained);
        await client.SubscribeAsync("#");
        await client.FenceAsync();
    }

    [Fact(DisplayName = "[MQTT5-3.3.1-9] [MQTT5-3.3.1-10] [MQTT5-3.3.1-11] Retain Handling decides what a subscription gets")]
    public async Task Retain_handling_decides()
    {
        await _broker.PublishAsync("a", "x", retain: true);
        await using var client = await RawClient.ConnectAsync(_broker);

        await client.SubscribeAsync(Request(RetainHandling.DoNotSend));
        await client.FenceAsync();
        await client.SubscribeAsync(Request(RetainHandling.SendAtSubscribeIfNew));
        await client.FenceAsync();
        await client.SubscribeAsync(Request(RetainHandling.SendAtSubscribe));
        Assert.Equal("x", (await client.ReceiveAsync()).Text);
        await using var other = await RawClient.ConnectAsync(_broker, "other");
        await other.SubscribeAsync(Request(RetainHandling.SendAtSubscribeIfNew));

        Assert.Equal("x", (await other.ReceiveAsync()).Text);

        static RequestedSubscription Request(RetainHandling handling) => new("a", QoS.AtMostOnce) { RetainHandling = handling };
    }

    [Fact(DisplayName = "[MQTT5-3.3.1-12] [MQTT5-3.3.1-13] Retain As Published keeps the flag")]
    public async Task Retain_as_published_keeps_the_flag()
    {
        await using var keeps = await RawClient.ConnectAsync(_broker, "keeps");
        await using var clears = await RawClient.ConnectAsync(_broker, "clears");
        await keeps.SubscribeAsync(new RequestedSubscription("a", QoS.AtMostOnce) { RetainAsPublished = true });
        await clears.SubscribeAsync("a");

        await _broker.PublishAsync("a", "kept", retain: true);
        await _broker.PublishAsync("a", "not kept");

        Assert.True((await keeps.ReceiveAsync()).Retain);
        Assert.False((await keeps.ReceiveAsync()).Retain);
        Assert.False((await clears.ReceiveAsync()).Retain);
    }

    [Fact]
    public async Task Shared_subscriptions_get_no_retained_messages()
    {
        await _broker.PublishAsync("a", "x", retain: true);
        await using var client = await RawClient.ConnectAsync(_broker);

        await client.SubscribeAsync("$share/g/a");
        await client.SubscribeAsync("a");

        // Of the two only the plain one brings it, and nothing is before or behind that.
        Assert.Equal("x", (await client.ReceiveAsync()).Text);
        await client.FenceAsync();
    }

    [Fact]
    public async Task A_retained_message_carries_the_subscriptions_identifier_and_its_properties()
    {
        await _broker.PublishAsync(new OutgoingMessage("a", "x") { Retain = true, ContentType = "t", UserProperties = [new UserProperty("k", "v")] });
        await using var client = await RawClient.ConnectAsync(_broker);

        await client.SubscribeAsync("#", identifier: 12);
        var message = await client.ReceiveAsync();

        Assert.Equal([12u], message.SubscriptionIdentifiers);
        Assert.Equal("t", message.ContentType);
        Assert.Equal([new UserProperty("k", "v")], message.UserProperties);
    }

    [Fact(DisplayName = "[MQTT5-3.3.2-6] An expiring retained message says what is left, and goes when nothing is")]
    public async Task A_retained_message_expires()
    {
        await _broker.PublishAsync(new OutgoingMessage("a", "x") { Retain = true, TimeToLive = TimeSpan.FromSeconds(10) });
        await using var client = await RawClient.ConnectAsync(_broker);

        _time.Advance(TimeSpan.FromSeconds(3.5));
        await client.SubscribeAsync("a");
        Assert.Equal(TimeSpan.FromSeconds(7), (await client.ReceiveAsync()).TimeToLive);
        Assert.Equal(TimeSpan.FromSeconds(7), Assert.Single(_broker.Retained).TimeToLive);
        _time.Advance(TimeSpan.FromSeconds(6.5));
        await client.SubscribeAsync("a");
        await client.FenceAsync();

        Assert.Empty(_broker.Retained);
    }

    [Fact(DisplayName = "[MQTT5-3.2.2-14] A broker that does not retain ends the connection of a client that does")]
    public async Task A_broker_that_does_not_retain_says_so()
    {
        _options.RetainAvailable = false;
        await using var client = await RawClient.ConnectAsync(_broker);

        await client.Peer.SendAsync(MqttMessage.Create("a", "x", QoS.AtMostOnce, retain: true));

        Assert.Equal(ReasonCode.RetainNotSupported, (await client.Peer.ExpectAsync<DisconnectPacket>()).ReasonCode);
    }
}
