using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>Messages with receipts: how far they came, found by the application's own identifier, taken back; and the end of all of them.</summary>
public sealed class DeliveryStepsTests
{
    [Fact]
    public void A_message_was_sent_when_its_bytes_were_written_and_not_before()
    {
        var scene = Connected();
        scene.Offer("t", "a", receipt: true);
        scene.Offer("t", "b", QoS.AtMostOnce, receipt: true);

        scene.Server.Taken();
        scene.Collect();
        Assert.Empty(scene.Steps);
        Assert.Empty(scene.Ends);

        scene.Driver.Written();
        scene.Collect();
        Assert.Equal([("a", DeliveryStep.Sent), ("b", DeliveryStep.Sent)], scene.Steps);
        Assert.Equal(["b Answered"], scene.Ends);
        scene.Server.Answer(PacketType.PubAck, 1);
        Assert.Equal(["b Answered", "a Answered"], scene.Ends);
    }

    [Fact]
    public void An_answer_that_is_seen_before_the_write_returned_ends_the_message()
    {
        var scene = Connected();
        scene.Offer("t", "a", receipt: true);
        scene.Server.Taken();

        scene.Server.Answer(PacketType.PubAck, 1);
        scene.Driver.Written();
        scene.Collect();

        Assert.Equal(["a Answered"], scene.Ends);
        Assert.Empty(scene.Steps);
    }

    [Fact]
    public void QoS_0_that_was_not_written_when_the_connection_ended_is_dropped_and_QoS_1_is_sent_once_more()
    {
        var scene = Connected();
        scene.Offer("t", "q1", receipt: true);
        scene.Offer("t", "q0", QoS.AtMostOnce, receipt: true);

        scene.Server.Reconnect();
        scene.Collect();
        Assert.Equal(["q0 Dropped ConnectionLost"], scene.Ends);

        Assert.Equal(["PUBLISH 1 q1 dup t q1"], scene.Server.Sent());
        scene.Collect();
        Assert.Equal([("q1", DeliveryStep.Sent)], scene.Steps);
        scene.Server.Reconnect();
        scene.Server.Sent();
        scene.Collect();
        Assert.Single(scene.Steps);
    }

    [Fact]
    public void A_message_of_lowered_QoS_is_on_the_wire_once_and_ends_there()
    {
        var scene = new OutboxScene(new OutboxSettings { LowerQoS = true });
        scene.Offer("t", "a");
        scene.Offer("t", "b", QoS.ExactlyOnce, receipt: true);

        scene.Server.Accept(new ConnAckPacket { MaximumQoS = QoS.AtMostOnce });

        Assert.Equal(["PUBLISH 0 q0 t a", "PUBLISH 0 q0 t b"], scene.Server.Sent());
        Assert.All(scene.Driver.Ended, ended => Assert.Equal((PublishEnd.Answered, PublishFlags.QoSLowered), (ended.End, ended.Flags)));
        Assert.Equal(2, scene.Ends.Count);
        scene.AdvanceTo(200 * OutboxScene.Second);
        scene.Server.Reconnect(answer: new ConnAckPacket { SessionPresent = true, MaximumQoS = QoS.AtMostOnce });
        Assert.Empty(scene.Server.Sent());
        Assert.True(scene.Outbound.IsDrained);
    }

    [Fact]
    public void Only_what_has_not_left_is_taken_back_and_it_is_never_sent()
    {
        var scene = Connected(receiveMaximum: 1);
        scene.Offer("t", "a", receipt: true);
        scene.Offer("t", "b", receipt: true);
        scene.Offer("t", "c", receipt: true);

        Assert.False(scene.Outbound.TakeBack(scene.Handles["a"], "a"));
        Assert.True(scene.Outbound.TakeBack(scene.Handles["b"], "b"));
        Assert.False(scene.Outbound.TakeBack(scene.Handles["b"], "b"));
        scene.Collect();

        Assert.Equal(["b Withdrawn"], scene.Ends);
        Assert.Equal(["a", "c"], scene.DrainAll());
    }

