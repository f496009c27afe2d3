using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>What cuts the wait for the next attempt short: somebody asks, or the network changed.</summary>
public sealed class ShortenedWaitTests
{
    private const long Second = TimeSpan.TicksPerSecond;

    [Fact]
    public void A_network_change_does_not_end_the_wait_after_a_takeover()
    {
        var server = ScriptedServer.Connected(Servers.Settings("a"));
        server.Send(new DisconnectPacket { ReasonCode = ReasonCode.SessionTakenOver });

        server.Engine.HandleNetworkChange(5 * Second);

        Assert.True(server.Engine.RetryAt >= 8 * Second);
        Assert.False(server.Driver.WantsDial);
    }

    [Fact]
    public void Asking_for_a_connection_now_makes_one_attempt_however_often_it_is_asked()
    {
        var server = ScriptedServer.Connected(Servers.Settings("a"));
        server.Driver.Lose();
        server.Driver.Outputs.Clear();

        for (var i = 0; i < 10; i++)
        {
            server.Engine.ConnectByHand(atOnce: true, server.Driver.Now);
        }

        server.Driver.Collect();
        Assert.Single(server.Driver.Outputs.OfType<EngineOutput.Dial>());
        server.Accept(new ConnAckPacket { SessionPresent = true });
        server.Engine.ConnectByHand(atOnce: true, server.Driver.Now);
        Assert.Equal(ClientState.Connected, server.Engine.State);
        Assert.Empty(server.Sent());
    }

    [Fact]
    public void Asking_for_a_connection_without_haste_joins_the_wait()
    {
        var server = ScriptedServer.Connected(Servers.Settings("a"));
        server.Driver.Lose();

        server.Engine.ConnectByHand(atOnce: false, server.Driver.Now);

        server.Driver.Collect();
        Assert.False(server.Driver.WantsDial);
        Assert.Equal(Second, server.Engine.RetryAt);
    }

    [Fact]
    public void A_network_change_cuts_a_wait_short_but_makes_attempts_no_closer_than_the_shortest_delay()
    {
        var server = ScriptedServer.Connecting(Servers.Settings("a"));
        for (var i = 0; i < 4; i++)
        {
            server.Driver.FailDial(Servers.Refused);
            server.Driver.AdvanceTo(i < 3 ? server.Engine.RetryAt : server.Driver.Now);
        }

        Assert.Equal(8 * Second, server.Engine.RetryAt - server.Driver.Now);
        var attempted = server.Driver.Now;
        server.Engine.HandleNetworkChange(attempted + (Second / 2));
        Assert.Equal(attempted + Second, server.Engine.RetryAt);

        server.Driver.AdvanceTo(attempted + Second);
        Assert.True(server.Driver.WantsDial);
        server.Driver.FailDial(Servers.Refused);
        server.Driver.Now += 2 * Second;
        server.Engine.HandleNetworkChange(server.Driver.Now);
        server.Driver.Collect();
        Assert.True(server.Driver.WantsDial);
    }

    [Fact]
    public void A_network_change_changes_nothing_where_nothing_waits()
    {
        var server = ScriptedServer.Connected(Servers.Settings("a"));
        server.Engine.HandleNetworkChange(Second);
        Assert.Equal(ClientState.Connected, server.Engine.State);
        server.Engine.End(new DisconnectPacket(), final: false, Second);
        server.Sent();

        server.Engine.HandleNetworkChange(2 * Second);

        server.Driver.Collect();
        Assert.Equal(ClientState.Disconnected, server.Engine.State);
        Assert.False(server.Driver.WantsDial);
    }
}
