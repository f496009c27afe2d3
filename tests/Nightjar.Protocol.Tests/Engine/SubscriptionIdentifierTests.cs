using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Journal;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Nightjar.Protocol.Tests.Journal;
using Nightjar.Protocol.Topics;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>Filters that overlap are told apart by subscription identifiers, so that a copy for each of them reaches each subscription once.</summary>
public sealed class SubscriptionIdentifierTests
{
    // The random number that it starts from is nought here.
    private const uint First = (1 << 21) + 1;

    [Fact]
    public void Filters_that_do_not_overlap_need_none_and_share_a_packet()
    {
        var server = Connected();
        server.Driver.Subscribe(["a/1", "a/2", "b/+", "$share/g/c"]);

        Assert.Equal(["SUBSCRIBE 1 a/1:1 a/2:1 b/+:1 $share/g/c:1"], server.Sent());
    }

    [Fact]
    public void A_copy_for_each_overlapping_filter_reaches_each_subscription_once()
    {
        var server = Connected();
        var narrow = server.Driver.Subscribe(["a/b"]);
        var wide = server.Driver.Subscribe(["a/#"]);

        // The first was asked for before it overlapped; it gets its identifier before the other exists.
        Assert.Equal(["SUBSCRIBE 1 a/b:1", $"SUBSCRIBE 2 ={First} a/b:1 without retained", $"SUBSCRIBE 3 ={First + 1} a/#:1"], server.Sent());
        Grant(server, 1, 2, 3);
        server.SendMarked("a/b", "copy 1", retain: false, First);
        server.SendMarked("a/b", "copy 2", retain: false, First + 1);

        Assert.Equal([(narrow, "copy 1"), (wide, "copy 2")], server.Driver.Arrived.Select(a => (a.Subscription, a.Payload)));
        Assert.Single(server.Driver.Answers, answer => answer.Filter.Text == "a/b");
    }

    [Fact]
    public void A_filter_that_was_granted_without_gets_one_and_no_retained_messages_again()
    {
        var server = Connected();
        server.Driver.Subscribe(["a/b"]);
        server.Sent();
        Grant(server, 1);

        server.Driver.Subscribe(["a/+"]);

        Assert.Equal([$"SUBSCRIBE 2 ={First} a/b:1 without retained", $"SUBSCRIBE 3 ={First + 1} a/+:1"], server.Sent());
    }

    [Fact]
    public void One_copy_with_all_identifiers_reaches_each_subscription_once()
    {
        var (server, narrow, wide) = Overlapping();

        server.SendMarked("a/b", "1", retain: false, First + 1, First);

        Assert.Equal([narrow, wide], server.Driver.Arrived.Select(a => a.Subscription).OrderBy(s => s == wide));
    }

    [Fact]
    public void A_copy_of_a_shared_subscription_is_not_taken_for_the_plain_ones()
    {
        var server = new ScriptedServer(Settings());
        var shared = server.Driver.Subscribe(["$share/g/a"]);
        var plain = server.Driver.Subscribe(["a"]);
        server.Accept();
        Assert.Equal([$"SUBSCRIBE 1 ={First} $share/g/a:1", $"SUBSCRIBE 2 ={First + 1} a:1"], server.Sent());
        Grant(server, 1, 2);

        server.SendMarked("a", "1", retain: false, First);
        server.SendMarked("a", "2", retain: false, First + 1);

        Assert.Equal([shared, plain], server.Driver.Arrived.Select(a => a.Subscription));
    }

    [Theory]
    [InlineData(new uint[0])]
    [InlineData(new uint[] { 9 })]
    [InlineData(new uint[] { First, 9 })]
    public void Without_an_identifier_or_with_one_that_is_not_known_the_topic_decides(uint[] identifiers)
    {
        var (server, _, _) = Overlapping();

        server.SendMarked("a/b", "1", retain: false, identifiers);

        Assert.Equal(2, server.Driver.Arrived.Count);
    }

    [Fact]
    public void More_identifiers_than_are_looked_at_lose_nothing()
    {
        var (server, _, _) = Overlapping();

        server.SendMarked("a/b", "1", retain: false, [.. Enumerable.Repeat(First, SubscriptionIdentifiers.MostInMessage + 1)]);

        Assert.Equal(2, server.Driver.Arrived.Count);
    }

