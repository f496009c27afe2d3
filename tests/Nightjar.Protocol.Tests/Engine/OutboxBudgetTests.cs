using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>What the outbox takes, whom it lets wait, and who goes for others.</summary>
public sealed class OutboxBudgetTests
{
    [Fact]
    public void With_Wait_two_of_seven_wait_for_five_and_come_in_order()
    {
        var scene = Scene(OutboxOverflow.Wait);

        Assert.Equal([.. Times(OutboxAdmission.Admitted, 5), .. Times(OutboxAdmission.MustWait, 2)], Offer(scene, 7));
        Assert.Equal(2, scene.Outbound.WaitingForRoom);
        scene.Server.Accept();

        Assert.Equal(["m1", "m2", "m3", "m4", "m5", "m6", "m7"], scene.DrainAll());
        Assert.Empty(scene.Drops);
        Assert.True(scene.Outbound.IsDrained);
    }

    [Fact]
    public void With_Reject_the_sixth_and_seventh_are_refused()
    {
        var scene = Scene(OutboxOverflow.Reject);

        Assert.Equal([.. Times(OutboxAdmission.Admitted, 5), .. Times(OutboxAdmission.Full, 2)], Offer(scene, 7));
        scene.Server.Accept();

        Assert.Equal(["m1", "m2", "m3", "m4", "m5"], scene.DrainAll());
        Assert.Empty(scene.Drops);
    }

    [Fact]
    public void With_DropOldest_the_first_two_go_and_their_waits_end()
    {
        var scene = Scene(OutboxOverflow.DropOldest);

        Assert.All(Offer(scene, 7), admission => Assert.Equal(OutboxAdmission.Admitted, admission));
        Assert.Equal(["m1 Dropped Overflow", "m2 Dropped Overflow"], scene.Ends);
        Assert.Equal(["t1", "t2"], scene.Drops.Select(drop => drop.Topic));
        Assert.Equal(2, scene.Engine.Counters.OutboxDropped[(int)MessageDropReason.Overflow]);
        scene.Server.Accept();

        Assert.Equal(["m3", "m4", "m5", "m6", "m7"], scene.DrainAll());
    }

    [Fact]
    public void With_DropNewest_the_last_two_go()
    {
        var scene = Scene(OutboxOverflow.DropNewest);

        Assert.Equal([.. Times(OutboxAdmission.Admitted, 5), .. Times(OutboxAdmission.Dropped, 2)], Offer(scene, 7));
        Assert.Equal(["t6", "t7"], scene.Drops.Select(drop => drop.Topic));
        scene.Server.Accept();

        Assert.Equal(["m1", "m2", "m3", "m4", "m5"], scene.DrainAll());
    }

    [Fact]
    public void With_LatestPerTopic_newer_values_take_the_places_of_older_ones()
    {
        var scene = Scene(OutboxOverflow.LatestPerTopic);
        Offer(scene, 5);

        Assert.Equal(OutboxAdmission.Admitted, scene.Offer("t2", "new2"));
        Assert.Equal(OutboxAdmission.Admitted, scene.Offer("t4", "new4"));

        Assert.Equal(["m2 Dropped Replaced", "m4 Dropped Replaced"], scene.Ends);
        Assert.Equal([("t2", MessageDropReason.Replaced), ("t4", MessageDropReason.Replaced)], scene.Drops.Select(drop => (drop.Topic, drop.Reason)));
        scene.Server.Accept();
        Assert.Equal(["m1", "new2", "m3", "new4", "m5"], scene.DrainAll());
    }

    [Fact]
    public void With_LatestPerTopic_a_new_topic_waits_for_room_and_a_waiting_one_does_not()
    {
        var scene = Scene(OutboxOverflow.LatestPerTopic);
        Offer(scene, 5);

        Assert.Equal(OutboxAdmission.MustWait, scene.Offer("t6", "m6"));
        Assert.Equal(OutboxAdmission.Admitted, scene.Offer("t1", "new1"));
        scene.Server.Accept();

        Assert.Equal(["new1", "m2", "m3", "m4", "m5", "m6"], scene.DrainAll());
    }

    [Fact]
    public void With_LatestPerTopic_what_was_sent_is_not_replaced()
    {
        var scene = Scene(OutboxOverflow.LatestPerTopic);
        scene.Server.Engine.Connect(0);
        scene.Server.Accept(new ConnAckPacket { ReceiveMaximum = 1 });
        scene.Offer("t", "sent");
        Assert.Equal(["PUBLISH 1 q1 t sent"], scene.Server.Sent());

        scene.Offer("t", "waits");
        scene.Offer("t", "newer");
        scene.Server.Reconnect(answer: new ConnAckPacket { SessionPresent = true, ReceiveMaximum = 1 });

        Assert.Equal(["PUBLISH 1 q1 dup t sent"], scene.Server.Sent());
        scene.Server.Answer(PacketType.PubAck, 1);
        Assert.Equal(["newer"], scene.DrainAll());
        Assert.Equal(["waits Dropped Replaced"], scene.Ends.Where(end => end.Contains("Dropped", StringComparison.Ordinal)));
    }

