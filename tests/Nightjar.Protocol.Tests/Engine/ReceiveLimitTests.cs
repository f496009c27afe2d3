using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>What the server may have under way, and what happens beyond it.</summary>
public sealed class ReceiveLimitTests
{
    [Fact(DisplayName = "[MQTT5-3.3.4-9] One message more than our Receive Maximum closes with 0x93")]
    public void One_message_more_than_receive_maximum_closes_with_0x93()
    {
        var server = ScriptedServer.Subscribed(ScriptedServer.Settings() with { ReceiveMaximum = 2 }, "t");
        server.Send("t", "1", QoS.AtLeastOnce, 1);
        server.Send("t", "2", QoS.ExactlyOnce, 2);

        server.Send("t", "3", QoS.AtLeastOnce, 3);

        Assert.Equal(["DISCONNECT 0x93"], server.Sent());
        Assert.Equal(2, server.Driver.Arrived.Count);
        Assert.Equal(ClientState.Waiting, server.Engine.State);
    }

    [Fact(DisplayName = "[MQTT5-3.3.4-9] What a resumed session repeats may be more than our Receive Maximum, and what is new may not")]
    public void What_a_resumed_session_repeats_may_be_more_than_Receive_Maximum_and_what_is_new_may_not()
    {
        var server = ScriptedServer.Subscribed(ScriptedServer.Settings() with { ReceiveMaximum = 2 }, "t");
        server.Reconnect();
        for (ushort id = 1; id <= 500; id++)
        {
            server.Send("t", $"{id}", (QoS)(1 + (id % 2)), id, duplicate: true);
        }

        Assert.Equal(500, server.Driver.Arrived.Count);
        Assert.Equal(ClientState.Connected, server.Engine.State);

        server.Send("t", "new", QoS.AtLeastOnce, 501);

        Assert.Equal(["DISCONNECT 0x93"], server.Sent());
    }

    [Fact(DisplayName = "[MQTT5-3.3.4-9] A session that ended twice because new messages exceeded Receive Maximum goes on with them, so that it does not end for ever")]
    public void A_session_that_ended_twice_for_more_than_Receive_Maximum_goes_on_with_it()
    {
        var server = Exceeding();
        server.Reconnect();
        Assert.True(Exceeds(server));
        Assert.Empty(Loops(server));
        Resume(server);
        Assert.True(Exceeds(server));

        var loop = Assert.Single(Loops(server));
        Assert.Contains("2 connections of this session in a row", loop.Reason.Message, StringComparison.Ordinal);
        Assert.True(server.LastDisconnect!.IsTransient);
        Resume(server);
        server.Driver.Arrived.Clear();
        for (ushort id = 1; id <= 500; id++)
        {
            server.Send("t", $"{id}", (QoS)(1 + (id % 2)), id);
        }

        Assert.Equal(ClientState.Connected, server.Engine.State);
        Assert.Equal(Enumerable.Range(1, 500).Select(id => $"{id}"), server.Driver.Arrived.Select(arrival => arrival.Payload));
        Assert.Single(Loops(server));
    }

    [Fact]
    public void A_server_that_goes_on_to_send_too_much_is_taken_as_it_is_on_later_connections_too()
    {
        var server = Tolerated();
        Assert.False(Exceeds(server));
        server.Driver.AdvanceTo(server.Driver.Now + TimeSpan.TicksPerMinute);

        server.Reconnect();

        Assert.False(Exceeds(server));
        Assert.Single(Loops(server));
    }

    [Fact(DisplayName = "[MQTT5-3.3.4-9] Receive Maximum counts again from a new session on")]
    public void Receive_Maximum_counts_again_in_a_new_session()
    {
        var server = Tolerated();
        Assert.False(Exceeds(server));

        server.Reconnect(sessionPresent: false);

        Assert.True(Exceeds(server));
        Assert.Single(Loops(server));
    }

