using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Nightjar.Protocol.Topics;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>Giving filters up: with a connection, without one, across one.</summary>
public sealed class UnsubscribeTests
{
    [Fact]
    public void Several_filters_share_an_UNSUBSCRIBE_and_each_has_its_code()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Subscribe("a");
        server.Sent();
        Grant(server, 1);

        server.Engine.Unsubscribe([TopicFilter.Parse("a"), TopicFilter.Parse("b")], "waiter", 0);
        Assert.Equal(["UNSUBSCRIBE 2 a b"], server.Sent());
        server.Send(new UnsubAckPacket { PacketId = 2, ReasonCodes = [ReasonCode.Success, ReasonCode.NoSubscriptionExisted], ReasonString = "one was not there" });

        Assert.Equal(
            [
                new UnsubscribeAnswer("waiter", "a", ReasonCode.Success, "one was not there"),
                new UnsubscribeAnswer("waiter", "b", ReasonCode.NoSubscriptionExisted, "one was not there"),
            ],
            server.Driver.UnsubscribeAnswers);
    }

    [Fact]
    public void Before_5_0_an_UNSUBACK_without_codes_is_success_for_all()
    {
        var server = ScriptedServer.Connected(ScriptedServer.Settings(MqttVersion.Mqtt311));
        server.Engine.Unsubscribe([TopicFilter.Parse("a"), TopicFilter.Parse("b")], "waiter", 0);
        Assert.Equal(["UNSUBSCRIBE 1 a b"], server.Sent());

        server.Send(new UnsubAckPacket { PacketId = 1 });

        Assert.Equal([ReasonCode.Success, ReasonCode.Success], server.Driver.UnsubscribeAnswers.Select(a => a.ReasonCode));
    }

    [Fact(DisplayName = "[MQTT5-3.11.3-1] An UNSUBACK with another number of codes is a violation")]
    public void An_UNSUBACK_with_another_number_of_codes_is_a_violation()
    {
        var server = ScriptedServer.Connected();
        server.Engine.Unsubscribe([TopicFilter.Parse("a"), TopicFilter.Parse("b")], "waiter", 0);
        server.Sent();

        server.Send(new UnsubAckPacket { PacketId = 1, ReasonCodes = [ReasonCode.Success] });

        Assert.Equal(["DISCONNECT 0x82"], server.Sent());
        server.Driver.AdvanceTo(server.Engine.RetryAt);
        server.Accept(new ConnAckPacket { SessionPresent = true });
        Assert.Equal(["UNSUBSCRIBE 2 a b"], server.Sent());
    }

    [Fact]
    public void A_filter_that_is_given_up_offline_is_not_asked_for_again()
    {
        var server = ScriptedServer.Connected();
        var given = server.Driver.Subscribe("given up");
        server.Driver.Subscribe("kept");
        server.Sent();
        server.Driver.Lose();
        server.Engine.Unsubscribe(given, waiter: null);
        server.Driver.AdvanceTo(server.Engine.RetryAt);

        server.Accept(new ConnAckPacket { SessionPresent = true });

        Assert.Equal(["UNSUBSCRIBE 3 given up", "SUBSCRIBE 4 kept:2"], server.Sent());
    }

    [Fact]
    public void The_others_go_on_when_one_is_given_up()
    {
        var server = ScriptedServer.Connected();
        var first = server.Driver.Subscribe("a/1");
        var second = server.Driver.Subscribe("a/2");
        server.Sent();
        Grant(server, 1, 2);

        server.Engine.Unsubscribe(first, waiter: null);
        Assert.Equal(["UNSUBSCRIBE 3 a/1"], server.Sent());
        server.Send(new UnsubAckPacket { PacketId = 3, ReasonCodes = [ReasonCode.Success] });
        server.Send("a/1", "late");
        server.Send("a/2", "for the second");

        Assert.Equal([second], server.Driver.Arrived.Select(a => a.Subscription));
    }

    [Fact]
    public void Unsubscribing_while_offline_is_made_up_for()
    {
        var server = UnsubscribedOffline(sessionPresent: true);

        Assert.Equal(["UNSUBSCRIBE 2 a"], server.Sent());
        server.Send(new UnsubAckPacket { PacketId = 2, ReasonCodes = [ReasonCode.Success] });
        Assert.Equal([new UnsubscribeAnswer("waiter", "a", ReasonCode.Success)], server.Driver.UnsubscribeAnswers);
    }

    [Fact]
    public void A_lost_session_has_nothing_to_unsubscribe()
    {
        var server = UnsubscribedOffline(sessionPresent: false);

        Assert.Empty(server.Sent());
        Assert.Equal([new UnsubscribeAnswer("waiter", "a", ReasonCode.NoSubscriptionExisted)], server.Driver.UnsubscribeAnswers);
    }

    [Fact]
    public void An_unanswered_UNSUBSCRIBE_is_sent_again()
    {
        var server = ScriptedServer.Connected();
        server.Engine.Unsubscribe([TopicFilter.Parse("a")], "waiter", 0);
        Assert.Equal(["UNSUBSCRIBE 1 a"], server.Sent());

        server.Reconnect();

        Assert.Equal(["UNSUBSCRIBE 2 a"], server.Sent());
        Assert.Empty(server.Driver.UnsubscribeAnswers);
    }

    [Fact]
    public void Subscribing_again_takes_an_unanswered_UNSUBSCRIBE_back()
    {
        var server = ScriptedServer.Connected();
        var subscription = server.Driver.Subscribe("a");
        server.Sent();
        Grant(server, 1);
        server.Engine.Unsubscribe(subscription, "waiter");
        server.Driver.Subscribe("a");
        Assert.Equal(["UNSUBSCRIBE 2 a", "SUBSCRIBE 3 a:2"], server.Sent());
        Grant(server, 3);

        // The UNSUBACK is lost. Were the UNSUBSCRIBE sent again, it would end the new subscription.
        server.Reconnect();

        Assert.Empty(server.Sent());
        Assert.Equal([new UnsubscribeAnswer("waiter", "a", ReasonCode.Success)], server.Driver.UnsubscribeAnswers);
    }

    [Fact]
    public void Unsubscribing_what_was_denied_is_answered_here()
    {
        var server = ScriptedServer.Connected();
        var subscription = server.Driver.Subscribe("a");
        server.Sent();
        server.Send(new SubAckPacket { PacketId = 1, ReasonCodes = [ReasonCode.NotAuthorized] });

        server.Engine.Unsubscribe(subscription, "waiter");
        server.Driver.Collect();

        Assert.Empty(server.Sent());
        Assert.Single(server.Driver.UnsubscribeAnswers);
    }

    [Fact]
    public void More_requests_than_identifiers_wait_for_answers()
    {
        var server = new ScriptedServer();
        for (var i = 0; i < 66_000; i++)
        {
            server.Engine.Unsubscribe([TopicFilter.Parse($"f{i:D5}")], "waiter", 0);
        }

        // One filter fits into a packet, two do not.
        server.Accept(new ConnAckPacket { MaximumPacketSize = 16 });
        var sent = server.Sent();
        Assert.Empty(sent);

        // Without a session there is nothing to give up; with one there is.
        server.Driver.UnsubscribeAnswers.Clear();
        for (var i = 0; i < 66_000; i++)
        {
            server.Engine.Subscriptions.GiveUp($"f{i:D5}", waiter: null);
        }

        server.Engine.Unsubscribe([TopicFilter.Parse("last")], "waiter", 0);
        Assert.Equal(ushort.MaxValue, server.Sent().Count);
        server.Send(new UnsubAckPacket { PacketId = 7, ReasonCodes = [ReasonCode.Success] });
        Assert.StartsWith("UNSUBSCRIBE 7 ", Assert.Single(server.Sent()), StringComparison.Ordinal);
    }

    /// <summary>A filter that was granted was given up while there was no connection; there is one again.</summary>
    private static ScriptedServer UnsubscribedOffline(bool sessionPresent)
    {
        var server = ScriptedServer.Connected();
        var subscription = server.Driver.Subscribe("a");
        server.Sent();
        Grant(server, 1);
        server.Driver.Lose();
        server.Engine.Unsubscribe(subscription, "waiter");
        server.Driver.AdvanceTo(server.Engine.RetryAt);
        server.Accept(new ConnAckPacket { SessionPresent = sessionPresent });
        return server;
    }

    private static void Grant(ScriptedServer server, params ushort[] ids)
    {
        foreach (var id in ids)
        {
            server.Send(new SubAckPacket { PacketId = id, ReasonCodes = [ReasonCode.GrantedQoS2] });
        }
    }
}
