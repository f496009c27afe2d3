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

    [Fact]
    public void What_a_resumed_session_brings_may_be_more_than_Receive_Maximum()
    {
        var server = ScriptedServer.Subscribed(ScriptedServer.Settings() with { ReceiveMaximum = 2 }, "t");
        server.Reconnect();
        for (ushort id = 1; id <= 500; id++)
        {
            server.Send("t", $"{id}", (QoS)(1 + (id % 2)), id, duplicate: id <= 250);
        }

        Assert.Equal(500, server.Driver.Arrived.Count);
        Assert.Equal(ClientState.Connected, server.Engine.State);
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
}
