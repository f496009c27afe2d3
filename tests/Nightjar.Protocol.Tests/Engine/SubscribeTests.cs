using System.Globalization;
using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Nightjar.Protocol.Topics;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>What the application wants against what the session has.</summary>
public sealed class SubscribeTests
{
    [Fact]
    public void A_subscription_made_before_connecting_is_asked_for_on_the_first_connection()
    {
        var server = new ScriptedServer();
        var subscription = server.Driver.Subscribe("a/#", QoS.AtLeastOnce);

        server.Accept();

        Assert.Equal(["SUBSCRIBE 1 a/#:1"], server.Sent());
        server.Send(new SubAckPacket { PacketId = 1, ReasonCodes = [ReasonCode.GrantedQoS1] });
        var answer = Assert.Single(server.Driver.Answers);
        Assert.Equal((ReasonCode.GrantedQoS1, "a/#"), (answer.ReasonCode, answer.Filter.Text));
        Assert.Equal([subscription], answer.Subscriptions);
    }

    [Fact]
    public void Eight_filters_share_a_SUBSCRIBE()
    {
        var server = new ScriptedServer();
        for (var i = 0; i < 19; i++)
        {
            server.Driver.Subscribe($"f{i}");
        }

        server.Accept();

        Assert.Equal([8, 8, 3], server.Sent().Select(line => line.Split(' ').Length - 2));
    }

    [Fact]
    public void A_SUBSCRIBE_larger_than_the_server_takes_is_split()
    {
        var server = new ScriptedServer();
        for (var i = 0; i < 3; i++)
        {
            server.Driver.Subscribe(new string((char)('a' + i), 30));
        }

        var tooLong = server.Driver.Subscribe(new string('z', 90));
        server.Accept(new ConnAckPacket { MaximumPacketSize = 80 });

        Assert.Equal(3, server.Sent().Sum(line => line.Split(' ').Length - 2));
        var denied = Assert.Single(server.Driver.Answers);
        Assert.Equal(ReasonCode.PacketTooLarge, denied.ReasonCode);
        Assert.Equal([tooLong], denied.Subscriptions);
    }

    [Fact]
    public void A_resumed_session_is_not_asked_again_for_what_it_granted()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Subscribe("granted");
        server.Driver.Subscribe("unanswered");
        server.Sent();
        server.Send(new SubAckPacket { PacketId = 1, ReasonCodes = [ReasonCode.GrantedQoS2] });

        server.Reconnect();

