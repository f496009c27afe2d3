using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Journal;

/// <summary>While no record can be written, what depends on one waits, and nothing waits behind it.</summary>
public sealed class FailingStoreTests
{
    private readonly RecordingLog _log = new();

    [Fact]
    public void QoS_0_passes_what_waits_for_the_log_which_leaves_in_its_order_afterwards()
    {
        var server = Connected();
        server.Driver.Publish("t", "before", QoS.AtMostOnce, out _);
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);
        server.Driver.Publish("t", "behind", QoS.AtMostOnce, out _);
        server.Engine.HandleStoreFailed();
        server.Driver.Publish("t", "2", QoS.AtLeastOnce, out _);
        server.Driver.Publish("t", "passes", QoS.AtMostOnce, out _);

        Assert.Equal(["PUBLISH 0 q0 t before", "PUBLISH 0 q0 t behind", "PUBLISH 0 q0 t passes"], server.Sent());
        Commit(server);
        server.Engine.HandleStoreWentOn();
        Assert.Equal(["PUBLISH 1 q1 t 1"], server.Sent());
        Commit(server);
        Assert.Equal(["PUBLISH 2 q1 t 2"], server.Sent());
    }

    [Fact]
    public void A_store_that_works_again_lets_nothing_go_before_it_is_committed()
    {
        var server = Connected();
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);
        server.Engine.HandleStoreFailed();
        server.Engine.HandleStoreWentOn();

        Assert.Empty(server.Sent());
        Commit(server);
        Assert.Equal(["PUBLISH 1 q1 t 1"], server.Sent());
    }

    [Fact]
    public void A_ping_passes_acknowledgements_and_these_keep_their_order()
    {
        var server = Connected();
        server.Send("t", "1", QoS.ExactlyOnce, 7);
        server.Engine.HandleStoreFailed();
        server.Send("t", "2", QoS.ExactlyOnce, 8);
        server.Engine.Ping(new object(), server.Driver.Now);

        Assert.Equal(["PINGREQ"], server.Sent());
        Commit(server);
        server.Engine.HandleStoreWentOn();
        Assert.Equal(["PUBREC 7", "PUBREC 8"], server.Sent());
    }

    [Fact]
    public void QoS_0_that_passes_uses_no_topic_alias_which_the_server_has_not_heard_of()
    {
        var server = ScriptedServer.Connected(
            ScriptedServer.Settings() with { Outbox = new OutboxSettings { MaximumTopicAliases = 10 } }, new ConnAckPacket { TopicAliasMaximum = 10 }, _log);
        Commit(server);
        server.Driver.Publish("a/long/topic", "1", QoS.AtLeastOnce, out _);
        server.Engine.HandleStoreFailed();
        server.Driver.Publish("a/long/topic", "passes", QoS.AtMostOnce, out _);

        Assert.Equal(["PUBLISH 0 q0 a/long/topic passes"], server.Sent());
    }

    [Fact]
    public void DISCONNECT_leaves_and_what_waits_for_the_log_does_not()
    {
        var server = Connected();
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);
        server.Engine.HandleStoreFailed();

        server.Engine.End(new DisconnectPacket(), final: false, server.Driver.Now);
        server.Driver.AdvanceTo(server.Driver.Now + (10 * TimeSpan.TicksPerSecond));

        Assert.Equal(["DISCONNECT"], server.Sent());
    }

    [Fact]
    public void What_comes_and_goes_while_nothing_can_be_written_leaves_nothing_to_write()
    {
        var server = ScriptedServer.Connected(
            ScriptedServer.Settings() with { Outbox = new OutboxSettings { Overflow = OutboxOverflow.DropOldest, MaximumMessages = 2 } }, log: _log);
        Commit(server);
        server.Engine.HandleStoreFailed();
        var before = _log.Records.Count;
        for (var i = 0; i < 100; i++)
        {
            var message = new OutgoingPublish { Topic = "t"u8, Payload = System.Text.Encoding.UTF8.GetBytes($"{i}"), QoS = QoS.AtLeastOnce, HasReceipt = true };
            Assert.Equal(OutboxAdmission.Admitted, server.Engine.Admit(message, WhenOffline.Queue, 0));
            var ticket = server.Engine.Accept(message, $"{i}", 0);
            Assert.False(server.Engine.Outbound.IsStored(ticket.Handle));
        }

        Assert.Equal(before, _log.Records.Count);
        server.Engine.HandleStoreWentOn();
        Commit(server);

        Assert.Equal(["PUBLISH 1 q1 t 98", "PUBLISH 2 q1 t 99"], server.Sent());
        Assert.Equal([("98", DeliveryStep.Stored), ("99", DeliveryStep.Stored)], server.Engine.Outbound.Steps.Where(step => step.Step == DeliveryStep.Stored));
    }

    [Fact]
    public void What_a_failing_store_has_not_confirmed_is_not_called_kept()
    {
        var server = Connected();
        server.Driver.Publish("t", "confirmed", QoS.AtLeastOnce, out _);
        Commit(server);
        server.Driver.Lose();
        server.Driver.Publish("t", "unconfirmed", QoS.AtLeastOnce, out _);
        server.Engine.HandleStoreFailed();
        server.Driver.Publish("t", "not written", QoS.AtLeastOnce, out _);
        server.Engine.Abort(server.Driver.Now);
        server.Driver.Collect();

        Assert.Equal(
            [("confirmed", PublishEnd.Kept), ("not written", PublishEnd.NotSent), ("unconfirmed", PublishEnd.Unanswered)],
            server.Driver.Ended.Select(end => ((string)end.Waiter, end.End)).Order());
    }

    [Fact]
    public void PUBREL_does_not_pass_its_record_when_PUBREC_is_repeated()
    {
        var server = Connected();
        server.Driver.Publish("t", "1", QoS.ExactlyOnce, out _);
        Commit(server);
        server.Sent();
        server.Engine.HandleStoreFailed();
        server.Answer(PacketType.PubRec, 1);
        server.Answer(PacketType.PubRec, 1);

        Assert.Empty(server.Sent());
        Commit(server);
        server.Engine.HandleStoreWentOn();
        Assert.Equal(["PUBREL 1", "PUBREL 1"], server.Sent());
    }

    [Fact]
    public void A_message_that_was_set_aside_is_sent_when_it_is_and_a_flush_waits_for_it()
    {
        var server = Connected();
        server.Engine.Accept(new OutgoingPublish { Topic = "t"u8, QoS = QoS.AtLeastOnce, HasReceipt = true }, "receipt", 0);
        Assert.False(server.Engine.Outbound.Flush("flush"));
        server.Engine.HandleStoreFailed();
        server.Driver.Publish("t", "passes, and is longer than what was set aside", QoS.AtMostOnce, out _);
        Assert.Single(server.Sent());

        Assert.Empty(server.Engine.Outbound.Steps);
        Assert.Empty(server.Driver.Flushed);
        Commit(server);
        server.Engine.HandleStoreWentOn();
        Assert.Equal(["PUBLISH 1 q1 t"], server.Sent().Select(line => line.Trim()));
        Assert.Equal([("receipt", DeliveryStep.Stored), ("receipt", DeliveryStep.Sent)], server.Engine.Outbound.Steps);
        Assert.Single(server.Driver.Flushed);
    }

    [Fact]
    public void A_message_that_is_sent_again_while_nothing_can_be_written_is_not_called_sent()
    {
        var server = Connected();
        server.Engine.Accept(new OutgoingPublish { Topic = "t"u8, QoS = QoS.AtLeastOnce, HasReceipt = true }, "receipt", 0);
        server.Engine.HandleStoreFailed();
        _log.CommitsConnect = false;
        server.Reconnect();
        server.Driver.Publish("t", "passes", QoS.AtMostOnce, out _);

        Assert.Equal(["PUBLISH 0 q0 t passes"], server.Sent());
        Assert.Empty(server.Engine.Outbound.Steps);
    }

    [Fact]
    public void A_ping_passes_acknowledgements_that_wait_for_a_slow_log()
    {
        var server = Connected();
        server.Send("t", "1", QoS.ExactlyOnce, 7);
        server.Engine.Ping("ping", server.Driver.Now);

        Assert.Equal(["PINGREQ"], server.Sent());
        server.Send(default(PingRespPacket));
        Assert.Single(server.Driver.Outputs.OfType<EngineOutput.PingAnswered>());
        Commit(server);
        Assert.Equal(["PUBREC 7"], server.Sent());
    }

    private ScriptedServer Connected()
    {
        var server = ScriptedServer.Connected(log: _log);
        Commit(server);
        return server;
    }

    private void Commit(ScriptedServer server) => server.Engine.HandleCommitted(_log.Records.Count);
}