    [Fact]
    public void DropOldest_takes_nothing_that_was_sent()
    {
        var scene = Scene(OutboxOverflow.DropOldest);
        scene.Server.Engine.Connect(0);
        scene.Server.Accept(new ConnAckPacket { ReceiveMaximum = 3 });
        Offer(scene, 5);
        Assert.Equal(3, scene.Server.Sent().Count);

        Assert.Equal(OutboxAdmission.Admitted, scene.Offer("t6", "m6"));
        Assert.Equal(OutboxAdmission.Admitted, scene.Offer("t7", "m7"));
        Assert.Equal(["m4 Dropped Overflow", "m5 Dropped Overflow"], scene.Ends);

        // A lost session puts what was sent back to the front: it is still not to be dropped.
        scene.Server.Reconnect(sessionPresent: false, new ConnAckPacket { ReceiveMaximum = 1 });
        Assert.Equal(OutboxAdmission.Admitted, scene.Offer("t8", "m8"));
        Assert.Equal("m6 Dropped Overflow", scene.Ends[^1]);
        Assert.Equal(["m1", "m2", "m3", "m7", "m8"], scene.DrainAll());
    }

    [Fact]
    public void DropOldest_refuses_when_all_there_is_waits_for_answers()
    {
        var scene = Scene(OutboxOverflow.DropOldest);
        scene.Server.Engine.Connect(0);
        scene.Server.Accept();
        Offer(scene, 5);

        Assert.Equal(OutboxAdmission.Full, scene.Offer("t6", "m6"));
        Assert.Empty(scene.Drops);
    }

    [Fact]
    public void DropOldest_finds_the_oldest_of_both_queues()
    {
        var scene = Scene(OutboxOverflow.DropOldest);
        scene.Offer("t", "a", QoS.AtMostOnce);
        scene.Offer("t", "b");
        scene.Offer("t", "c", QoS.AtMostOnce);
        scene.Offer("t", "d");
        scene.Offer("t", "e");

        scene.Offer("t", "f");
        scene.Offer("t", "g");
        scene.Offer("t", "h");

        Assert.Equal(["a Dropped Overflow", "b Dropped Overflow", "c Dropped Overflow"], scene.Ends);
    }

    [Fact]
    public void Bytes_count_until_the_answer_has_come_and_across_a_reconnect()
    {
        // Topic 1, payload 9: three messages of 10 bytes are the most.
        var scene = new OutboxScene(new OutboxSettings { MaximumBytes = 30 });
        scene.Server.Engine.Connect(0);
        scene.Server.Accept();
        Assert.Equal(
            [.. Times(OutboxAdmission.Admitted, 3), OutboxAdmission.MustWait],
            Enumerable.Range(1, 4).Select(i => scene.Offer("t", $"payload_{i}")).ToList());

        Assert.Equal(3, scene.Server.Sent().Count);
        Assert.Equal((3, 30L), scene.Outbound.Pending);
        scene.Server.Reconnect();
        scene.Collect();
        Assert.Equal(3, scene.Server.Sent().Count);
        Assert.Equal(1, scene.Outbound.WaitingForRoom);

        scene.Server.Answer(PacketType.PubAck, 2);
        scene.Collect();
        Assert.Equal(0, scene.Outbound.WaitingForRoom);
        Assert.Equal(["PUBLISH 4 q1 t payload_4"], scene.Server.Sent());
    }

    [Fact]
    public void A_message_larger_than_the_whole_budget_is_refused_whatever_the_policy()
    {
        foreach (var overflow in Enum.GetValues<OutboxOverflow>())
        {
            var scene = new OutboxScene(new OutboxSettings { MaximumBytes = 10, Overflow = overflow });

            Assert.Equal(OutboxAdmission.TooLarge, scene.Offer("t", "ten bytes!"));
            Assert.Equal(OutboxAdmission.Admitted, scene.Offer("t", "ten byte!"));
        }
    }

    [Fact]
    public void Nobody_overtakes_who_waits_for_room_even_if_it_would_fit()
    {
        var scene = new OutboxScene(new OutboxSettings { MaximumBytes = 20 });
        scene.Offer("t", "a-long-payload");

        Assert.Equal(OutboxAdmission.MustWait, scene.Offer("t", "too-long-too"));
        Assert.Equal(OutboxAdmission.MustWait, scene.Offer("t", "s"));
        scene.Server.Accept();

        Assert.Equal(["a-long-payload", "too-long-too", "s"], scene.DrainAll());
    }

    [Fact]
    public void Who_leaves_the_line_leaves_nothing_behind()
    {
        var scene = Scene(OutboxOverflow.Wait);
        Offer(scene, 7);

        Assert.True(scene.Outbound.WithdrawRequest(scene.Requests["m6"]));
        Assert.False(scene.Outbound.WithdrawRequest(scene.Requests["m6"]));
        scene.Server.Accept();

        Assert.Equal(["m1", "m2", "m3", "m4", "m5", "m7"], scene.DrainAll());
        Assert.False(scene.Outbound.WithdrawRequest(scene.Requests["m7"]));
    }