    [Fact]
    public void A_filter_that_was_given_up_gets_nothing_and_takes_nothing_from_the_others()
    {
        var (server, narrow, wide) = Overlapping();
        server.Engine.Unsubscribe(narrow, waiter: null);
        Assert.Equal(["UNSUBSCRIBE 4 a/b"], server.Sent());

        // Under way before the server knew.
        server.SendMarked("a/b", "copy 1", retain: false, First);
        server.SendMarked("a/b", "copy 2", retain: false, First + 1);
        Assert.Equal([(wide, "copy 2")], server.Driver.Arrived.Select(a => (a.Subscription, a.Payload)));

        // Once it is gone the number is unknown, and what still came for it would be lost to nobody.
        server.Send(new UnsubAckPacket { PacketId = 4, ReasonCodes = [ReasonCode.Success] });
        server.SendMarked("a/b", "late", retain: false, First);
        Assert.Equal("late", server.Driver.Arrived[^1].Payload);
    }

    [Fact]
    public void A_filter_that_was_not_granted_on_higher_terms_keeps_its_copies_apart_from_the_others()
    {
        var (server, narrow, wide) = Overlapping();
        server.Driver.Subscribe(["a/b"], QoS.ExactlyOnce);
        server.SentPackets();
        server.Send(new SubAckPacket { PacketId = 4, ReasonCodes = [ReasonCode.QuotaExceeded] });

        server.SendMarked("a/b", "copy 1", retain: false, First);
        server.SendMarked("a/b", "copy 2", retain: false, First + 1);

        Assert.Equal([(narrow, "copy 1"), (wide, "copy 2")], server.Driver.Arrived.Select(a => (a.Subscription, a.Payload)));
    }

    [Fact]
    public void A_filter_that_comes_back_before_its_UNSUBSCRIBE_left_hears_its_old_number()
    {
        var (server, narrow, _) = Overlapping();
        server.Driver.Lose();
        server.Engine.Unsubscribe(narrow, waiter: null);
        var again = server.Driver.Subscribe(["a/b"]);
        server.Driver.AdvanceTo(server.Engine.RetryAt);
        server.Accept(new ConnAckPacket { SessionPresent = true });
        Assert.Equal([$"SUBSCRIBE 4 ={First + 2} a/b:1"], server.Sent());

        server.SendMarked("a/b", "stored", retain: false, First);

        Assert.Equal([again], server.Driver.Arrived.Select(a => a.Subscription));
    }

    [Fact]
    public void Who_comes_before_the_first_SUBACK_brings_no_retained_messages_to_others_again()
    {
        var server = Connected();
        var first = server.Driver.Subscribe(["a"]);
        Assert.Equal(["SUBSCRIBE 1 a:1"], server.Sent());

        var second = server.Driver.Subscribe(["a"]);
        Assert.Equal([$"SUBSCRIBE 2 ={First} a:1"], server.Sent());
        Grant(server, 1);
        server.SendMarked("a", "retained", retain: true);
        Grant(server, 2);
        server.SendMarked("a", "retained", retain: true, First);

        // The newcomer may get both: what comes without a number is for whoever is there.
        Assert.Single(server.Driver.Arrived, arrived => arrived.Subscription == first);
        Assert.Contains(server.Driver.Arrived, arrived => arrived.Subscription == second);
    }

    [Fact]
    public void What_a_connection_left_unanswered_brings_retained_messages_to_all_again()
    {
        var server = Connected();
        var first = server.Driver.Subscribe(["a"]);
        server.Sent();
        var second = server.Driver.Subscribe(["a"]);
        server.Sent();

        server.Driver.Lose();
        server.Driver.AdvanceTo(server.Engine.RetryAt);
        server.Accept(new ConnAckPacket { SessionPresent = true });
        Assert.Equal(["SUBSCRIBE 3 a:1"], server.Sent());
        Grant(server, 3);
        server.SendMarked("a", "retained", retain: true);

        Assert.Equal([first, second], server.Driver.Arrived.Select(a => a.Subscription));
    }

    [Fact]
    public void Retained_messages_reach_only_those_who_have_come_since()
    {
        var server = Connected();
        var first = server.Driver.Subscribe(["a"]);
        server.Sent();
        Grant(server, 1);

        var second = server.Driver.Subscribe(["a"]);
        Assert.Equal([$"SUBSCRIBE 2 ={First} a:1"], server.Sent());
        Grant(server, 2);
        server.SendMarked("a", "retained", retain: true, First);
        server.SendMarked("a", "live", retain: false, First);
        Assert.Equal([(second, "retained"), (first, "live"), (second, "live")], server.Driver.Arrived.Select(a => (a.Subscription, a.Payload)));

        server.Driver.Arrived.Clear();
        server.Engine.Resubscribe(first, "waiter", 0);
        Assert.Equal([$"SUBSCRIBE 3 ={First + 1} a:1"], server.Sent());
        Grant(server, 3);
        server.SendMarked("a", "retained", retain: true, First + 1);
        Assert.Equal([first], server.Driver.Arrived.Select(a => a.Subscription));
    }

