using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>Keep-alive through the engine: the interval is 60 s, a PINGREQ goes after 45 s and has 30 s for its answer.</summary>
public sealed class LinkWatchTests
{
    private const long Second = TimeSpan.TicksPerSecond;

    [Fact(DisplayName = "[MQTT5-3.1.2-20] An idle client pings")]
    public void An_idle_client_pings_and_goes_on()
    {
        var server = ScriptedServer.Connected();
        for (var round = 1; round <= 3; round++)
        {
            Assert.Equal(round * 45 * Second, server.Engine.Deadline);
            server.Driver.AdvanceTo(server.Engine.Deadline);
            Assert.Equal(["PINGREQ"], server.Sent());
            server.Send(default(PingRespPacket));
        }

        Assert.Equal(ClientState.Connected, server.Engine.State);
    }

    [Fact(DisplayName = "[MQTT5-3.1.2-21] The Server Keep Alive counts (case B)")]
    public void The_servers_keep_alive_counts()
    {
        var server = ScriptedServer.Connected(answer: new ConnAckPacket { ServerKeepAlive = 2 });

        Assert.Equal(2 * Second, server.Engine.Accepted!.KeepAlive);
        Assert.Equal(3 * Second / 2, server.Engine.Deadline);
        server.Driver.AdvanceTo(server.Engine.Deadline);
        Assert.Equal(["PINGREQ"], server.Sent());
    }

    [Fact]
    public void A_server_keep_alive_of_0_turns_it_off()
    {
        var server = ScriptedServer.Connected(answer: new ConnAckPacket { ServerKeepAlive = 0 });

        Assert.Equal(long.MaxValue, server.Engine.Deadline);
    }

    [Fact]
    public void An_unanswered_PINGREQ_closes_without_DISCONNECT()
    {
        var server = ScriptedServer.Connected();
        server.Driver.AdvanceTo(45 * Second);
        server.Driver.Now = 50 * Second;
        Assert.Equal(["PINGREQ"], server.Sent());

        // The wait counts from the write.
        Assert.Equal(80 * Second, server.Engine.Deadline);
        server.Driver.AdvanceTo((80 * Second) - 1);
        Assert.Equal(ClientState.Connected, server.Engine.State);
        server.Driver.AdvanceTo(80 * Second);

        Assert.Equal(CloseKind.KeepAliveTimeout, server.LastDisconnect!.Kind);
        Assert.Equal(0, server.Driver.Open);
        Assert.Equal(ClientState.Waiting, server.Engine.State);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_PINGREQ_that_cannot_be_written_closes_too(bool taken)
    {
        var server = ScriptedServer.Connected();
        server.Driver.AdvanceTo(45 * Second);
        if (taken)
        {
            Assert.Equal(["PINGREQ"], server.Taken());
        }

        server.Driver.AdvanceTo(75 * Second);

        Assert.Equal(CloseKind.KeepAliveTimeout, server.LastDisconnect!.Kind);
    }

    [Fact]
    public void A_write_of_what_was_taken_before_the_PINGREQ_does_not_count_as_its_own()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Publish("t", "p", QoS.AtMostOnce, out _);
        server.Taken();
        server.Driver.AdvanceTo(45 * Second);

        server.Driver.Now = 60 * Second;
        server.Driver.Written();

        Assert.Equal(75 * Second, server.Engine.Deadline);
        Assert.Equal(["PINGREQ"], server.Sent());
        Assert.Equal(90 * Second, server.Engine.Deadline);
    }

    [Fact]
    public void A_PINGREQ_does_not_wait_for_the_log_behind_acknowledgements_that_do()
    {
        var log = new Journal.RecordingLog();
        var server = ScriptedServer.Connected(log: log);
        server.Engine.HandleCommitted(log.Records.Count);
        server.Driver.Publish("t", "p", QoS.ExactlyOnce, out _);
        server.Engine.HandleCommitted(log.Records.Count);
        server.Sent();
        server.Answer(PacketType.PubRec, 1);
        server.Driver.AdvanceTo(45 * Second);
        server.Driver.Publish("t", "q", QoS.AtMostOnce, out _);
        server.Driver.Now = 60 * Second;

        Assert.Equal(["PINGREQ", "PUBLISH 0 q0 t q"], server.Sent());

        Assert.Equal(90 * Second, server.Engine.Deadline);
        server.Engine.HandleCommitted(log.Records.Count);
        Assert.Equal(["PUBREL 1"], server.Sent());
    }

    [Fact(DisplayName = "A silent peer is found although the application publishes each second (case H)")]
    public void A_silent_peer_is_found_while_publishing()
    {
        var server = ScriptedServer.Connected(answer: new ConnAckPacket { ServerKeepAlive = 2 });
        var pings = 0;
        for (var i = 1; i <= 10 && server.Driver.Open != 0; i++)
        {
            server.Driver.AdvanceTo(i * Second);
            server.Driver.Publish("t", "p", QoS.AtMostOnce, out _);
            pings += server.Sent().Count(line => line == "PINGREQ");
        }

        Assert.Equal(1, pings);
        Assert.Equal(CloseKind.KeepAliveTimeout, server.LastDisconnect!.Kind);
        Assert.Equal(3 * Second, server.Driver.Now);
    }

    [Fact]
    public void Any_packet_answers_a_PINGREQ()
    {
        var server = ScriptedServer.Connected();
        server.Driver.AdvanceTo(45 * Second);
        server.Sent();

        server.Driver.Now = 50 * Second;
        server.Send("t", "p");
        server.Driver.AdvanceTo(80 * Second);

        Assert.Equal(ClientState.Connected, server.Engine.State);
    }

    [Fact]
    public void While_the_host_does_not_read_silence_means_nothing_and_pings_go_on()
    {
        var server = ScriptedServer.Connected();
        var pings = 0;
        while (server.Driver.Now < 600 * Second)
        {
            server.Driver.Now = server.Engine.Deadline;
            server.Engine.HandlePaused(server.Driver.Now);
            server.Driver.AdvanceTo(server.Driver.Now);
            pings += server.Sent().Count(line => line == "PINGREQ");
        }

        Assert.Equal(ClientState.Connected, server.Engine.State);
        Assert.InRange(pings, 6, 20);
    }

    [Fact]
    public void A_new_connection_counts_anew()
    {
        var server = ScriptedServer.Connected();
        server.Driver.AdvanceTo(45 * Second);
        server.Driver.Lose();
        server.Driver.AdvanceTo(server.Engine.RetryAt);

        server.Accept();

        Assert.Equal(server.Driver.Now + (45 * Second), server.Engine.Deadline);
        Assert.Empty(server.Sent());
    }
}
