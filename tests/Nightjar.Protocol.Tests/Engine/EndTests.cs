using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Nightjar.Protocol.Topics;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>Disconnecting and disposing.</summary>
public sealed class EndTests
{
    private const long Second = TimeSpan.TicksPerSecond;

    [Fact]
    public void An_idle_client_closes_at_once()
    {
        var server = new ScriptedServer();

        server.Engine.End(new DisconnectPacket(), final: true, 0);
        server.Driver.Collect();

        Assert.IsType<EngineOutput.Closed>(Assert.Single(server.Driver.Outputs));
        Assert.Equal(ClientState.Closed, server.Engine.State);
    }

    [Fact]
    public void While_DISCONNECT_is_on_its_way_nothing_else_is_due()
    {
        var pace = new PaceSettings { Interval = 44 * Second };
        var server = ScriptedServer.Connected(ScriptedServer.Settings() with
        {
            Outbox = new OutboxSettings { Pace = pace },
            Connection = new ConnectionSettings { MaximumAge = 46 * Second },
        });
        server.Driver.Publish("t", "1", QoS.AtMostOnce, out _);
        server.Driver.Publish("t", "2", QoS.AtMostOnce, out _);
        server.Driver.AdvanceTo(43 * Second);

        server.Send(new ConnAckPacket());
        server.Driver.AdvanceTo(45 * Second - 1);

        // Neither the connection's age before 44 s, nor the next message at 44 s.
        Assert.Equal(45 * Second, server.Engine.Deadline);
        Assert.Equal(ClientState.Disconnected, server.Engine.State);
        server.Driver.AdvanceTo(45 * Second);
        Assert.Equal(ClientState.Waiting, server.Engine.State);
    }

    [Theory(DisplayName = "[MQTT5-3.14.2-2] DISCONNECT does not extend a session that CONNECT let end")]
    [InlineData(0u, null)]
    [InlineData(60u, 30u)]
    public void DISCONNECT_does_not_extend_a_session_that_CONNECT_let_end(uint connect, uint? disconnect)
    {
        var settings = new EngineSettings { Connect = new ConnectPacket { SessionExpiryInterval = connect }, Random = () => 0 };
        var ending = new Ending(EndingKind.Stop, new DisconnectPacket { SessionExpiryInterval = 30 }, new CloseReason(CloseKind.Requested, "asked"), deadline: 0);

        var packet = ending.LastWord(settings.AllServers[0], new Outbound(settings.Outbox, new EngineCounters()));

        Assert.Equal(disconnect, packet.SessionExpiryInterval);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void DISCONNECT_waits_for_what_is_in_flight_and_is_last(bool final)
    {
        var server = ScriptedServer.Connected();
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);
        server.Driver.Publish("t", "2", QoS.AtMostOnce, out _);

        server.Engine.End(new DisconnectPacket(), final, 0);
        server.Driver.Collect();

        Assert.Equal(["PUBLISH 1 q1 t 1", "PUBLISH 0 q0 t 2"], server.Sent());
        Assert.Equal(ClientState.Connected, server.Engine.State);
        server.Answer(PacketType.PubAck, 1);
        Assert.Equal(["DISCONNECT"], server.Sent());
        Assert.Equal(0, server.Driver.Open);
        Assert.Equal(final ? ClientState.Closed : ClientState.Disconnected, server.Engine.State);
        Assert.Equal(final, server.Driver.Outputs[^1] is EngineOutput.Closed);
        Assert.Equal(!final, server.Driver.Outputs[^1] is EngineOutput.Stopped);
        Assert.Equal(PublishEnd.Answered, Assert.Single(server.Driver.Ended).End);
    }

    [Fact]
    public void Acknowledgements_that_gather_do_not_keep_the_client_open()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Publish("t", "p", QoS.AtMostOnce, out _);
        server.Engine.End(new DisconnectPacket(), final: true, 0);
        server.Taken();
        server.Send("u", "1", QoS.AtLeastOnce, 1);

        server.Driver.Written();

