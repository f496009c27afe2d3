using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>A message from the command to its last answer, over lost connections and lost sessions.</summary>
public sealed class PublishTests
{
    private const long Second = TimeSpan.TicksPerSecond;

    [Fact]
    public void A_QoS_1_publish_ends_with_PUBACK()
    {
        var server = ScriptedServer.Connected();
        var waiter = server.Driver.Publish("t", "p", QoS.AtLeastOnce, out _);

        Assert.Equal(["PUBLISH 1 q1 t p"], server.Sent());
        Assert.Empty(server.Driver.Ended);
        server.Answer(PacketType.PubAck, 1, ReasonCode.NoMatchingSubscribers);

        Assert.Equal([new PublishOutcome(waiter!, PublishEnd.Answered, ReasonCode.NoMatchingSubscribers, 1, PublishFlags.None)], server.Driver.Ended);
        Assert.True(server.Engine.Outbound.IsDrained);
    }

    [Fact(DisplayName = "[MQTT5-4.3.3-4] A QoS 2 publish is released after PUBREC and ends with PUBCOMP")]
    public void A_QoS_2_publish_ends_with_PUBCOMP()
    {
        var server = ScriptedServer.Connected();
        var waiter = server.Driver.Publish("t", "p", QoS.ExactlyOnce, out _);

        Assert.Equal(["PUBLISH 1 q2 t p"], server.Sent());
        server.Answer(PacketType.PubRec, 1);
        Assert.Equal(["PUBREL 1"], server.Sent());
        Assert.Empty(server.Driver.Ended);
        server.Answer(PacketType.PubComp, 1);

        Assert.Equal([new PublishOutcome(waiter!, PublishEnd.Answered, ReasonCode.Success, 1, PublishFlags.None)], server.Driver.Ended);
    }

    [Fact]
    public void What_PUBREC_said_is_the_result()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Publish("t", "p", QoS.ExactlyOnce, out _);
        server.Sent();

        server.Answer(PacketType.PubRec, 1, ReasonCode.NoMatchingSubscribers);
        server.Answer(PacketType.PubComp, 1);

