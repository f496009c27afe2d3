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

    [Fact(DisplayName = "[MQTT5-3.2.2-12] Receive Maximum 2 lets two messages out (case C)")]
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

    [Fact(DisplayName = "[MQTT5-4.4.0-1] A resumed session repeats PUBRELs, then PUBLISHes with DUP, then goes on (case I)")]
    public void A_resumed_session_repeats_before_anything_new()
    {
        var server = ScriptedServer.Connected();
        foreach (var qos in new[] { QoS.ExactlyOnce, QoS.AtLeastOnce, QoS.ExactlyOnce, QoS.ExactlyOnce, QoS.AtLeastOnce })
        {
            server.Driver.Publish("t", $"{qos}", qos, out _, new object());
        }

        server.Sent();
        server.Answer(PacketType.PubRec, 4);
        server.Answer(PacketType.PubRec, 1);
        server.Answer(PacketType.PubAck, 5);
        server.Driver.Lose();
        server.Driver.Publish("t", "new", QoS.AtLeastOnce, out _);
        server.Driver.AdvanceTo(server.Engine.RetryAt);
        server.Accept(new ConnAckPacket { SessionPresent = true });

        Assert.Equal(
            ["PUBREL 4", "PUBREL 1", "PUBLISH 2 q1 dup t AtLeastOnce", "PUBLISH 3 q2 dup t ExactlyOnce", "PUBLISH 6 q1 t new"],
            server.Sent());
        Assert.Single(server.Driver.Ended);
    }

    [Fact]
    public void A_resumed_session_stays_within_a_smaller_Receive_Maximum()
    {
        var server = ScriptedServer.Connected();
        for (var i = 0; i < 4; i++)
        {
            server.Driver.Publish("t", $"{i}", QoS.AtLeastOnce, out _);
        }

        server.Sent();
        server.Reconnect(answer: new ConnAckPacket { SessionPresent = true, ReceiveMaximum = 1 });
        server.Driver.Publish("t", "new", QoS.AtLeastOnce, out _);

        Assert.Equal(["PUBLISH 1 q1 dup t 0"], server.Sent());
        server.Answer(PacketType.PubAck, 1);
        Assert.Equal(["PUBLISH 2 q1 dup t 1"], server.Sent());
        server.Answer(PacketType.PubAck, 2);
        server.Sent();
        server.Answer(PacketType.PubAck, 3);
        server.Sent();
        server.Answer(PacketType.PubAck, 4);
        Assert.Equal(["PUBLISH 5 q1 t new"], server.Sent());
    }

    [Fact]
    public void A_lost_session_sends_as_new_and_says_so()
    {
        var server = ScriptedServer.Connected();
        for (var i = 0; i < 4; i++)
        {
            server.Driver.Publish("t", $"{i}", QoS.ExactlyOnce, out _);
        }

        server.Sent();
        server.Answer(PacketType.PubRec, 2);
        server.Sent();
        server.Driver.Lose();
        server.Driver.Publish("t", "new", QoS.ExactlyOnce, out _);
        server.Driver.AdvanceTo(server.Engine.RetryAt);
        server.Accept(new ConnAckPacket { SessionPresent = false });

        Assert.Equal(
            ["PUBLISH 5 q2 t 0", "PUBLISH 6 q2 t 2", "PUBLISH 7 q2 t 3", "PUBLISH 8 q2 t new"],
            server.Sent());
        Assert.Equal([("1", PublishEnd.Answered, PublishFlags.None)], Ends(server));
        foreach (ushort id in new[] { 5, 8 })
        {
            server.Answer(PacketType.PubRec, id);
            server.Answer(PacketType.PubComp, id);
        }

        Assert.Equal(("0", PublishEnd.Answered, PublishFlags.PossiblyDuplicated), Ends(server)[1]);
        Assert.Equal(("new", PublishEnd.Answered, PublishFlags.None), Ends(server)[2]);
    }

    [Fact]
    public void Messages_of_a_session_lost_twice_keep_their_order()
    {
        var server = ScriptedServer.Connected(answer: new ConnAckPacket { ReceiveMaximum = 2 });
        for (var i = 0; i < 4; i++)
        {
            server.Driver.Publish("t", $"{i}", QoS.AtLeastOnce, out _);
        }

        server.Sent();
        for (var i = 0; i < 2; i++)
        {
            server.Reconnect(sessionPresent: false);
            var sent = server.Sent();
            Assert.Equal(["0", "1", "2", "3"], sent.Select(line => line[^1..]));
            Assert.DoesNotContain(sent, line => line.Contains("dup", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void What_the_new_limits_forbid_is_kept_and_reported()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Publish("t", "small", QoS.AtLeastOnce, out _);
        server.Driver.Publish("t", new string('x', 100), QoS.AtLeastOnce, out _);
        server.Driver.Publish("t", "last", QoS.AtLeastOnce, out _);
        server.Sent();
        server.Reconnect(answer: new ConnAckPacket { SessionPresent = true, MaximumPacketSize = 50, ReceiveMaximum = 2 });

        Assert.Equal(["PUBLISH 1 q1 dup t small", "PUBLISH 3 q1 dup t last"], server.Sent());
        Assert.Equal(("t", (ushort)2), server.Driver.Quarantined.Select(q => (q.Topic, q.PacketId)).Single());
        Assert.Equal(PublishEnd.Quarantined, Assert.Single(server.Driver.Ended).End);

        server.Answer(PacketType.PubAck, 1);
        server.Driver.Publish("t", "new", QoS.AtLeastOnce, out _);
        Assert.Equal(["PUBLISH 4 q1 t new"], server.Sent());

        server.Reconnect();
        Assert.StartsWith("PUBLISH 2 q1 dup t xxx", server.Sent()[0], StringComparison.Ordinal);
        server.Answer(PacketType.PubAck, 2);
        Assert.Single(server.Driver.Ended, e => e.End == PublishEnd.Quarantined);
    }

    [Theory(DisplayName = "[MQTT5-3.2.2-11] A QoS above the server's Maximum QoS is refused")]
    [InlineData(QoS.AtLeastOnce)]
    [InlineData(QoS.ExactlyOnce)]
    public void A_QoS_above_the_maximum_is_refused(QoS qos)
    {
        var server = ScriptedServer.Connected(answer: new ConnAckPacket { MaximumQoS = QoS.AtMostOnce });

        server.Driver.Publish("t", "p", qos, out _);

        Assert.Equal((PublishEnd.Limit, ReasonCode.QoSNotSupported), server.Driver.Ended.Select(e => (e.End, e.ReasonCode)).Single());
        Assert.Empty(server.Sent());
        Assert.True(server.Engine.Outbound.IsDrained);
    }

    [Theory]
    [InlineData(QoS.AtMostOnce, "PUBLISH 0 q0 t p")]
    [InlineData(QoS.AtLeastOnce, "PUBLISH 1 q1 t p")]
    public void LowerQoS_lowers_and_says_so(QoS maximum, string sent)
    {
        var settings = ScriptedServer.Settings() with { Outbox = new OutboxSettings { LowerQoS = true } };
        var server = ScriptedServer.Connected(settings, new ConnAckPacket { MaximumQoS = maximum });

        server.Driver.Publish("t", "p", QoS.ExactlyOnce, out _);
        Assert.Equal([sent], server.Sent());
        if (maximum == QoS.AtLeastOnce)
        {
            server.Answer(PacketType.PubAck, 1);
        }

        Assert.Equal([("p", PublishEnd.Answered, PublishFlags.QoSLowered)], Ends(server));
    }

    [Fact(DisplayName = "[MQTT5-3.2.2-14] Retain is refused where the server does not retain")]
    public void Retain_is_refused_where_the_server_does_not_retain()
    {
        var server = ScriptedServer.Connected(answer: new ConnAckPacket { RetainAvailable = false });

        var start = server.Engine.TryBuffer(new OutgoingPublish { Topic = "t"u8, Retain = true }, out var refusal);
        server.Engine.Accept(new OutgoingPublish { Topic = "t"u8, Retain = true, QoS = QoS.AtLeastOnce }, "waiter", 0);
        server.Driver.Collect();

        Assert.Equal((PublishStart.Refused, ReasonCode.RetainNotSupported), (start, refusal!.Value.ReasonCode));
        Assert.Equal(ReasonCode.RetainNotSupported, Assert.Single(server.Driver.Ended).ReasonCode);
        Assert.Empty(server.Sent());
    }

    [Theory(DisplayName = "[MQTT5-3.2.2-15] Nothing larger than the server's Maximum Packet Size is sent")]
    [InlineData(QoS.AtMostOnce)]
    [InlineData(QoS.AtLeastOnce)]
    public void Nothing_larger_than_the_maximum_packet_size_is_sent(QoS qos)
    {
        // Fixed header 2, topic 2 + 1, identifier 2 at QoS 1, property length 1, payload.
        var largest = 30 - 6 - (qos == QoS.AtMostOnce ? 0 : 2);
        var server = ScriptedServer.Connected(answer: new ConnAckPacket { MaximumPacketSize = 30 });

        server.Driver.Publish("t", new string('x', largest), qos, out _);
        Assert.Single(server.Sent());

        var message = new OutgoingPublish { Topic = "t"u8, Payload = new byte[largest + 1], QoS = qos };
        if (qos == QoS.AtMostOnce)
        {
            Assert.Equal(PublishStart.Refused, server.Engine.TryBuffer(message, out var refusal));
            Assert.Equal(ReasonCode.PacketTooLarge, refusal!.Value.ReasonCode);
        }
        else
        {
            server.Engine.Accept(message, "waiter", 0);
            server.Driver.Collect();
            Assert.Equal(ReasonCode.PacketTooLarge, Assert.Single(server.Driver.Ended).ReasonCode);
        }

        Assert.Empty(server.Sent());
    }

    [Fact]
    public void A_large_QoS_0_message_that_waited_for_a_connection_is_measured_too()
    {
        var server = new ScriptedServer();
        server.Driver.Publish("t", new string('x', 20), QoS.AtMostOnce, out _);
        server.Driver.Publish("t", new string('y', 40), QoS.AtMostOnce, out _);

        server.Accept(new ConnAckPacket { MaximumPacketSize = 30 });

        Assert.Single(server.Sent());
        Assert.Equal([PublishEnd.Answered, PublishEnd.Limit], server.Driver.Ended.Select(e => e.End));
    }

    [Fact]
    public void Topic_aliases_are_used_and_not_for_repeats()
    {
        var settings = ScriptedServer.Settings() with { Outbox = new OutboxSettings { MaximumTopicAliases = 8 } };
        var server = ScriptedServer.Connected(settings, new ConnAckPacket { TopicAliasMaximum = 2 });
        Publish(server, "building/1", "building/1", "building/2", "short", "building/3", "building/2");

        Assert.Equal(
            [
                "PUBLISH 1 q1 @1 building/1 0", "PUBLISH 2 q1 @1 1", "PUBLISH 3 q1 @2 building/2 2", "PUBLISH 4 q1 short 3",
                "PUBLISH 5 q1 @1 building/3 4", "PUBLISH 6 q1 @2 5",
            ],
            server.Sent());

        server.Reconnect(answer: new ConnAckPacket { SessionPresent = true, TopicAliasMaximum = 2, ReceiveMaximum = 6 });
        Assert.Equal(
            [
                "PUBLISH 1 q1 dup building/1 0", "PUBLISH 2 q1 dup building/1 1", "PUBLISH 3 q1 dup building/2 2",
                "PUBLISH 4 q1 dup short 3", "PUBLISH 5 q1 dup building/3 4", "PUBLISH 6 q1 dup building/2 5",
            ],
            server.Sent());
        server.Driver.Publish("building/1", "after", QoS.AtMostOnce, out _);
        Assert.Equal(["PUBLISH 0 q0 @1 building/1 after"], server.Sent());
    }

    [Theory]
    [InlineData(8)]
    [InlineData(2)]
    [InlineData(0)]
    public void An_alias_of_the_applications_own_choice_is_sent(int ours)
    {
        var settings = ScriptedServer.Settings() with { Outbox = new OutboxSettings { MaximumTopicAliases = ours } };
        var server = ScriptedServer.Connected(settings, new ConnAckPacket { TopicAliasMaximum = 5 });

        Assert.Equal(PublishStart.Buffered, server.Engine.TryBuffer(new OutgoingPublish { Topic = "t"u8, TopicAlias = 5, Payload = "p"u8 }, out _));
        Assert.Equal(PublishStart.Refused, server.Engine.TryBuffer(new OutgoingPublish { Topic = "t"u8, TopicAlias = 6 }, out var refusal));
        server.Engine.Accept(new OutgoingPublish { Topic = "t"u8, TopicAlias = 4, Payload = "q"u8, QoS = QoS.AtLeastOnce }, "waiter", 0);

        Assert.Equal(["PUBLISH 0 q0 @5 t p", "PUBLISH 1 q1 @4 t q"], server.Sent());
        Assert.Equal(ReasonCode.TopicAliasInvalid, refusal!.Value.ReasonCode);
    }

    [Fact]
    public void A_new_alias_does_not_make_a_packet_too_large()
    {
        // With the full topic it just fits; the alias property takes three bytes more.
        var settings = ScriptedServer.Settings() with { Outbox = new OutboxSettings { MaximumTopicAliases = 8 } };
        var server = ScriptedServer.Connected(settings, new ConnAckPacket { TopicAliasMaximum = 8, MaximumPacketSize = 35 });

        server.Driver.Publish("building/1", new string('x', 20), QoS.AtMostOnce, out _);
        server.Driver.Publish("building/1", "y", QoS.AtMostOnce, out _);
        server.Driver.Publish("building/1", new string('x', 20), QoS.AtMostOnce, out _);

        Assert.Equal(
            ["PUBLISH 0 q0 building/1 xxxxxxxxxxxxxxxxxxxx", "PUBLISH 0 q0 @1 building/1 y", "PUBLISH 0 q0 @1 xxxxxxxxxxxxxxxxxxxx"],
            server.Sent());
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
        Assert.All(server.Driver.Ended, e => Assert.Equal(PublishEnd.NotSent, e.End));
        Assert.Equal(ClientState.Closed, server.Engine.State);
    }

    private static void Publish(ScriptedServer server, params string[] topics)
    {
        for (var i = 0; i < topics.Length; i++)
        {
            server.Driver.Publish(topics[i], $"{i}", QoS.AtLeastOnce, out _);
        }
    }

    private static List<(string, PublishEnd, PublishFlags)> Ends(ScriptedServer server) =>
        [.. server.Driver.Ended.Select(e => ((string)e.Waiter, e.End, e.Flags))];
}