        Assert.Equal(["SUBSCRIBE 3 unanswered:2"], server.Sent());
    }

    [Fact(DisplayName = "[MQTT5-3.2.2-5] A lost session is asked for everything again (case I')")]
    public void A_lost_session_is_asked_for_everything_again()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Subscribe("a");
        server.Driver.Subscribe("b");
        server.Sent();
        Grant(server, 1, 2);

        server.Reconnect(sessionPresent: false);

        Assert.Equal(["SUBSCRIBE 3 a:2 b:2"], server.Sent());
        server.Send("a", "again");
        Assert.Equal(["again"], server.Driver.Arrived.Select(a => a.Payload));
    }

    [Fact]
    public void In_3_1_a_resumed_session_is_asked_again_because_it_may_be_lost()
    {
        var server = ScriptedServer.Connected(ScriptedServer.Settings(MqttVersion.Mqtt31));
        server.Driver.Subscribe("a");
        server.Sent();
        Grant(server, 1);
        server.Driver.Publish("t", "p", QoS.AtLeastOnce, out _);
        server.Sent();

        server.Reconnect(sessionPresent: false);

        Assert.Equal(["PUBLISH 2 q1 dup t p", "SUBSCRIBE 3 a:2"], server.Sent());
    }

    [Fact]
    public void A_denied_subscription_hears_why_and_gets_no_messages()
    {
        var server = ScriptedServer.Connected();
        var denied = server.Driver.Subscribe("a");
        server.Driver.Subscribe("b");
        server.Sent();

        server.Send(new SubAckPacket { PacketId = 1, ReasonCodes = [ReasonCode.NotAuthorized], ReasonString = "no" });
        server.Send("a", "1");

        var answer = Assert.Single(server.Driver.Answers);
        Assert.Equal((ReasonCode.NotAuthorized, "no"), (answer.ReasonCode, answer.Detail));
        Assert.Equal([denied], answer.Subscriptions);
        Assert.Empty(server.Driver.Arrived);
        server.Reconnect(sessionPresent: false);
        Assert.Equal(["SUBSCRIBE 3 b:2"], server.Sent());
    }

    [Theory]
    [InlineData("a/+", ReasonCode.WildcardSubscriptionsNotSupported)]
    [InlineData("$share/g/a", ReasonCode.SharedSubscriptionsNotSupported)]
    [InlineData("a", ReasonCode.SubscriptionIdentifiersNotSupported)]
    public void What_the_server_does_not_do_is_denied_here(string filter, ReasonCode reason)
    {
        var server = ScriptedServer.Connected(answer: new ConnAckPacket
        {
            WildcardSubscriptionAvailable = false,
            SharedSubscriptionAvailable = false,
            SubscriptionIdentifiersAvailable = false,
        });
        uint? identifier = reason == ReasonCode.SubscriptionIdentifiersNotSupported ? 5 : null;
        var terms = new SubscriptionTerms(QoS.AtLeastOnce, NoLocal: false, RetainAsPublished: false, RetainHandling.SendAtSubscribe, identifier, []);

        server.Engine.Subscribe(new ModelSubscription(TopicFilter.Parse(filter), terms), 0);
        server.Driver.Collect();

        Assert.Empty(server.Sent());
        Assert.Equal(reason, Assert.Single(server.Driver.Answers).ReasonCode);
        server.Send("a", "1");
        Assert.Empty(server.Driver.Arrived);
    }

    [Fact(DisplayName = "[MQTT5-3.8.4-6] A SUBACK with another number of codes is a violation")]
    public void A_SUBACK_with_another_number_of_codes_is_a_violation()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Subscribe("a");
        server.Sent();

        server.Send(new SubAckPacket { PacketId = 1, ReasonCodes = [ReasonCode.GrantedQoS1, ReasonCode.GrantedQoS1] });

        Assert.Equal(["DISCONNECT 0x82"], server.Sent());
        server.Driver.AdvanceTo(server.Engine.RetryAt);
        server.Accept(new ConnAckPacket { SessionPresent = true });
        Assert.Equal(["SUBSCRIBE 2 a:2"], server.Sent());
    }

    [Fact(DisplayName = "[MQTT5-3.8.4-7] A SUBACK that grants more than was asked for is a violation")]
    public void A_SUBACK_that_grants_more_than_was_asked_for_is_a_violation()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Subscribe("a", QoS.AtLeastOnce);
        server.Driver.Subscribe("b", QoS.ExactlyOnce);
        server.Sent();

        server.Send(new SubAckPacket { PacketId = 2, ReasonCodes = [ReasonCode.GrantedQoS2] });
        Assert.Empty(server.Sent());
        server.Send(new SubAckPacket { PacketId = 1, ReasonCodes = [ReasonCode.GrantedQoS2] });

        Assert.Equal(["DISCONNECT 0x82"], server.Sent());
        Assert.Equal("b", Assert.Single(server.Driver.Answers).Filter.Text);
    }

    [Fact]
    public void A_hundred_filters_are_restored_in_thirteen_packets_and_one_write()
    {
        var server = ScriptedServer.Connected();
        for (var i = 0; i < 100; i++)
        {
            server.Driver.Subscribe($"sensors/{i}/+");
        }

        foreach (var line in server.Sent())
        {
            Grant(server, ushort.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture));
        }

        server.Reconnect(sessionPresent: true);
        Assert.Empty(server.Sent());

        server.Reconnect(sessionPresent: false);
        var restored = server.Taken();
        Assert.Equal(13, restored.Count);
        Assert.Equal(100, restored.Sum(line => line.Split(' ').Length - 2));
    }

    [Fact]
    public void A_first_connection_to_a_kept_session_asks_for_everything_because_it_knows_nothing()
    {
        var server = new ScriptedServer();
        server.Driver.Subscribe("a");
        server.Driver.Subscribe("b");

        server.Accept(new ConnAckPacket { SessionPresent = true });

        Assert.Equal(["SUBSCRIBE 1 a:2 b:2"], server.Sent());
    }

    [Fact]
    public void A_message_in_the_same_segment_as_the_CONNACK_of_a_resumed_session_is_delivered()
    {
        var server = new ScriptedServer();
        server.Driver.Subscribe("a/#");
        server.Open();

        server.Driver.Receive([
            .. PacketWriter.ToArray(new ConnAckPacket { SessionPresent = true }, MqttVersion.Mqtt5),
            .. server.Publish("a/b", "stored", QoS.AtLeastOnce, 7),
            .. server.Publish("a/c", "too", QoS.ExactlyOnce, 8)]);

        Assert.Equal(["stored", "too"], server.Driver.Arrived.Select(a => a.Payload));
        foreach (var arrival in server.Driver.Arrived.ToList())
        {
            server.Driver.Complete(arrival.Token);
        }

        Assert.Equal(["PUBACK 7", "PUBREC 8", "SUBSCRIBE 1 a/#:2"], server.Sent());
    }

    [Fact]
    public void A_SUBSCRIBE_that_was_cut_off_is_sent_once_after_the_reconnection()
    {
        var server = ScriptedServer.Connected();
        var subscription = server.Driver.Subscribe("a");
        Assert.Equal(["SUBSCRIBE 1 a:2"], server.Sent());

        server.Reconnect();

        Assert.Equal(["SUBSCRIBE 2 a:2"], server.Sent());
        Grant(server, 2);
        Assert.Equal([subscription], Assert.Single(server.Driver.Answers).Subscriptions);
        server.Reconnect();
        Assert.Empty(server.Sent());
    }

    [Fact]
    public void A_SUBACK_that_nobody_waits_for_is_ignored()
    {
        var server = ScriptedServer.Connected();

        server.Send(new SubAckPacket { PacketId = 9, ReasonCodes = [ReasonCode.NotAuthorized] });
        server.Send(new UnsubAckPacket { PacketId = 9, ReasonCodes = [ReasonCode.Success] });

        Assert.Empty(server.Driver.Answers);
        Assert.Equal(ClientState.Connected, server.Engine.State);
    }

    [Fact]
    public void The_same_filter_twice_is_one_on_the_wire_and_given_up_with_the_last()
    {
        var server = ScriptedServer.Connected(ScriptedServer.Settings() with { SubscriptionIdentifiers = false });
        var first = server.Driver.Subscribe("a", QoS.AtMostOnce);
        Assert.Equal(["SUBSCRIBE 1 a:0"], server.Sent());
        Grant(server, QoS.AtMostOnce, 1);
        var second = server.Driver.Subscribe("a", QoS.ExactlyOnce);
        Assert.Equal(["SUBSCRIBE 2 a:2"], server.Sent());
        Grant(server, 2);

        server.Engine.Unsubscribe(first, waiter: null);
        Assert.Empty(server.Sent());
        server.Send("a", "1");
        Assert.Equal([second], server.Driver.Arrived.Select(a => a.Subscription));

        server.Engine.Unsubscribe(second, "waiter");
        Assert.Equal(["UNSUBSCRIBE 3 a"], server.Sent());
        server.Send(new UnsubAckPacket { PacketId = 3, ReasonCodes = [ReasonCode.Success] });
        Assert.Equal([new UnsubscribeAnswer("waiter", "a", ReasonCode.Success)], server.Driver.UnsubscribeAnswers);
    }

    [Fact]
    public void An_answer_to_older_terms_does_not_count_for_newer_ones()
    {
        var server = ScriptedServer.Connected(ScriptedServer.Settings() with { SubscriptionIdentifiers = false });
        server.Driver.Subscribe("a", QoS.AtMostOnce);
        server.Driver.Subscribe("a", QoS.ExactlyOnce);
        server.Sent();
        server.Send(new SubAckPacket { PacketId = 1, ReasonCodes = [ReasonCode.Success] });
        Assert.Empty(server.Driver.Answers);

        server.Reconnect();

        Assert.Equal(["SUBSCRIBE 3 a:2"], server.Sent());
        server.Send(new SubAckPacket { PacketId = 3, ReasonCodes = [ReasonCode.GrantedQoS2] });
        Assert.Equal(2, Assert.Single(server.Driver.Answers).Subscriptions.Count);
    }

    [Fact(DisplayName = "[MQTT5-4.9.0-3] Subscriptions do not wait for a full window")]
    public void Subscriptions_do_not_wait_for_a_full_window()
    {
        var server = ScriptedServer.Connected(answer: new ConnAckPacket { ReceiveMaximum = 1 });
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);
        server.Driver.Publish("t", "2", QoS.AtLeastOnce, out _);

        server.Driver.Subscribe("a");

        Assert.Equal(["PUBLISH 1 q1 t 1", "SUBSCRIBE 2 a:2"], server.Sent());
    }

    private static void Grant(ScriptedServer server, params ushort[] ids) => Grant(server, QoS.ExactlyOnce, ids);

    private static void Grant(ScriptedServer server, QoS qos, params ushort[] ids)
    {
        foreach (var id in ids)
        {
            server.Send(new SubAckPacket { PacketId = id, ReasonCodes = [(ReasonCode)(byte)qos] });
        }
    }
}