        Assert.Equal(ReasonCode.NoMatchingSubscribers, Assert.Single(server.Driver.Ended).ReasonCode);
    }

    [Fact]
    public void An_unknown_identifier_in_PUBCOMP_means_that_an_earlier_one_was_lost()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Publish("t", "p", QoS.ExactlyOnce, out _);
        server.Sent();
        server.Answer(PacketType.PubRec, 1);
        server.Sent();
        server.Reconnect();
        Assert.Equal(["PUBREL 1"], server.Sent());

        server.Answer(PacketType.PubComp, 1, ReasonCode.PacketIdentifierNotFound);

        Assert.Equal((PublishEnd.Answered, ReasonCode.Success), server.Driver.Ended.Select(e => (e.End, e.ReasonCode)).Single());
    }

    [Fact(DisplayName = "[MQTT5-4.3.3-5] A PUBREC that refuses is followed by no PUBREL (case D)")]
    public void A_refusing_PUBREC_is_followed_by_no_PUBREL()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Publish("t", "p", QoS.ExactlyOnce, out _);
        server.Sent();

        server.Answer(PacketType.PubRec, 1, ReasonCode.NotAuthorized);

        Assert.Empty(server.Sent());
        Assert.Equal(ReasonCode.NotAuthorized, Assert.Single(server.Driver.Ended).ReasonCode);
        server.Reconnect();
        Assert.Empty(server.Sent());
    }

    [Fact]
    public void An_unknown_PUBREC_is_answered_with_0x92()
    {
        var server = ScriptedServer.Connected();

        server.Answer(PacketType.PubRec, 44);

        Assert.Equal(["PUBREL 44 0x92"], server.Sent());
        Assert.Equal(1, server.Engine.Outbound.Session.UnknownAcks);
    }

    [Fact]
    public void Unknown_PUBACK_and_PUBCOMP_are_counted_and_harm_nothing()
    {
        var server = ScriptedServer.Connected();

        server.Answer(PacketType.PubAck, 44);
        server.Answer(PacketType.PubComp, 45);

        Assert.Empty(server.Sent());
        Assert.Equal(2, server.Engine.Outbound.Session.UnknownAcks);
        Assert.Equal(ClientState.Connected, server.Engine.State);
    }

    [Fact(DisplayName = "[MQTT5-3.3.4-7] Receive Maximum 2 lets two messages out (case C)")]
    public void Receive_maximum_is_respected()
    {
        var server = ScriptedServer.Connected(answer: new ConnAckPacket { ReceiveMaximum = 2 });
        for (var i = 0; i < 50; i++)
        {
            server.Driver.Publish("t", $"{i}", i % 2 == 0 ? QoS.AtLeastOnce : QoS.ExactlyOnce, out _);
        }

        Assert.Equal(["PUBLISH 1 q1 t 0", "PUBLISH 2 q2 t 1"], server.Sent());
        server.Answer(PacketType.PubAck, 1);
        Assert.Equal(["PUBLISH 3 q1 t 2"], server.Sent());
        server.Answer(PacketType.PubRec, 2);
        Assert.Equal(["PUBREL 2"], server.Sent());
        server.Answer(PacketType.PubComp, 2);
        Assert.Equal(["PUBLISH 4 q2 t 3"], server.Sent());
    }

    [Fact]
    public void QoS_0_overtakes_what_waits_for_quota()
    {
        var server = ScriptedServer.Connected(answer: new ConnAckPacket { ReceiveMaximum = 1 });
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);
        server.Driver.Publish("t", "2", QoS.AtLeastOnce, out _);

        Assert.Null(server.Driver.Publish("t", "3", QoS.AtMostOnce, out _));

        Assert.Equal(["PUBLISH 1 q1 t 1", "PUBLISH 0 q0 t 3"], server.Sent());
    }

    [Theory]
    [InlineData(QoS.AtMostOnce)]
    [InlineData(QoS.ExactlyOnce)]
    public void A_message_that_has_no_identifier_yet_is_withdrawn(QoS qos)
    {
        var server = new ScriptedServer();
        server.Driver.Publish("t", "1", qos, out _);
        var waiter = server.Driver.Publish("t", "2", qos, out var ticket);
        server.Driver.Publish("t", "3", qos, out _);

        Assert.True(server.Engine.Outbound.Withdraw(ticket, waiter!, out var withdrawn));
        Assert.True(withdrawn);
        Assert.False(server.Engine.Outbound.Withdraw(ticket, waiter!, out _));

        server.Accept();
        Assert.Equal(["1", "3"], server.Sent().Select(line => line[^1..]));
        Assert.DoesNotContain(server.Driver.Ended, e => ReferenceEquals(e.Waiter, waiter));
    }

    [Fact]
    public void A_message_that_has_an_identifier_goes_on_without_its_waiter()
    {
        var server = ScriptedServer.Connected();
        var waiter = server.Driver.Publish("t", "1", QoS.AtLeastOnce, out var ticket);

        Assert.True(server.Engine.Outbound.Withdraw(ticket, waiter!, out var withdrawn));
        Assert.False(withdrawn);

        Assert.Equal(["PUBLISH 1 q1 t 1"], server.Sent());
        server.Reconnect();
        Assert.Equal(["PUBLISH 1 q1 dup t 1"], server.Sent());
        server.Answer(PacketType.PubAck, 1);
        Assert.Empty(server.Driver.Ended);
        Assert.Equal(0, server.Engine.Outbound.Session.UnknownAcks);
    }

    [Fact]
    public void A_ticket_whose_message_is_done_withdraws_nothing()
    {
        var server = ScriptedServer.Connected();
        var waiter = server.Driver.Publish("t", "1", QoS.AtLeastOnce, out var ticket);
        server.Sent();
        server.Answer(PacketType.PubAck, 1);
        server.Driver.Publish("t", "2", QoS.AtLeastOnce, out _, waiter);

        Assert.False(server.Engine.Outbound.Withdraw(ticket, waiter!, out _));
        Assert.Equal(["PUBLISH 2 q1 t 2"], server.Sent());
    }

    [Fact]
    public void A_message_of_a_lost_session_is_not_withdrawn()
    {
        var server = ScriptedServer.Connected();
        var waiter = server.Driver.Publish("t", "1", QoS.AtLeastOnce, out var ticket);
        server.Driver.Publish("t", "2", QoS.AtLeastOnce, out _);
        server.Sent();
        server.Reconnect(sessionPresent: false, new ConnAckPacket { ReceiveMaximum = 1 });
        server.Sent();

        Assert.True(server.Engine.Outbound.Withdraw(ticket, waiter!, out var withdrawn));

        Assert.False(withdrawn);
    }

    [Fact]
    public void The_publish_timeout_ends_the_wait_and_not_the_message()
    {
        var settings = ScriptedServer.Settings() with { Outbox = new OutboxSettings { PublishTimeout = 10 * Second } };
        var server = ScriptedServer.Connected(settings);
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);
        server.Driver.Publish("t", "2", QoS.AtLeastOnce, out _);
        server.Sent();
        server.Answer(PacketType.PubAck, 2);
        Assert.Equal(10 * Second, server.Engine.Deadline);

        server.Driver.AdvanceTo((10 * Second) - 1);
        Assert.Single(server.Driver.Ended);
        server.Driver.AdvanceTo(10 * Second);
        Assert.Equal(("1", PublishEnd.TimedOut, PublishFlags.None), Ends(server)[1]);

        server.Answer(PacketType.PubAck, 1);
        Assert.Equal(2, server.Driver.Ended.Count);
        Assert.True(server.Engine.Outbound.IsDrained);
    }

    [Fact]
    public void Unwritten_QoS_0_messages_are_reported_as_dropped()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Publish("t", "written", QoS.AtMostOnce, out _);
        server.Sent();
        server.Driver.Publish("t", "taken", QoS.AtMostOnce, out _);
        server.Taken();
        server.Driver.Publish("t", "waiting", QoS.AtMostOnce, out _);

        server.Driver.Lose();

        Assert.Equal(2, server.Driver.Outputs.OfType<EngineOutput.Dropped>().Single().Count);
    }

    [Fact]
    public void A_full_lane_makes_messages_wait_and_then_go_on_in_order()
    {
        var server = ScriptedServer.Connected();
        var payload = new string('x', 60_000);
        for (var i = 0; i < 10; i++)
        {
            server.Driver.Publish("t", payload + i, QoS.AtMostOnce, out _);
            server.Driver.Publish("u", payload + i, QoS.AtLeastOnce, out _);
        }

        Assert.True(server.Engine.Outbound.Queued > 0);
        var sent = server.Sent();
        Assert.Equal(0, server.Engine.Outbound.Queued);
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"{i}"), sent.Where(l => l.StartsWith("PUBLISH 0", StringComparison.Ordinal)).Select(l => l[^1..]));
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"{i}"), sent.Where(l => !l.StartsWith("PUBLISH 0", StringComparison.Ordinal)).Select(l => l[^1..]));
    }

    [Fact]
    public void Closing_the_client_ends_every_wait_once()
    {
        var server = ScriptedServer.Connected(answer: new ConnAckPacket { ReceiveMaximum = 2 });
        var waiters = Enumerable.Range(0, 5).Select(i => server.Driver.Publish("t", $"{i}", i % 2 == 0 ? QoS.AtLeastOnce : QoS.ExactlyOnce, out _)).ToList();
        server.Sent();

        server.Engine.Abort(0);
        server.Driver.Collect();

        Assert.Equal(waiters.ToHashSet(), server.Driver.Ended.Select(e => (object?)e.Waiter).ToHashSet());
        Assert.Equal(5, server.Driver.Ended.Count);
        Assert.All(server.Driver.Ended, e => Assert.Equal((string)e.Waiter is "0" or "1" ? PublishEnd.Unanswered : PublishEnd.NotSent, e.End));
        Assert.Equal(ClientState.Closed, server.Engine.State);
    }

    private static List<(string, PublishEnd, PublishFlags)> Ends(ScriptedServer server) =>
        [.. server.Driver.Ended.Select(e => ((string)e.Waiter, e.End, e.Flags))];
}
