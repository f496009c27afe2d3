using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>Waiting until what was published before is handed to the transport.</summary>
public sealed class FlushTests
{
    [Fact]
    public void With_nothing_to_write_a_flush_is_over_at_once()
    {
        Assert.True(new ScriptedServer().Engine.Outbound.Flush("flush"));
        Assert.True(ScriptedServer.Connected().Engine.Outbound.Flush("flush"));
    }

    [Fact]
    public void A_flush_ends_when_what_was_before_it_is_written()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Publish("t", "1", QoS.AtMostOnce, out _);
        Assert.False(server.Engine.Outbound.Flush("flush"));
        Assert.Single(server.Taken());
        server.Driver.Publish("t", "2", QoS.AtMostOnce, out _);
        Assert.False(server.Engine.Outbound.Flush("later"));
        Assert.Empty(server.Driver.Flushed);

        server.Driver.Written();
        Assert.Equal([new FlushOutcome("flush", Failure: null)], server.Driver.Flushed);
        server.Sent();
        Assert.Equal(2, server.Driver.Flushed.Count);
    }

    [Fact]
    public void A_flush_waits_for_messages_that_wait_for_quota()
    {
        var server = ScriptedServer.Connected(answer: new ConnAckPacket { ReceiveMaximum = 1 });
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);
        server.Driver.Publish("t", "2", QoS.AtLeastOnce, out _);
        server.Engine.Outbound.Flush("flush");
        server.Driver.Publish("t", "3", QoS.AtLeastOnce, out _);

        server.Sent();
        Assert.Empty(server.Driver.Flushed);
        server.Answer(PacketType.PubAck, 1);
        server.Sent();
        Assert.Single(server.Driver.Flushed);
    }

    [Fact]
    public void A_flush_without_a_connection_waits_for_one()
    {
        var server = new ScriptedServer();
        server.Driver.Publish("t", "1", QoS.AtMostOnce, out _);
        Assert.False(server.Engine.Outbound.Flush("flush"));

        server.Accept();
        server.Sent();

        Assert.Equal([new FlushOutcome("flush", Failure: null)], server.Driver.Flushed);
    }

    [Fact]
    public void A_flush_fails_with_the_connection_that_took_its_bytes_along()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Publish("t", "1", QoS.AtMostOnce, out _);
        server.Engine.Outbound.Flush("flush");

        server.Driver.Lose();

        var outcome = Assert.Single(server.Driver.Flushed);
        Assert.Equal(CloseKind.TransportLost, outcome.Failure!.Kind);
    }

    [Fact]
    public void Withdrawing_later_messages_does_not_end_a_flush_early()
    {
        var server = new ScriptedServer();
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);
        server.Engine.Outbound.Flush("flush");
        for (var i = 0; i < 3; i++)
        {
            var waiter = server.Driver.Publish("t", "later", QoS.AtLeastOnce, out var ticket);
            server.Engine.Outbound.Withdraw(ticket, waiter!, out _);
        }

        server.Engine.Outbound.Pump();
        server.Driver.Collect();
        Assert.Empty(server.Driver.Flushed);

        server.Accept();
        Assert.Empty(server.Driver.Flushed);
        server.Sent();
        Assert.Single(server.Driver.Flushed);
    }

    [Fact]
    public void Withdrawing_the_last_message_before_a_flush_ends_it()
    {
        var server = new ScriptedServer();
        var waiter = server.Driver.Publish("t", "1", QoS.AtLeastOnce, out var ticket);
        server.Engine.Outbound.Flush("flush");

        server.Engine.Outbound.Withdraw(ticket, waiter!, out _);
        server.Driver.Collect();

        Assert.Single(server.Driver.Flushed);
    }

    [Fact]
    public void A_refused_message_does_not_keep_a_flush_waiting()
    {
        var server = new ScriptedServer();
        server.Driver.Publish("t", "1", QoS.ExactlyOnce, out _);
        server.Engine.Outbound.Flush("flush");

        server.Accept(new ConnAckPacket { MaximumQoS = QoS.AtMostOnce });

        Assert.Equal(PublishEnd.Limit, Assert.Single(server.Driver.Ended).End);
        Assert.Single(server.Driver.Flushed);
    }

    [Fact]
    public void Messages_that_come_back_from_a_lost_session_are_waited_for()
    {
        var server = ScriptedServer.Connected(answer: new ConnAckPacket { ReceiveMaximum = 1 });
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);
        server.Driver.Publish("t", "2", QoS.AtLeastOnce, out _);
        server.Sent();
        server.Engine.Outbound.Flush("flush");
        server.Reconnect(sessionPresent: false, new ConnAckPacket { ReceiveMaximum = 1 });

        Assert.Equal(["PUBLISH 2 q1 t 1"], server.Sent());
        Assert.Empty(server.Driver.Flushed);
        server.Answer(PacketType.PubAck, 2);
        server.Sent();
        Assert.Single(server.Driver.Flushed);
    }

    [Fact]
    public void Closing_ends_every_flush()
    {
        var server = new ScriptedServer();
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);
        server.Engine.Outbound.Flush("flush");

        server.Engine.Abort(0);
        server.Driver.Collect();

        Assert.NotNull(Assert.Single(server.Driver.Flushed).Failure);
    }
}