    [Fact]
    public void An_identifier_is_known_while_its_message_is_pending_and_after_it_was_delivered()
    {
        var scene = Connected();
        scene.Offer("t", "a", id: "order 1", receipt: true);
        Assert.True(scene.Outbound.TryFind("order 1"u8, out var known));
        Assert.Equal(("a", true), (scene.Outbound.WaiterOf(known.Handle), known.IsPending));
        Assert.False(scene.Outbound.TryFind("order 2"u8, out _));

        scene.Server.Sent();
        scene.Server.Answer(PacketType.PubAck, 1, ReasonCode.NoMatchingSubscribers);

        Assert.True(scene.Outbound.TryFind("order 1"u8, out known));
        Assert.Equal((false, ReasonCode.NoMatchingSubscribers, (ushort)1), (known.IsPending, known.ReasonCode, known.PacketId));
    }

    [Fact]
    public void What_was_not_delivered_may_be_tried_again()
    {
        var scene = Connected(receiveMaximum: 1);
        scene.Offer("t", "refused", id: "1", receipt: true);
        scene.Offer("t", "withdrawn", id: "2", receipt: true);
        scene.Offer("t", "expired", id: "3", receipt: true, timeToLive: OutboxScene.Second);
        scene.Server.Sent();

        scene.AdvanceTo(OutboxScene.Second);
        scene.Outbound.TakeBack(scene.Handles["withdrawn"], "withdrawn");
        scene.Server.Answer(PacketType.PubAck, 1, ReasonCode.NotAuthorized);

        Assert.All(["1", "2", "3"], id => Assert.False(scene.Outbound.TryFind(System.Text.Encoding.UTF8.GetBytes(id), out _)));
        Assert.Equal("3", Assert.Single(scene.Drops).Id);
    }

    [Fact]
    public void Only_the_last_delivered_identifiers_are_remembered()
    {
        var ids = new ApplicationIds(remembered: 2);
        foreach (var id in new[] { "a", "b", "c" })
        {
            ids.Add(System.Text.Encoding.UTF8.GetBytes(id), 1);
            ids.Deliver(System.Text.Encoding.UTF8.GetBytes(id), ReasonCode.Success, 1, PublishFlags.None);
        }

        Assert.False(ids.TryFind("a"u8, out _));
        Assert.True(ids.TryFind("b"u8, out _));
        Assert.True(ids.TryFind("c"u8, out _));
        Assert.Equal(2, ids.Remembered);
    }

    [Fact]
    public void An_outbox_is_empty_when_the_last_answer_came_and_nobody_waits_for_room()
    {
        var scene = new OutboxScene(new OutboxSettings { MaximumMessages = 1 });
        scene.Offer("t", "a");
        scene.Offer("t", "b");
        Assert.False(scene.Outbound.Drain("drain"));

        scene.Server.Accept();
        scene.Server.Sent();
        scene.Server.Answer(PacketType.PubAck, 1);
        Assert.False(scene.Outbound.HasDrained);
        scene.Collect();
        scene.Server.Sent();
        scene.Server.Answer(PacketType.PubAck, 2);

        Assert.True(scene.Outbound.HasDrained);
        var ended = new List<FlushOutcome>();
        scene.Outbound.TakeDrained(ended);
        Assert.Equal([new FlushOutcome("drain", Failure: null)], ended);
        Assert.True(scene.Outbound.Drain("again"));
    }

    [Fact]
    public void Whoever_waits_for_an_empty_outbox_hears_when_the_client_is_closed()
    {
        var scene = Connected();
        scene.Offer("t", "a");
        scene.Outbound.Drain("drain");

        scene.Engine.Abort(0);

        Assert.Equal("drain", Assert.Single(scene.Outbound.Flushed, flush => flush.Failure is not null).Waiter);
    }

