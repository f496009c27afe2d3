using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>A ping that somebody asked for. Keep-alive is 60 s: a PINGREQ of its own goes after 45 s, and an answer may take 30 s.</summary>
public sealed class PingTests
{
    private const long Second = TimeSpan.TicksPerSecond;

    [Fact]
    public void The_round_trip_counts_from_the_write()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Now = 10 * Second;
        Assert.True(server.Engine.Ping("me", server.Driver.Now));
        server.Driver.Now = 11 * Second;
        Assert.Equal(["PINGREQ"], server.Sent());

        server.Driver.Now = 13 * Second;
        server.Send(default(PingRespPacket));

        var answered = Assert.Single(server.Driver.Outputs.OfType<EngineOutput.PingAnswered>());
        Assert.Equal(2 * Second, answered.RoundTrip);
        Assert.Equal(["me"], answered.Waiters);
        Assert.Equal(2 * Second, server.Engine.Counters.LastRoundTrip);
    }

    [Fact]
    public void Calls_share_the_PINGREQ_that_is_on_its_way_also_keep_alives_own()
    {
        var server = ScriptedServer.Connected();
        server.Driver.AdvanceTo(45 * Second);
        server.Engine.Ping("a", 45 * Second);
        server.Engine.Ping("b", 45 * Second);
        Assert.Equal(["PINGREQ"], server.Sent());
        server.Engine.Ping("c", 46 * Second);
        Assert.Empty(server.Sent());

        server.Send(default(PingRespPacket));

        Assert.Equal(["a", "b", "c"], Assert.Single(server.Driver.Outputs.OfType<EngineOutput.PingAnswered>()).Waiters);
    }

    [Fact]
    public void Without_a_connection_there_is_none()
    {
        var server = new ScriptedServer();
        Assert.False(server.Engine.Ping("me", 0));
        server.Engine.Connect(0);
        Assert.False(server.Engine.Ping("me", 0));
        server.Open();
        Assert.False(server.Engine.Ping("me", 0));
    }

    [Theory]
    [InlineData(60)]
    [InlineData(0)]
    public void No_answer_fails_the_connection_and_the_call(int keepAlive)
    {
        var server = ScriptedServer.Connected(answer: new ConnAckPacket { ServerKeepAlive = (ushort)keepAlive });
        server.Engine.Ping("me", 0);
        server.Sent();

        Assert.Equal(30 * Second, server.Engine.Deadline);
        server.Driver.AdvanceTo(30 * Second);

        Assert.Equal(CloseKind.KeepAliveTimeout, server.LastDisconnect!.Kind);
        var failed = Assert.Single(server.Driver.Outputs.OfType<EngineOutput.PingFailed>());
        Assert.Equal(CloseKind.KeepAliveTimeout, failed.Reason!.Kind);
        Assert.Equal(["me"], failed.Waiters);
    }

    [Fact]
    public void A_link_that_lives_stays_although_the_call_fails()
    {
        var server = ScriptedServer.Connected();
        server.Engine.Ping("me", 0);
        server.Sent();
        server.Driver.Now = 20 * Second;
        server.Send("t", "p");

        server.Driver.AdvanceTo(30 * Second);

        var failed = Assert.Single(server.Driver.Outputs.OfType<EngineOutput.PingFailed>());
        Assert.Null(failed.Reason);
        Assert.Equal(["me"], failed.Waiters);
        Assert.Equal(ClientState.Connected, server.Engine.State);
    }

    [Fact]
    public void A_call_after_an_overdue_one_has_its_own_time()
    {
        var server = ScriptedServer.Connected(answer: new ConnAckPacket { ServerKeepAlive = 0 });
        server.Engine.Ping("late", 0);
        server.Sent();
        server.Driver.Now = 20 * Second;
        server.Send("t", "p");
        server.Driver.AdvanceTo(31 * Second);

        server.Engine.Ping("me", 31 * Second);
        Assert.Equal(["PINGREQ"], server.Sent());
        server.Driver.AdvanceTo(32 * Second);

        Assert.Equal(["late"], Assert.Single(server.Driver.Outputs.OfType<EngineOutput.PingFailed>()).Waiters);
        Assert.Equal(61 * Second, server.Engine.Deadline);
    }

    [Fact]
    public void A_connection_that_ends_meanwhile_fails_the_call_once()
    {
        var server = ScriptedServer.Connected();
        server.Engine.Ping("me", 0);

        server.Driver.Lose();

        Assert.Equal(["me"], Assert.Single(server.Driver.Outputs.OfType<EngineOutput.PingFailed>()).Waiters);
        server.Driver.AdvanceTo(server.Engine.RetryAt);
        server.Accept();
        Assert.Empty(server.Sent());
        server.Driver.Lose();
        Assert.Single(server.Driver.Outputs.OfType<EngineOutput.PingFailed>());
    }

    [Fact]
    public void An_answer_that_is_seen_before_the_report_of_the_write_counts()
    {
        var server = ScriptedServer.Connected();
        server.Engine.Ping("me", 0);
        Assert.Equal(["PINGREQ"], server.Taken());
        server.Send(default(PingRespPacket));
        server.Driver.Written();

        server.Driver.AdvanceTo(40 * Second);

        Assert.Single(server.Driver.Outputs.OfType<EngineOutput.PingAnswered>());
        Assert.Equal(ClientState.Connected, server.Engine.State);
    }

    [Fact]
    public void A_PINGRESP_that_nobody_asked_for_is_nothing()
    {
        var server = ScriptedServer.Connected();

        server.Send(default(PingRespPacket));

        Assert.Empty(server.Driver.Outputs.OfType<EngineOutput.PingAnswered>());
        Assert.Equal(ClientState.Connected, server.Engine.State);
    }

    [Fact]
    public void It_is_known_when_keep_alive_is_due()
    {
        var server = ScriptedServer.Connected();
        Assert.Equal(45 * Second, server.Engine.PingDue);

        var off = ScriptedServer.Connected(answer: new ConnAckPacket { ServerKeepAlive = 0 });
        Assert.Equal(long.MaxValue, off.Engine.PingDue);
        server.Driver.Lose();
        Assert.Equal(long.MaxValue, server.Engine.PingDue);
    }

    [Fact(DisplayName = "An application that publishes and hears from the server each second never pings")]
    public void No_PINGREQ_while_both_directions_are_busy()
    {
        var server = ScriptedServer.Connected(answer: new ConnAckPacket { ServerKeepAlive = 10 });
        for (var second = 1; second <= 60; second++)
        {
            server.Driver.AdvanceTo(second * Second);
            server.Driver.Publish("t", "p", QoS.AtLeastOnce, out _);
            var sent = server.Sent();
            Assert.Equal([$"PUBLISH {second} q1 t p"], sent);
            server.Answer(PacketType.PubAck, (ushort)second);
        }
    }
}