        Assert.Equal(["PUBACK 1", "DISCONNECT"], server.Sent());
        Assert.Equal(ClientState.Closed, server.Engine.State);
    }

    [Fact]
    public void DISCONNECT_waits_for_the_write_of_QoS_0()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Publish("t", "p", QoS.AtMostOnce, out _);
        server.Taken();
        server.Engine.End(new DisconnectPacket(), final: true, 0);
        server.Driver.Collect();
        Assert.Equal(5 * Second, server.Engine.Deadline);

        server.Driver.Written();

        Assert.Equal(["DISCONNECT"], server.Sent());
    }

    [Fact]
    public void The_drain_timeout_ends_the_wait_and_every_publish()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);
        server.Sent();
        server.Engine.End(new DisconnectPacket(), final: true, 0);

        server.Driver.AdvanceTo((5 * Second) - 1);
        Assert.Empty(server.Sent());
        server.Driver.AdvanceTo(5 * Second);

        Assert.Equal(["DISCONNECT"], server.Sent());
        Assert.Equal(PublishEnd.NotSent, Assert.Single(server.Driver.Ended).End);
        Assert.Equal(ClientState.Closed, server.Engine.State);
        Assert.Equal(long.MaxValue, server.Engine.Deadline);
    }

    [Fact]
    public void A_connection_lost_while_draining_is_made_again()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);
        server.Sent();
        server.Engine.End(new DisconnectPacket(), final: true, 0);
        server.Reconnect();

        Assert.Equal(["PUBLISH 1 q1 dup t 1"], server.Sent());
        server.Answer(PacketType.PubAck, 1);
        Assert.Equal(["DISCONNECT"], server.Sent());
        Assert.Equal(PublishEnd.Answered, Assert.Single(server.Driver.Ended).End);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_attempt_under_way_ends_at_the_drain_timeout(bool dialed)
    {
        var server = new ScriptedServer();
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);
        if (dialed)
        {
            server.Open();
        }

        server.Engine.End(new DisconnectPacket(), final: true, 0);
        server.Driver.AdvanceTo(5 * Second);
        if (dialed)
        {
            // The server may have accepted already: without DISCONNECT it would publish the will.
            Assert.Equal(["DISCONNECT"], server.Sent());
        }

        Assert.Equal(ClientState.Closed, server.Engine.State);
        Assert.Equal(0, server.Driver.Open);
        Assert.False(server.Driver.WantsDial);
        Assert.Equal(PublishEnd.NotSent, Assert.Single(server.Driver.Ended).End);
    }

    [Fact]
    public void After_a_disconnect_the_client_stays_down_until_asked()
    {
        var server = ScriptedServer.Connected();
        server.Engine.End(new DisconnectPacket(), final: false, 0);
        server.Sent();
        var waiter = server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);
        Assert.False(server.Driver.WantsDial);
        Assert.Equal(ClientState.Disconnected, server.Engine.State);

        server.Engine.Connect(0);
        server.Accept(new ConnAckPacket { SessionPresent = true });

        Assert.Equal(["PUBLISH 1 q1 t 1"], server.Sent());
        Assert.NotNull(waiter);
    }

    [Fact]
    public void Connecting_while_disconnecting_connects_again_afterwards()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);
        server.Sent();
        server.Engine.End(new DisconnectPacket(), final: false, 0);
        server.Engine.Connect(0);

        server.Answer(PacketType.PubAck, 1);
        Assert.Equal(["DISCONNECT"], server.Sent());
        server.Driver.Lose(orderly: true);

        server.Accept(new ConnAckPacket { SessionPresent = true });
        Assert.Equal(ClientState.Connected, server.Engine.State);
    }

    [Fact]
    public void Disposing_while_disconnecting_closes_for_good()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);
        server.Sent();
        server.Engine.End(new DisconnectPacket(), final: false, 0);
        server.Engine.Connect(0);
        server.Engine.End(new DisconnectPacket(), final: true, 0);

        server.Answer(PacketType.PubAck, 1);
        server.Sent();

        Assert.Equal(ClientState.Closed, server.Engine.State);
        server.Engine.Connect(0);
        server.Driver.Collect();
        Assert.False(server.Driver.WantsDial);
    }

    [Theory]
    [InlineData(true, true, 0u)]
    [InlineData(true, false, null)]
    [InlineData(false, true, null)]
    public void A_generated_client_identifier_ends_its_session(bool generated, bool final, uint? expiry)
    {
        var server = ScriptedServer.Connected(ScriptedServer.Settings() with { ClientIdIsGenerated = generated });

        server.Engine.End(new DisconnectPacket(), final, 0);
        var bytes = server.Driver.Flush();

        var decoder = new PacketDecoder(PacketSender.Client, MqttVersion.Mqtt5);
        Assert.Equal(DecodeStatus.Packet, decoder.Decode(bytes, bufferFull: false, out var packet, out _));
        Assert.Equal(expiry, ((DisconnectPacket)packet.Other!).SessionExpiryInterval);
    }

    [Fact(DisplayName = "[MQTT5-3.14.2-3] A reason string that does not fit is left out")]
    public void A_reason_string_that_does_not_fit_is_left_out()
    {
        var server = ScriptedServer.Connected(answer: new ConnAckPacket { MaximumPacketSize = 20 });

        server.Engine.End(
            new DisconnectPacket { ReasonCode = ReasonCode.DisconnectWithWillMessage, ReasonString = new string('x', 50), UserProperties = [new UserProperty("a", "b")] },
            final: true,
            0);

        Assert.Equal([0xE0, 1, 4], server.Driver.Flush());
    }

    [Fact]
    public void Nothing_that_wants_an_answer_is_taken_after_DISCONNECT()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Subscribe("t");
        server.Sent();
        server.Engine.End(new DisconnectPacket(), final: true, 0);
        server.Driver.Publish("t", "late", QoS.AtMostOnce, out _);
        server.Driver.Publish("t", "late", QoS.AtLeastOnce, out _);
        server.Send("t", "1", QoS.AtLeastOnce, 1);
        server.Send("t", "2", QoS.ExactlyOnce, 2);
        server.Answer(PacketType.PubRec, 9);
        server.Answer(PacketType.PubRel, 9);

        Assert.Equal(["DISCONNECT"], server.Sent());
        Assert.Empty(server.Driver.Arrived);
    }

    [Fact]
    public void Abort_closes_without_a_word()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);

        server.Engine.Abort(0);
        server.Driver.Collect();

        Assert.Empty(server.Sent());
        Assert.Equal(0, server.Driver.Open);
        Assert.Equal(ClientState.Closed, server.Engine.State);
        Assert.IsType<EngineOutput.Closed>(server.Driver.Outputs[^1]);
        server.Engine.Abort(0);
        Assert.Empty(server.Engine.Outputs);
    }

    [Fact]
    public void Who_waits_for_UNSUBACK_hears_of_the_end_once()
    {
        var server = ScriptedServer.Connected();
        server.Engine.Unsubscribe([TopicFilter.Parse("a")], "waiter", 0);
        server.Sent();

        server.Engine.Abort(0);
        server.Driver.Collect();

        Assert.Equal(CloseKind.Requested, Assert.Single(server.Driver.UnsubscribeAnswers).Failure!.Kind);
    }
}
