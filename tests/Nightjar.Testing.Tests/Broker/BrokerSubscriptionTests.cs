using Nightjar.Protocol.Packets;
using Xunit;

namespace Nightjar.Testing.Tests.Broker;

public sealed class BrokerSubscriptionTests : IAsyncDisposable
{
    private readonly MqttTestBrokerOptions _options = new() { Listen = false };
    private readonly MqttTestBroker _broker;

    public BrokerSubscriptionTests() => _broker = new MqttTestBroker(_options);

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Fact(DisplayName = "[MQTT5-3.3.4-2] [MQTT5-3.3.4-3] Overlapping subscriptions give one copy, at the highest QoS, with all identifiers")]
    public async Task Overlapping_subscriptions_give_one_copy()
    {
        await using var client = await RawClient.ConnectAsync(_broker);
        await client.SubscribeAsync("a/#", QoS.AtMostOnce, identifier: 1);
        await client.SubscribeAsync("a/b", QoS.AtLeastOnce, identifier: 2);
        await client.SubscribeAsync("+/b", QoS.AtMostOnce);

        Assert.Equal(1, await _broker.PublishAsync("a/b", "x", QoS.ExactlyOnce));
        var message = await client.ReceiveAsync();
        await client.FenceAsync();

        Assert.Equal(QoS.AtLeastOnce, message.QoS);
        Assert.Equal([1u, 2u], message.SubscriptionIdentifiers.Order());
    }

    [Fact(DisplayName = "[MQTT5-3.8.4-3] A second SUBSCRIBE for a filter replaces the first")]
    public async Task A_subscription_is_replaced()
    {
        await using var client = await RawClient.ConnectAsync(_broker);
        await client.SubscribeAsync("a", QoS.ExactlyOnce, identifier: 1);
        await client.SubscribeAsync("a", QoS.AtMostOnce, identifier: 268_435_455);

        await _broker.PublishAsync("a", "x");
        var message = await client.ReceiveAsync();
        await client.FenceAsync();

        Assert.Equal(QoS.AtMostOnce, message.QoS);
        Assert.Equal([268_435_455u], message.SubscriptionIdentifiers);
    }

    [Fact(DisplayName = "[MQTT5-3.8.3-3] No Local hides a client's own messages from it")]
    public async Task No_local_hides_ones_own_messages()
    {
        await using var client = await RawClient.ConnectAsync(_broker, "me");
        await using var other = await RawClient.ConnectAsync(_broker, "other");
        await client.SubscribeAsync(new RequestedSubscription("a", QoS.AtMostOnce) { NoLocal = true });

        Assert.Equal(ReasonCode.NoMatchingSubscribers, await client.PublishAsync("a", "mine"));
        Assert.Equal(ReasonCode.Success, await other.PublishAsync("a", "theirs"));

        Assert.Equal("theirs", (await client.ReceiveAsync()).Text);
    }

    [Fact]
    public async Task Unsubscribing_ends_delivery_and_says_what_existed()
    {
        await using var client = await RawClient.ConnectAsync(_broker);
        await client.SubscribeAsync("a");
        await client.SubscribeAsync("b");

        await client.Peer.SendAsync(new UnsubscribePacket { PacketId = 9, Filters = ["a", "never"] });
        var unsubAck = await client.Peer.ExpectAsync<UnsubAckPacket>();
        await _broker.PublishAsync("a", "x");
        await client.FenceAsync();

        Assert.Equal([ReasonCode.Success, ReasonCode.NoSubscriptionExisted], unsubAck.ReasonCodes);
        Assert.Equal(["b"], _broker.Subscriptions);
    }

    [Theory]
    [InlineData(MqttVersion.Mqtt31)]
    [InlineData(MqttVersion.Mqtt311)]
    public async Task Before_5_0_unsubscribing_is_answered_without_codes(MqttVersion version)
    {
        await using var client = await RawClient.ConnectAsync(_broker, "c", version);
        await client.SubscribeAsync("a");

        await client.Peer.SendAsync(new UnsubscribePacket { PacketId = 9, Filters = ["a"] });

        Assert.Empty((await client.Peer.ExpectAsync<UnsubAckPacket>()).ReasonCodes);
        Assert.Empty(_broker.Subscriptions);
    }

    [Fact]
    public async Task Each_filter_of_a_subscribe_has_its_own_answer()
    {
        _options.MaySubscribe = (_, filter) => filter != "secret";
        await using var client = await RawClient.ConnectAsync(_broker);
        await using var older = await RawClient.ConnectAsync(_broker, "older", MqttVersion.Mqtt311);
        RequestedSubscription[] filters = [new("a", QoS.AtMostOnce), new("secret", QoS.AtLeastOnce), new("b/#", QoS.ExactlyOnce)];

        await client.Peer.SendAsync(new SubscribePacket { PacketId = 1, Subscriptions = filters });
        await older.Peer.SendAsync(new SubscribePacket { PacketId = 1, Subscriptions = filters });

        Assert.Equal(
            [ReasonCode.Success, ReasonCode.NotAuthorized, ReasonCode.GrantedQoS2],
            (await client.Peer.ExpectAsync<SubAckPacket>()).ReasonCodes);
        Assert.Equal(
            [ReasonCode.Success, ReasonCode.UnspecifiedError, ReasonCode.GrantedQoS2],
            (await older.Peer.ExpectAsync<SubAckPacket>()).ReasonCodes);
    }

    [Fact]
    public async Task What_the_broker_does_not_offer_is_refused()
    {
        _options.WildcardSubscriptionAvailable = false;
        _options.SharedSubscriptionAvailable = false;
        _options.SubscriptionIdentifiersAvailable = false;
        await using var client = await RawClient.ConnectAsync(_broker);

        Assert.Equal(ReasonCode.WildcardSubscriptionsNotSupported, await client.SubscribeAsync("a/#"));
        Assert.Equal(ReasonCode.SharedSubscriptionsNotSupported, await client.SubscribeAsync("$share/g/a"));
        Assert.Equal(ReasonCode.SubscriptionIdentifiersNotSupported, await client.SubscribeAsync("a", identifier: 1));
        Assert.Equal(ReasonCode.GrantedQoS2, await client.SubscribeAsync("a"));
    }

    [Fact(DisplayName = "[MQTT5-4.8.2-4] Each message of a shared subscription goes to one member, in turn")]
    public async Task A_shared_subscription_takes_turns()
    {
        await using var first = await RawClient.ConnectAsync(_broker, "first");
        await using var second = await RawClient.ConnectAsync(_broker, "second", MqttVersion.Mqtt311);
        await using var whole = await RawClient.ConnectAsync(_broker, "whole");
        await first.SubscribeAsync("$share/g/a/+");
        await second.SubscribeAsync("$share/g/a/+");
        await whole.SubscribeAsync("a/#");

        for (var i = 1; i <= 4; i++)
        {
            Assert.Equal(2, await _broker.PublishAsync("a/b", $"{i}", QoS.AtMostOnce));
        }

        Assert.Equal(["1", "3"], [(await first.ReceiveAsync()).Text, (await first.ReceiveAsync()).Text]);
        Assert.Equal(["2", "4"], [(await second.ReceiveAsync()).Text, (await second.ReceiveAsync()).Text]);
        await first.FenceAsync();
        await second.FenceAsync();
        for (var i = 1; i <= 4; i++)
        {
            Assert.Equal($"{i}", (await whole.ReceiveAsync()).Text);
        }
    }

    [Fact]
    public async Task Groups_of_other_names_each_get_the_message_and_members_that_leave_are_passed_over()
    {
        await using var first = await RawClient.ConnectAsync(_broker, "first");
        await using var second = await RawClient.ConnectAsync(_broker, "second");
        await first.SubscribeAsync("$share/g/a", identifier: 4);
        await second.SubscribeAsync("$share/g/a");
        await first.SubscribeAsync("$share/h/a", identifier: 5);

        await second.DisconnectAsync();
        await _broker.PublishAsync("a", "x", QoS.AtMostOnce);
        await _broker.PublishAsync("a", "y", QoS.AtMostOnce);

        var received = new List<(string, uint)>();
        for (var i = 0; i < 4; i++)
        {
            var message = await first.ReceiveAsync();
            received.Add((message.Text, Assert.Single(message.SubscriptionIdentifiers)));
        }

        Assert.Equal([("x", 4u), ("x", 5u), ("y", 4u), ("y", 5u)], received.Order());
    }

    [Fact]
    public async Task A_shared_message_waits_for_a_member_only_if_all_are_away()
    {
        await using var here = await RawClient.ConnectAsync(_broker, "here");
        var away = await RawClient.ConnectAsync(_broker, new ConnectPacket { ClientId = "away", SessionExpiryInterval = 100 });
        await away.SubscribeAsync("$share/g/a");
        await here.SubscribeAsync("$share/g/a");
        await away.DisconnectAsync();

        await _broker.PublishAsync("a", "1");
        await _broker.PublishAsync("a", "2");
        Assert.Equal(["1", "2"], [(await here.ReceiveAsync()).Text, (await here.ReceiveAsync()).Text]);
        await here.DisconnectAsync();
        await _broker.PublishAsync("a", "3");

        await using var back = await RawClient.ConnectAsync(_broker, new ConnectPacket { ClientId = "away", SessionExpiryInterval = 100 });
        Assert.Equal("3", (await back.ReceiveAsync()).Text);
    }

    [Fact(DisplayName = "[MQTT5-4.7.2-1] A wildcard at the start does not match $SYS")]
    public async Task Dollar_topics_are_hidden_from_wildcards()
    {
        await using var client = await RawClient.ConnectAsync(_broker);
        await client.SubscribeAsync("#");
        await client.SubscribeAsync("$SYS/#", identifier: 1);

        await _broker.PublishAsync("$SYS/x", "hidden");

        Assert.Equal([1u], (await client.ReceiveAsync()).SubscriptionIdentifiers);
    }
}
