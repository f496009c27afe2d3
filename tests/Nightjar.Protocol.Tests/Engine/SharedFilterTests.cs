using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Nightjar.Protocol.Topics;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>Several subscriptions of the application behind one filter on the wire, several filters of one, scopes, and the catch-all.</summary>
public sealed class SharedFilterTests
{
    private static readonly SubscriptionTerms AnyTerms = new(QoS.AtLeastOnce, NoLocal: false, RetainAsPublished: false, RetainHandling.SendAtSubscribe, Identifier: null, []);

    [Fact]
    public void A_second_subscription_that_needs_nothing_more_costs_no_packet()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Subscribe(["a"]);
        server.Sent();
        Answer(server, 1, ReasonCode.GrantedQoS1);
        server.Driver.Answers.Clear();

        var second = server.Driver.Subscribe(["a"], retainHandling: RetainHandling.SendAtSubscribeIfNew);
        var third = server.Driver.Subscribe(["a"], QoS.AtMostOnce, RetainHandling.DoNotSend);

        Assert.Empty(server.Sent());
        Assert.Equal([second, third], server.Driver.Answers.SelectMany(a => a.Subscriptions));
        Assert.All(server.Driver.Answers, answer => Assert.Equal(ReasonCode.GrantedQoS1, answer.ReasonCode));
        server.Send("a", "1");
        Assert.Equal(3, server.Driver.Arrived.Count);
    }

    [Fact]
    public void One_that_comes_while_the_first_is_asked_for_shares_its_answer()
    {
        var server = ScriptedServer.Connected();
        var first = server.Driver.Subscribe(["a"]);
        var second = server.Driver.Subscribe(["a"], retainHandling: RetainHandling.DoNotSend);

        Assert.Equal(["SUBSCRIBE 1 a:1"], server.Sent());
        Answer(server, 1, ReasonCode.GrantedQoS1);
        Assert.Equal([first, second], Assert.Single(server.Driver.Answers).Subscriptions);
    }

    [Fact]
    public void A_shared_subscription_is_not_asked_for_twice_because_it_never_brings_retained_messages()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Subscribe(["$share/g/a"]);
        server.Driver.Subscribe(["$share/g/a"]);

        Assert.Equal(["SUBSCRIBE 1 $share/g/a:1"], server.Sent());
    }

    [Fact]
    public void The_wire_has_the_terms_that_serve_all()
    {
        var server = new ScriptedServer();
        server.Driver.Subscribe(["a"], QoS.AtMostOnce, noLocal: true);
        server.Driver.Subscribe(["a"], QoS.ExactlyOnce, RetainHandling.DoNotSend, noLocal: true, retainAsPublished: true);
        server.Driver.Subscribe(["a"], QoS.AtLeastOnce, RetainHandling.DoNotSend);
        server.Accept();

        var packet = (SubscribePacket)Assert.Single(server.SentPackets());
        Assert.Equal([new RequestedSubscription("a", QoS.ExactlyOnce) { NoLocal = false, RetainAsPublished = true }], packet.Subscriptions);
    }

    [Fact]
    public void A_higher_QoS_is_asked_for_without_the_retained_messages_that_all_have()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Subscribe(["a"], QoS.AtMostOnce);
        server.Sent();
        Answer(server, 1, ReasonCode.Success);

        server.Driver.Subscribe(["a"], QoS.AtLeastOnce, RetainHandling.DoNotSend);

        Assert.Equal(["SUBSCRIBE 2 a:1 without retained"], server.Sent());
    }

    [Fact]
    public void When_a_later_one_is_refused_the_earlier_ones_keep_what_they_have()
    {
        var server = ScriptedServer.Connected();
        var first = server.Driver.Subscribe(["a"], QoS.AtLeastOnce);
        server.Sent();
        Answer(server, 1, ReasonCode.GrantedQoS1);
        server.Driver.Answers.Clear();
        var second = server.Driver.Subscribe(["a"], QoS.ExactlyOnce);
        server.Sent();

        Answer(server, 2, ReasonCode.NotAuthorized);
        server.Send("a", "1");

        Assert.Equal([second], Assert.Single(server.Driver.Answers).Subscriptions);
        Assert.Equal([first], server.Driver.Arrived.Select(a => a.Subscription));
        server.Reconnect(sessionPresent: false);
        Assert.Equal(["SUBSCRIBE 3 a:1"], server.Sent());
    }

    [Fact]
    public void Asking_again_brings_the_retained_messages_again()
    {
        var server = ScriptedServer.Connected();
        var subscription = server.Driver.Subscribe(["a"], retainHandling: RetainHandling.DoNotSend);
        server.Sent();
        Answer(server, 1, ReasonCode.GrantedQoS1);
        server.Driver.Answers.Clear();

        server.Engine.Resubscribe(subscription, "waiter", 0);
        Assert.Equal(["SUBSCRIBE 2 a:1"], server.Sent());
        Answer(server, 2, ReasonCode.GrantedQoS1);

        Assert.Equal(["waiter"], Assert.Single(server.Driver.Answers).Waiters);
    }

    [Fact]
    public void Asking_again_is_remembered_while_there_is_no_connection()
    {
        var server = ScriptedServer.Connected();
        var subscription = server.Driver.Subscribe(["a"]);
        server.Sent();
        Answer(server, 1, ReasonCode.GrantedQoS1);
        server.Driver.Answers.Clear();
        server.Driver.Lose();
        server.Engine.Resubscribe(subscription, "waiter", 0);
        server.Driver.AdvanceTo(server.Engine.RetryAt);
        server.Accept(new ConnAckPacket { SessionPresent = true });
        Assert.Equal(["SUBSCRIBE 2 a:1"], server.Sent());

        // A refusal is for the one who asked; the subscription stays.
        Answer(server, 2, ReasonCode.QuotaExceeded);
        var answer = Assert.Single(server.Driver.Answers);
        Assert.Equal((ReasonCode.QuotaExceeded, 0, 1), (answer.ReasonCode, answer.Subscriptions.Count, answer.Waiters.Count));
        server.Send("a", "1");
        Assert.Single(server.Driver.Arrived);
    }

    [Fact]
    public void Asking_again_for_what_has_ended_is_answered_at_once()
    {
        var server = ScriptedServer.Connected();
        var subscription = server.Driver.Subscribe(["a"]);
        server.Engine.Resubscribe(subscription, "first", 0);
        server.Engine.Unsubscribe(subscription, waiter: null);
        server.Engine.Resubscribe(subscription, "second", 0);
        server.Driver.Collect();

        Assert.Equal(["first", "second"], server.Driver.Answers.SelectMany(a => a.Waiters));
        Assert.All(server.Driver.Answers, answer => Assert.Equal(ReasonCode.NoSubscriptionExisted, answer.ReasonCode));
    }

    [Fact]
    public void Of_several_filters_those_that_are_granted_go_on()
    {
        var server = ScriptedServer.Connected();
        var subscription = server.Driver.Subscribe(["a", "b", "c"]);
        Assert.Equal(["SUBSCRIBE 1 a:1 b:1 c:1"], server.Sent());

        Answer(server, 1, ReasonCode.Success, ReasonCode.UnspecifiedError, ReasonCode.GrantedQoS1);
        server.Send("a", "1");
        server.Send("b", "2");
        server.Send("c", "3");

        Assert.Equal(
            [("a", ReasonCode.Success), ("b", ReasonCode.UnspecifiedError), ("c", ReasonCode.GrantedQoS1)],
            server.Driver.Answers.Select(a => (a.Filter.Text, a.ReasonCode)));
        Assert.Equal(["1", "3"], server.Driver.Arrived.Select(a => a.Payload));
        Assert.Equal(2, subscription.Alive);
        server.Engine.Unsubscribe(subscription, "waiter");
        Assert.Equal(["UNSUBSCRIBE 2 a c"], server.Sent());
    }

    [Fact]
    public void A_message_that_matches_two_filters_of_one_subscription_comes_once()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Subscribe(["a/+", "+/b"]);

        server.Send("a/b", "1");

        Assert.Single(server.Driver.Arrived);
    }

    [Fact]
    public void Fifty_subscriptions_in_a_scope_cost_one_SUBSCRIBE_and_all_are_routed()
    {
        var server = ScriptedServer.Connected();
        var scope = Scope(server, "device/1/#");
        var members = Enumerable.Range(0, 50).Select(i => server.Driver.Subscribe([$"device/1/{i}"], retainHandling: RetainHandling.DoNotSend, scope: "device/1/#")).ToList();

        Assert.Equal(["SUBSCRIBE 1 device/1/#:1"], server.Sent());
        Answer(server, 1, ReasonCode.GrantedQoS1);
        Assert.Equal([scope, .. members], Assert.Single(server.Driver.Answers).Subscriptions);
        for (var i = 0; i < 50; i++)
        {
            server.Send($"device/1/{i}", $"{i}");
        }

        Assert.Equal(members, server.Driver.Arrived.Select(a => a.Subscription));

        // Ending one costs nothing; ending the scope gives the filter up.
        server.Engine.Unsubscribe(members[0], waiter: null);
        server.Send("device/1/0", "nobody");
        Assert.Equal(50, server.Driver.Arrived.Count);
        Assert.Empty(server.Sent());
        foreach (var member in members.Skip(1))
        {
            server.Engine.Unsubscribe(member, waiter: null);
        }

        server.Engine.Unsubscribe(scope, waiter: null);
        Assert.Equal(["UNSUBSCRIBE 2 device/1/#"], server.Sent());
    }

    [Fact]
    public void A_scope_that_is_refused_takes_its_subscriptions_along()
    {
        var server = ScriptedServer.Connected();
        var scope = Scope(server, "a/#");
        var member = server.Driver.Subscribe(["a/1"], retainHandling: RetainHandling.DoNotSend, scope: "a/#");
        server.Sent();

        Answer(server, 1, ReasonCode.NotAuthorized);
        server.Send("a/1", "1");

        Assert.Equal([scope, member], Assert.Single(server.Driver.Answers).Subscriptions);
        Assert.Equal((0, 0), (scope.Alive, member.Alive));
        Assert.Empty(server.Driver.Arrived);
    }

    [Fact]
    public void What_matches_nothing_goes_to_the_catch_all_once()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Subscribe(["a"]);
        var catchAll = new ModelSubscription([], [], AnyTerms);
        server.Engine.CatchUnrouted(catchAll);
        server.Sent();

        server.Send("a", "routed");
        server.Send("b", "unrouted", QoS.AtLeastOnce, 5);

        Assert.Equal([("a", false), ("b", true)], server.Driver.Arrived.Select(a => (a.Topic, a.Subscription == catchAll)));
        Assert.Empty(server.Sent());
        server.Driver.Complete(server.Driver.Arrived[1].Token);
        Assert.Equal(["PUBACK 5"], server.Sent());
        Assert.DoesNotContain(server.Driver.Outputs, output => output is EngineOutput.Unrouted);

        server.Engine.Unsubscribe(catchAll, waiter: null);
        server.Send("b", "nobody", QoS.AtLeastOnce, 6);
        Assert.Equal(["PUBACK 6"], server.Sent());
        Assert.Contains(new EngineOutput.Unrouted("b"), server.Driver.Outputs);
    }

    private static ModelSubscription Scope(ScriptedServer server, string filter)
    {
        var scope = new ModelSubscription([], [TopicFilter.Parse(filter)], AnyTerms);
        server.Engine.Subscribe(scope, 0);
        return scope;
    }

    private static void Answer(ScriptedServer server, ushort id, params ReasonCode[] codes) => server.Send(new SubAckPacket { PacketId = id, ReasonCodes = codes });
}