    [Fact]
    public void With_retain_as_published_the_flag_tells_nothing_so_all_get_it()
    {
        var server = Connected();
        server.Driver.Subscribe(["a"], retainAsPublished: true);
        server.Sent();
        Grant(server, 1);
        server.Driver.Subscribe(["a"]);
        Assert.Equal(["SUBSCRIBE 2 a:1"], server.Sent());

        server.SendMarked("a", "retained or not", retain: true);

        Assert.Equal(2, server.Driver.Arrived.Count);
    }

    [Fact]
    public void No_number_is_used_twice_not_even_in_the_next_session()
    {
        var (server, _, _) = Overlapping();

        server.Reconnect(sessionPresent: false);

        Assert.Equal([$"SUBSCRIBE 4 ={First + 2} a/b:1", $"SUBSCRIBE 5 ={First + 3} a/#:1", "SUBSCRIBE 6 other:1"], server.Sent());
        server.SendMarked("a/b", "of the session before", retain: false, First);
        Assert.Equal(2, server.Driver.Arrived.Count);
    }

    [Fact]
    public void A_kept_session_keeps_them()
    {
        var (server, narrow, _) = Overlapping();

        server.Reconnect();

        Assert.Empty(server.Sent());
        server.SendMarked("a/b", "1", retain: false, First);
        Assert.Equal([narrow], server.Driver.Arrived.Select(a => a.Subscription));
    }

    [Fact]
    public void In_a_session_of_an_earlier_process_the_topic_decides_until_the_filter_is_granted()
    {
        var server = new ScriptedServer(Settings());
        var narrow = server.Driver.Subscribe(["a/b"]);
        server.Driver.Subscribe(["a/#"]);
        server.Accept(new ConnAckPacket { SessionPresent = true });
        server.Sent();
        Grant(server, 1);

        // A server that sends one copy names the filter that it has a number for; the other one it may have without.
        server.SendMarked("a/b", "1", retain: false, First);
        Assert.Equal(2, server.Driver.Arrived.Count);

        Grant(server, 2);
        server.SendMarked("a/b", "2", retain: false, First);
        Assert.Equal([narrow], server.Driver.Arrived.Skip(2).Select(a => a.Subscription));
    }

    [Theory]
    [InlineData(MqttVersion.Mqtt311, true, true)]
    [InlineData(MqttVersion.Mqtt5, false, true)]
    [InlineData(MqttVersion.Mqtt5, true, false)]
    public void Where_they_are_not_to_be_had_the_topic_decides(MqttVersion version, bool available, bool wanted)
    {
        var server = new ScriptedServer(Settings(version) with { SubscriptionIdentifiers = wanted });
        server.Driver.Subscribe(["a/b"]);
        server.Driver.Subscribe(["a/#"]);
        server.Accept(new ConnAckPacket { SubscriptionIdentifiersAvailable = version == MqttVersion.Mqtt5 ? available : null });

        Assert.Equal(["SUBSCRIBE 1 a/b:1 a/#:1"], server.Sent());
        server.Send("a/b", "1");
        Assert.Equal(2, server.Driver.Arrived.Count);
    }

    [Fact]
    public void The_applications_own_number_is_used_and_routed_by()
    {
        var server = Connected();
        var narrow = server.Driver.Subscribe(["a/b"], identifier: 7);
        var wide = server.Driver.Subscribe(["a/#"]);
        Assert.Equal(["SUBSCRIBE 1 =7 a/b:1", $"SUBSCRIBE 2 ={First} a/#:1"], server.Sent());
        Grant(server, 1, 2);

        server.SendMarked("a/b", "1", retain: false, 7);
        server.SendMarked("a/b", "2", retain: false, First);

        Assert.Equal([narrow, wide], server.Driver.Arrived.Select(a => a.Subscription));
    }