    [Fact]
    public void The_publish_timeout_ends_the_wait_for_room_too()
    {
        var scene = new OutboxScene(new OutboxSettings { MaximumMessages = 1, PublishTimeout = 10 * OutboxScene.Second });
        scene.Offer("t", "in");
        scene.AdvanceTo(OutboxScene.Second);
        scene.Offer("t", "out");

        scene.AdvanceTo((11 * OutboxScene.Second) - 1);
        Assert.Equal(["in TimedOut"], scene.Ends);
        scene.AdvanceTo(11 * OutboxScene.Second);

        Assert.EndsWith("NoRoom", scene.Ends[1]);
        Assert.Equal(0, scene.Outbound.WaitingForRoom);
    }

    [Fact]
    public void Closing_the_client_ends_waits_for_room()
    {
        var scene = Scene(OutboxOverflow.Wait);
        Offer(scene, 7);

        scene.Engine.Abort(0);
        scene.Collect();

        Assert.Equal(7, scene.Ends.Count);
        Assert.All(scene.Driver.Ended, ended => Assert.Equal(PublishEnd.NotSent, ended.End));
    }

    [Fact]
    public void Reserved_room_is_nobody_elses()
    {
        var scene = new OutboxScene(new OutboxSettings { MaximumBytes = 20 });
        scene.Outbound.Reserve(15);

        Assert.Equal(OutboxAdmission.MustWait, scene.Offer("t", "123456"));
        scene.Outbound.EndReservation(15);
        scene.Collect();

        Assert.Equal(0, scene.Outbound.WaitingForRoom);
        Assert.Equal((1, 7L), scene.Outbound.Pending);
    }

    [Theory]
    [InlineData(QoS.AtMostOnce, WhenOffline.Queue, OutboxAdmission.Admitted)]
    [InlineData(QoS.AtMostOnce, WhenOffline.Fail, OutboxAdmission.Offline)]
    [InlineData(QoS.AtMostOnce, WhenOffline.Drop, OutboxAdmission.DroppedOffline)]
    [InlineData(QoS.AtLeastOnce, WhenOffline.Queue, OutboxAdmission.Admitted)]
    [InlineData(QoS.AtLeastOnce, WhenOffline.Fail, OutboxAdmission.Offline)]
    public void Without_a_connection_a_message_waits_fails_or_is_dropped(QoS qos, WhenOffline whenOffline, object expected)
    {
        var scene = new OutboxScene(new OutboxSettings());

        Assert.Equal(expected, scene.Offer("t", "m", qos, whenOffline));
        Assert.Equal(whenOffline == WhenOffline.Drop ? 1 : 0, scene.Engine.Counters.OutboxDropped[(int)MessageDropReason.Offline]);
        Assert.Equal(whenOffline == WhenOffline.Drop ? 1 : 0, scene.Drops.Count);

        // Whatever the answer, it was a use of the client: the next one may find a connection.
        scene.Server.Accept();
        Assert.Equal(whenOffline == WhenOffline.Queue ? ["m"] : [], scene.DrainAll());
        Assert.Equal(OutboxAdmission.Admitted, scene.Offer("t", "m2", qos, whenOffline));
    }

    [Fact]
    public void What_is_published_while_the_queue_drains_goes_behind_it()
    {
        var scene = new OutboxScene(new OutboxSettings());
        scene.Offer("t", "A");
        scene.Offer("t", "B");

        scene.Server.Accept(new ConnAckPacket { ReceiveMaximum = 1 });
        scene.Offer("t", "C");

        Assert.Equal(["A", "B", "C"], scene.DrainAll());
    }

    [Fact]
    public void A_queue_drains_with_the_whole_window_in_one_write()
    {
        var scene = new OutboxScene(new OutboxSettings());
        Offer(scene, 1000);

        scene.Server.Accept(new ConnAckPacket { ReceiveMaximum = 20 });

        // Twenty at once, and one round trip for each twenty: 50 of them for 1000 messages.
        for (var roundTrip = 0; roundTrip < 50; roundTrip++)
        {
            var sent = scene.Server.Taken();
            Assert.Equal(20, sent.Count);
            scene.Driver.Written();
            foreach (var line in sent)
            {
                scene.Server.Answer(PacketType.PubAck, ushort.Parse(line.Split(' ')[1]));
            }
        }

        Assert.True(scene.Outbound.IsDrained);
    }

    private static OutboxScene Scene(OutboxOverflow overflow) => new(new OutboxSettings { MaximumMessages = 5, Overflow = overflow });

    private static List<OutboxAdmission> Offer(OutboxScene scene, int count) => [.. Enumerable.Range(1, count).Select(i => scene.Offer($"t{i}", $"m{i}"))];

    private static IEnumerable<OutboxAdmission> Times(OutboxAdmission admission, int count) => Enumerable.Repeat(admission, count);
}