    [Fact(DisplayName = "[MQTT5-3.3.4-9] Receive Maximum counts again after a connection on which the server kept it")]
    public void Receive_Maximum_counts_again_after_a_connection_on_which_the_server_kept_it()
    {
        var server = Tolerated();
        server.Send("t", "1", QoS.AtLeastOnce, 1);
        server.Send("t", "2", QoS.AtLeastOnce, 2);
        server.Driver.AdvanceTo(server.Driver.Now + TimeSpan.TicksPerMinute);

        server.Reconnect();

        Assert.True(Exceeds(server));
        Resume(server);
        Assert.True(Exceeds(server));
        Assert.Equal(2, Loops(server).Count);
    }

    [Fact]
    public void A_new_session_each_time_is_never_taken_beyond_Receive_Maximum()
    {
        var server = Exceeding();
        for (var connection = 1; connection <= 5; connection++)
        {
            Assert.True(Exceeds(server));
            Assert.Equal(connection < ViolationLoop.Threshold ? 0 : 1, Loops(server).Count);
            Resume(server, sessionPresent: false);
        }
    }

    [Fact]
    public void What_was_refused_beyond_Receive_Maximum_is_handed_on_when_it_comes_again()
    {
        var server = Exceeding();
        Assert.True(Exceeds(server));
        Assert.Equal(["1", "2"], server.Driver.Arrived.Select(arrival => arrival.Payload));
        Resume(server);
        for (ushort id = 1; id <= 3; id++)
        {
            server.Send("t", $"{id}", QoS.AtLeastOnce, id, duplicate: true);
        }

        Assert.Equal(["1", "2", "1", "2", "3"], server.Driver.Arrived.Select(arrival => arrival.Payload));
    }

    [Fact]
    public void A_mark_of_repetition_in_a_new_session_lets_nothing_pass()
    {
        var server = ScriptedServer.Subscribed(ScriptedServer.Settings() with { ReceiveMaximum = 2 }, "t");
        server.Reconnect(sessionPresent: false);
        server.Sent();
        for (ushort id = 1; id <= 3; id++)
        {
            server.Send("t", $"{id}", QoS.AtLeastOnce, id, duplicate: true);
        }

        Assert.Equal(["DISCONNECT 0x93"], server.Sent());
    }

    [Theory]
    [InlineData(MqttVersion.Mqtt311)]
    [InlineData(MqttVersion.Mqtt31)]
    public void Older_versions_know_no_Receive_Maximum(MqttVersion version)
    {
        var server = ScriptedServer.Subscribed(ScriptedServer.Settings(version) with { ReceiveMaximum = 2 }, "t");

        for (ushort id = 1; id <= 500; id++)
        {
            server.Send("t", $"{id}", (QoS)(1 + (id % 2)), id);
        }

        Assert.Equal(500, server.Driver.Arrived.Count);
        Assert.Equal(ClientState.Connected, server.Engine.State);
    }

    [Fact(DisplayName = "[MQTT5-3.1.2-26] An alias above our Topic Alias Maximum closes with 0x94")]
    public void An_alias_above_our_maximum_closes()
    {
        var server = ScriptedServer.Subscribed(ScriptedServer.Settings() with { TopicAliasMaximum = 3 }, "t");

        server.Send("t", "1", alias: 4);
        server.Send("t", "2");

        Assert.Equal(["DISCONNECT 0x94"], server.Sent());
        Assert.Empty(server.Driver.Arrived);
    }

    [Fact(DisplayName = "[MQTT5-3.1.2-24] A packet larger than our Maximum Packet Size closes with 0x95")]
    public void A_packet_larger_than_our_maximum_closes()
    {
        var server = ScriptedServer.Subscribed(ScriptedServer.Settings() with { MaximumPacketSize = 100 }, "t");

        server.Driver.Receive([0x30, 0x80, 0x01]);

        Assert.Equal(["DISCONNECT 0x95"], server.Sent());
    }