    [Fact]
    public void A_number_that_the_application_gave_to_several_filters_stands_for_all_of_them()
    {
        var server = Connected();
        server.Driver.Subscribe(["a"], identifier: 7);
        var second = server.Driver.Subscribe(["b", "c"], identifier: 7);
        Assert.Equal(["SUBSCRIBE 1 =7 a:1", "SUBSCRIBE 2 =7 b:1 c:1"], server.Sent());

        server.SendMarked("c", "1", retain: false, 7);

        Assert.Equal([second], server.Driver.Arrived.Select(a => a.Subscription));
    }

    [Fact]
    public void A_number_that_the_application_has_taken_is_passed_over()
    {
        var server = Connected();
        server.Driver.Subscribe(["c"], identifier: First);
        server.Driver.Subscribe(["a/b"]);
        server.Driver.Subscribe(["a/#"]);

        Assert.Equal(
            [$"SUBSCRIBE 1 ={First} c:1", "SUBSCRIBE 2 a/b:1", $"SUBSCRIBE 3 ={First + 1} a/b:1 without retained", $"SUBSCRIBE 4 ={First + 2} a/#:1"],
            server.Sent());
    }

    [Fact]
    public void Within_a_scope_the_topic_decides()
    {
        var server = Connected();
        server.Engine.Subscribe(new ModelSubscription([], [TopicFilter.Parse("a/#")], Terms()), 0);
        var one = server.Driver.Subscribe(["a/1"], retainHandling: RetainHandling.DoNotSend, scope: "a/#");
        server.Driver.Subscribe(["a/2"], retainHandling: RetainHandling.DoNotSend, scope: "a/#");
        var wide = server.Driver.Subscribe(["+/1"]);
        Assert.Equal(["SUBSCRIBE 1 a/#:1", $"SUBSCRIBE 2 ={First} a/#:1 without retained", $"SUBSCRIBE 3 ={First + 1} +/1:1"], server.Sent());
        Grant(server, 1, 2, 3);

        server.SendMarked("a/1", "1", retain: false, First);
        server.SendMarked("a/1", "2", retain: false, First + 1);

        Assert.Equal([one, wide], server.Driver.Arrived.Select(a => a.Subscription));
    }

    [Fact]
    public void A_number_is_in_the_log_before_its_SUBSCRIBE_leaves()
    {
        var log = new RecordingLog();
        var server = ScriptedServer.Connected(Settings(), log: log);
        server.Driver.Subscribe(["a"], identifier: 7);

        Assert.Empty(server.Sent());
        Assert.Equal(JournalRecord.Identified, log.Types.Last());
        server.Engine.HandleCommitted(log.Records.Count);
        Assert.Equal(["SUBSCRIBE 1 =7 a:1"], server.Sent());
    }

    [Fact]
    public void What_an_earlier_process_told_the_server_stays_known()
    {
        var server = new ScriptedServer(Settings());
        server.Engine.Identifiers.Restore([(First, "a/b"), (First + 1, "a/#")], highest: First + 2);
        var narrow = server.Driver.Subscribe(["a/b"]);
        server.Driver.Subscribe(["a/#"]);
        server.Accept(new ConnAckPacket { SessionPresent = true });
        Assert.Equal([$"SUBSCRIBE 1 ={First + 3} a/b:1", $"SUBSCRIBE 2 ={First + 4} a/#:1"], server.Sent());
        Grant(server, 1, 2);

        server.SendMarked("a/b", "stored", retain: false, First);

        Assert.Equal([narrow], server.Driver.Arrived.Select(a => a.Subscription));
    }

    private static EngineSettings Settings(MqttVersion version = MqttVersion.Mqtt5) => ScriptedServer.Settings(version) with { Random = () => 0 };

    private static SubscriptionTerms Terms() => new(QoS.AtLeastOnce, NoLocal: false, RetainAsPublished: false, RetainHandling.SendAtSubscribe, Identifier: null, []);

    private static ScriptedServer Connected() => ScriptedServer.Connected(Settings());

    private static (ScriptedServer Server, LocalSubscription Narrow, LocalSubscription Wide) Overlapping()
    {
        var server = new ScriptedServer(Settings());
        var narrow = server.Driver.Subscribe(["a/b"]);
        var wide = server.Driver.Subscribe(["a/#"]);
        server.Accept();
        server.Sent();
        Grant(server, 1, 2);
        server.Driver.Subscribe(["other"]);
        server.Sent();
        Grant(server, 3);
        return (server, narrow, wide);
    }

    private static void Grant(ScriptedServer server, params ushort[] ids)
    {
        foreach (var id in ids)
        {
            server.Send(new SubAckPacket { PacketId = id, ReasonCodes = [ReasonCode.GrantedQoS1] });
        }
    }
}
