using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>Other settings while the client lives.</summary>
public sealed class UpdateTests
{
    private const long Second = TimeSpan.TicksPerSecond;

    [Fact]
    public void The_old_connection_ends_in_order_and_the_new_one_gets_subscriptions_and_messages()
    {
        var server = ScriptedServer.Connected(Servers.Settings("a"));
        server.Driver.Subscribe("f");
        Assert.Equal(["SUBSCRIBE 1 f:2"], server.Sent());
        server.Send(new SubAckPacket { PacketId = 1, ReasonCodes = [ReasonCode.GrantedQoS2] });
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);
        server.Sent();

        server.Engine.Update(Servers.Settings("b"), 0);
        Assert.Empty(server.Sent());
        server.Driver.AdvanceTo(5 * Second);

        Assert.Equal(["DISCONNECT"], server.Sent());
        Assert.Equal("b", Servers.Target(server));
        Assert.Single(server.Driver.Outputs.OfType<EngineOutput.Updated>());
        Assert.True(server.Accept().CleanStart);
        Assert.Equal(["SUBSCRIBE 3 f:2", "PUBLISH 4 q1 t 1"], server.Sent());
    }

    [Fact]
    public void With_the_same_server_and_identifier_the_session_goes_on()
    {
        var server = ScriptedServer.Connected(Servers.Settings("a"));

        server.Engine.Update(Servers.Settings("a") with { MaximumDelay = 20 * Second }, 0);

        Assert.Equal(["DISCONNECT"], server.Sent());
        Assert.False(server.Accept(new ConnAckPacket { SessionPresent = true }).CleanStart);
    }

    [Fact]
    public void An_attempt_under_way_is_given_up_for_one_with_the_new_settings()
    {
        var server = new ScriptedServer(Servers.Settings("a"));
        server.Engine.Connect(0);
        server.Open();

        server.Engine.Update(Servers.Settings("b"), 0);

        // It may have been accepted, and what ends without DISCONNECT publishes the will.
        Assert.Equal(["DISCONNECT"], server.Sent());
        Assert.Equal("b", Servers.Target(server));
        server.Accept();
        Assert.Equal(ClientState.Connected, server.Engine.State);
    }

    [Fact]
    public void A_wait_is_over_with_new_settings()
    {
        var server = ScriptedServer.Connected(Servers.Settings("a"));
        server.Driver.Lose();

        server.Engine.Update(Servers.Settings("b"), 0);

        Assert.Equal("b", Servers.Target(server));
        Assert.True(server.Driver.WantsDial);
    }

    [Fact]
    public void A_client_that_is_down_stays_down()
    {
        var server = ScriptedServer.Connected(Servers.Settings("a"));
        server.Engine.End(new DisconnectPacket(), final: false, 0);
        server.Sent();

        server.Engine.Update(Servers.Settings("b"), 0);
        server.Driver.Collect();

        Assert.Equal(ClientState.Disconnected, server.Engine.State);
        Assert.False(server.Driver.WantsDial);
        server.Engine.Connect(0);
        Assert.Equal("b", Servers.Target(server));
    }

    [Fact]
    public void Who_stops_meanwhile_stays_stopped_with_the_new_settings()
    {
        var server = ScriptedServer.Connected(Servers.Settings("a"));
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);
        server.Sent();
        server.Engine.Update(Servers.Settings("b"), 0);
        server.Engine.End(new DisconnectPacket { ReasonCode = ReasonCode.DisconnectWithWillMessage }, final: false, 0);
        server.Driver.AdvanceTo(5 * Second);

        Assert.Equal(["DISCONNECT 0x04"], server.Sent());

        Assert.Equal(ClientState.Disconnected, server.Engine.State);
        Assert.Single(server.Driver.Outputs.OfType<EngineOutput.Updated>());
        Assert.False(server.Driver.WantsDial);
    }

    [Fact]
    public void What_broke_rules_with_the_old_settings_is_counted_anew_with_the_new_ones()
    {
        var server = ScriptedServer.Connected();
        for (var times = 1; times <= ViolationLoop.Threshold; times++)
        {
            server.Send(new ConnAckPacket());
            server.Sent();
            Assert.Equal(times, server.LastDisconnect!.Times);
            server.Driver.AdvanceTo(server.Engine.RetryAt);
            server.Accept();
        }

        server.Engine.Update(ScriptedServer.Settings(), server.Driver.Now);
        server.Sent();
        server.Accept();
        server.Send(new ConnAckPacket());
        server.Sent();

        Assert.Equal(1, server.LastDisconnect!.Times);
    }

    [Fact]
    public void What_a_server_says_after_CONNACK_does_not_keep_DISCONNECT_from_it()
    {
        var server = new ScriptedServer();
        server.Engine.Connect(0);
        server.Open();

        server.Engine.End(new DisconnectPacket(), final: false, 0);
        server.Send(new ConnAckPacket { SessionPresent = true });
        server.Send("t", "from the session of before");

        Assert.Equal(["DISCONNECT"], server.Sent());
        Assert.Equal(ClientState.Disconnected, server.Engine.State);
    }

    [Theory]
    [InlineData(MqttVersion.Mqtt5)]
    [InlineData(MqttVersion.Mqtt311)]
    public void A_client_that_is_stopped_before_CONNACK_says_so(MqttVersion version)
    {
        var server = new ScriptedServer(ScriptedServer.Settings(version));
        server.Engine.Connect(0);
        server.Open();

        server.Engine.End(new DisconnectPacket(), final: false, 0);
        server.Send(new ConnAckPacket());

        Assert.Equal(["DISCONNECT"], server.Sent());
        Assert.Equal(ClientState.Disconnected, server.Engine.State);
        Assert.Empty(server.Driver.Outputs.OfType<EngineOutput.Connected>());
        Assert.Single(server.Driver.Outputs.OfType<EngineOutput.Stopped>());
    }

    [Fact]
    public void A_server_that_does_not_listen_before_CONNACK_is_not_waited_for()
    {
        var server = new ScriptedServer();
        server.Engine.Connect(0);
        server.Open();
        server.Engine.End(new DisconnectPacket(), final: false, 0);

        server.Driver.AdvanceTo(Second / 4);

        Assert.Equal(ClientState.Disconnected, server.Engine.State);
        Assert.Equal(0, server.Driver.Open);
    }
}