    [Fact]
    public void Half_the_window_abandoned_recycles_the_connection()
    {
        var server = ScriptedServer.Subscribed(ScriptedServer.Settings() with { ReceiveMaximum = 4 }, "t");
        server.Send("t", "1", QoS.AtLeastOnce, 1);
        server.Send("t", "2", QoS.ExactlyOnce, 2);
        server.Send("t", "3", QoS.AtLeastOnce, 3);
        server.Driver.Complete(server.Driver.Arrived[0].Token, abandoned: true);
        server.Driver.Complete(server.Driver.Arrived[2].Token);
        Assert.Empty(server.Sent());

        server.Driver.Complete(server.Driver.Arrived[1].Token, abandoned: true);

        Assert.Equal(["PUBACK 3", "DISCONNECT"], server.Sent());
        Assert.Equal(CloseKind.Recycled, server.LastDisconnect!.Kind);
        Assert.Equal(server.Driver.Now, server.Engine.RetryAt);
        server.Driver.AdvanceTo(server.Driver.Now);
        server.Accept(new ConnAckPacket { SessionPresent = true });
        server.Send("t", "1", QoS.AtLeastOnce, 1, duplicate: true);
        server.Send("t", "2", QoS.ExactlyOnce, 2, duplicate: true);
        Assert.Equal(["1", "2", "3", "1", "2"], server.Driver.Arrived.Select(a => a.Payload));
    }

    [Fact]
    public void Recycling_again_and_again_backs_off()
    {
        var server = ScriptedServer.Subscribed(ScriptedServer.Settings() with { ReceiveMaximum = 1 }, "t");
        var delays = new List<long>();
        for (var i = 0; i < 4; i++)
        {
            server.Send("t", "1", QoS.AtLeastOnce, 1);
            server.Driver.Complete(server.Driver.Arrived[^1].Token, abandoned: true);
            server.Sent();
            delays.Add(server.Engine.RetryAt - server.Driver.Now);
            server.Driver.AdvanceTo(server.Engine.RetryAt);
            server.Accept(new ConnAckPacket { SessionPresent = true });
        }

        const long Second = TimeSpan.TicksPerSecond;
        Assert.Equal([0, Second, 2 * Second, 4 * Second], delays);
    }

    [Fact]
    public void A_peer_that_does_not_read_fills_the_control_lane_and_no_more()
    {
        var server = ScriptedServer.Subscribed(ScriptedServer.Settings(MqttVersion.Mqtt311), "t");
        var sent = 0;
        while (!server.Engine.Outbound.ControlIsFull)
        {
            server.Send("u", "", QoS.AtLeastOnce, (ushort)(1 + (sent % 60_000)));
            Assert.True(++sent < 100_000);
        }

        Assert.Equal(sent, server.Sent().Count);
        Assert.False(server.Engine.Outbound.ControlIsFull);
    }

    private static ScriptedServer Exceeding() => ScriptedServer.Subscribed(ScriptedServer.Settings() with { ReceiveMaximum = 2 }, "t");

    /// <summary>A session that ended twice for too many messages, connected again.</summary>
    private static ScriptedServer Tolerated()
    {
        var server = Exceeding();
        Assert.True(Exceeds(server));
        Resume(server);
        Assert.True(Exceeds(server));
        Resume(server);
        return server;
    }

    private static void Resume(ScriptedServer server, bool sessionPresent = true)
    {
        server.Driver.AdvanceTo(server.Engine.RetryAt);
        server.Accept(new ConnAckPacket { SessionPresent = sessionPresent });
        server.Sent();
    }

    /// <summary>One message more than Receive Maximum comes. Returns whether that ended the connection.</summary>
    private static bool Exceeds(ScriptedServer server)
    {
        for (ushort id = 1; id <= 3; id++)
        {
            server.Send("t", $"{id}", QoS.AtLeastOnce, id);
        }

        return server.Sent().Contains("DISCONNECT 0x93");
    }

    private static List<EngineOutput.Looping> Loops(ScriptedServer server) => [.. server.Driver.Outputs.OfType<EngineOutput.Looping>()];
}
