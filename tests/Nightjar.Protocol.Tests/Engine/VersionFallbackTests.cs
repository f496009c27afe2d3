using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>A server that does not know MQTT 5.0.</summary>
public sealed class VersionFallbackTests
{
    [Theory]
    [InlineData(new byte[] { 0x20, 2, 0, 1 })]
    [InlineData(new byte[] { 0x20, 3, 0, 0x84, 0 })]
    [InlineData(new byte[] { 0x20, 2, 0, 0x84 })]
    [InlineData(new byte[] { 0x20, 2, 0, 0 })]
    [InlineData(new byte[0])]
    public void A_server_that_does_not_know_5_0_is_asked_again_with_3_1_1(byte[] answer)
    {
        var server = new ScriptedServer();
        server.Engine.Connect(0);
        server.Open();

        Say(server, answer);

        var connect = server.Accept();
        Assert.Equal(MqttVersion.Mqtt311, connect.Version);
        Assert.Equal(MqttVersion.Mqtt311, server.Engine.Accepted!.Version);
        Assert.Equal(0, server.Driver.Now);
        server.Reconnect(sessionPresent: true);
        Assert.Equal(MqttVersion.Mqtt311, server.Engine.Accepted!.Version);
    }

    [Fact]
    public void The_version_falls_back_once()
    {
        var server = new ScriptedServer();
        server.Engine.Connect(0);
        server.Open();
        server.Driver.Lose(orderly: true);
        Assert.Equal(MqttVersion.Mqtt311, server.Open().Version);

        server.Driver.Lose(orderly: true);
        Assert.Equal(ClientState.Waiting, server.Engine.State);

        // It hung up on both, so neither version was the reason.
        server.Driver.AdvanceTo(server.Engine.RetryAt);
        Assert.Equal(MqttVersion.Mqtt5, server.Open().Version);
        server.Driver.Lose(orderly: true);
        server.Driver.AdvanceTo(server.Engine.RetryAt);
        Assert.Equal(MqttVersion.Mqtt5, server.Open().Version);
    }

    [Fact]
    public void The_version_does_not_fall_back_with_an_authentication_method()
    {
        var settings = ScriptedServer.Settings() with { Connect = new ConnectPacket { ClientId = "c", AuthenticationMethod = "SCRAM-SHA-1" } };

        AssertNoFallBack(settings, []);
        AssertNoFallBack(settings, [0x20, 2, 0, 1]);
    }

    [Fact]
    public void The_version_does_not_fall_back_when_that_is_turned_off() =>
        AssertNoFallBack(ScriptedServer.Settings() with { AllowVersionFallback = false }, [0x20, 2, 0, 1]);

    [Fact]
    public void A_refusal_for_another_reason_is_no_reason_to_fall_back() => AssertNoFallBack(ScriptedServer.Settings(), [0x20, 3, 0, 0x87, 0]);

    [Fact]
    public void A_broken_transport_is_no_reason_to_fall_back()
    {
        var server = new ScriptedServer();
        server.Engine.Connect(0);
        server.Open();

        server.Driver.Lose(orderly: false);

        Assert.Equal(ClientState.Waiting, server.Engine.State);
    }

    [Fact]
    public void A_server_that_hangs_up_in_the_middle_of_CONNACK_knows_5_0()
    {
        var server = new ScriptedServer();
        server.Engine.Connect(0);
        server.Open();

        server.Driver.Receive([0x20]);
        server.Driver.Lose(orderly: true);

        Assert.Equal(ClientState.Waiting, server.Engine.State);
    }

    [Fact]
    public void A_server_that_accepted_5_0_once_is_not_asked_with_less()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Lose();
        server.Driver.AdvanceTo(server.Engine.RetryAt);
        server.Open();

        server.Driver.Lose(orderly: true);
        server.Driver.AdvanceTo(server.Engine.RetryAt);

        Assert.Equal(MqttVersion.Mqtt5, server.Open().Version);
    }

    private static void Say(ScriptedServer server, byte[] answer)
    {
        if (answer.Length > 0)
        {
            server.Driver.Receive(answer);
        }
        else
        {
            server.Driver.Lose(orderly: true);
        }
    }

    private static void AssertNoFallBack(EngineSettings settings, byte[] answer)
    {
        var server = new ScriptedServer(settings);
        server.Engine.Connect(0);
        server.Open();

        Say(server, answer);

        Assert.False(server.Driver.WantsDial);
        server.Driver.AdvanceTo(server.Engine.RetryAt);
        Assert.Equal(MqttVersion.Mqtt5, server.Open().Version);
    }
}