    [Fact]
    public void What_was_sent_and_exceeds_the_limits_of_the_next_server_is_kept_and_reported_and_tried_on_the_one_after()
    {
        var scene = Connected();
        scene.Offer("t", "a-rather-long-payload", receipt: true);
        scene.Offer("t", "short", receipt: true);
        scene.Server.Sent();
        scene.Collect();
        scene.Steps.Clear();

        scene.Server.Reconnect(answer: new ConnAckPacket { SessionPresent = true, MaximumPacketSize = 20 });
        Assert.Equal(["PUBLISH 2 q1 dup t short"], scene.Server.Sent());
        scene.AdvanceTo(50 * OutboxScene.Second);
        scene.Collect();
        Assert.Equal([("a-rather-long-payload", DeliveryStep.Quarantined)], scene.Steps);
        Assert.Single(scene.Driver.Quarantined);
        Assert.Equal((1, 1L), (scene.Outbound.QuarantinedNow, scene.Engine.Counters.Quarantined));
        Assert.Empty(scene.Ends);

        scene.Server.Reconnect();
        Assert.Equal(["PUBLISH 1 q1 dup t a-rather-long-payload", "PUBLISH 2 q1 dup t short"], scene.Server.Sent());
        scene.Collect();
        Assert.Equal(("a-rather-long-payload", DeliveryStep.Sent), scene.Steps[^1]);
        Assert.Equal(0, scene.Outbound.QuarantinedNow);
    }

    [Fact]
    public void A_message_of_a_lost_session_that_exceeds_the_new_limits_is_kept_and_not_lowered()
    {
        var scene = new OutboxScene(new OutboxSettings { LowerQoS = true });
        scene.Server.Engine.Connect(0);
        scene.Server.Accept();
        scene.Offer("t", "was-sent", QoS.ExactlyOnce, receipt: true);
        scene.Server.Sent();
        scene.Driver.Lose();
        scene.Offer("t", "never-left", QoS.ExactlyOnce);
        scene.AdvanceTo(scene.Engine.RetryAt);

        scene.Server.Accept(new ConnAckPacket { MaximumQoS = QoS.AtLeastOnce });

        Assert.Equal(["PUBLISH 2 q1 t never-left"], scene.Server.Sent());
        Assert.Equal((1, 1), (scene.Outbound.QuarantinedNow, scene.Driver.Quarantined.Count));
        scene.Server.Reconnect();
        Assert.Equal(["PUBLISH 2 q1 dup t never-left", "PUBLISH 3 q2 t was-sent"], scene.Server.Sent());
    }

    [Fact]
    public void What_never_left_and_exceeds_the_limits_of_the_server_is_refused_with_its_reason()
    {
        var scene = new OutboxScene(new OutboxSettings());
        scene.Offer("t", "a-rather-long-payload", receipt: true);
        scene.Offer("t", "q2", QoS.ExactlyOnce);

        scene.Server.Accept(new ConnAckPacket { MaximumPacketSize = 20, MaximumQoS = QoS.AtLeastOnce });
        scene.Collect();

        Assert.Empty(scene.Server.Sent());
        Assert.Equal([ReasonCode.PacketTooLarge, ReasonCode.QoSNotSupported], scene.Driver.Ended.Select(ended => ended.ReasonCode));
        Assert.All(scene.Drops, drop => Assert.Equal(MessageDropReason.Limit, drop.Reason));
        Assert.Equal(2, scene.Drops.Count);
    }

    [Fact]
    public void A_million_queued_messages_are_taken_back_one_by_one_in_no_time()
    {
        // With a search per message this would take hours.
        const int Count = 1_000_000;
        var scene = new OutboxScene(new OutboxSettings());
        var waiter = new object();
        var handles = new int[Count];
        for (var i = 0; i < Count; i++)
        {
            handles[i] = scene.Engine.Accept(new OutgoingPublish { Topic = "t"u8, QoS = QoS.AtLeastOnce, HasReceipt = true }, waiter, 0).Handle;
        }

        for (var i = Count - 1; i >= 0; i--)
        {
            Assert.True(scene.Outbound.TakeBack(handles[i], waiter));
        }

        Assert.Equal((0, Count), (scene.Outbound.Queued, scene.Outbound.Ended.Count));
    }

    private static OutboxScene Connected(ushort receiveMaximum = ushort.MaxValue)
    {
        var scene = new OutboxScene(new OutboxSettings());
        scene.Server.Engine.Connect(0);
        scene.Server.Accept(new ConnAckPacket { ReceiveMaximum = receiveMaximum });
        return scene;
    }
}
