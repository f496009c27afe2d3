using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>From the first command to CONNACK, and from a lost connection to the next.</summary>
public sealed class ConnectTests
{
    private const long Second = TimeSpan.TicksPerSecond;

    [Fact]
    public void CONNECT_carries_what_the_settings_say()
    {
        var server = new ScriptedServer(ScriptedServer.Settings() with { ReceiveMaximum = 7, MaximumPacketSize = 5_000, TopicAliasMaximum = 3 });
        server.Engine.Connect(0);

        var connect = server.Open();

        Assert.Equal("test", connect.ClientId);
        Assert.Equal(60, connect.KeepAlive);
        Assert.Equal(3600u, connect.SessionExpiryInterval);
        Assert.Equal((ushort)7, connect.ReceiveMaximum);
        Assert.Equal(5_000u, connect.MaximumPacketSize);
        Assert.Equal((ushort)3, connect.TopicAliasMaximum);
        Assert.Equal(ClientState.Connecting, server.Engine.State);
    }

    [Fact]
    public void The_first_publish_connects()
    {
        var server = new ScriptedServer();
        server.Driver.Publish("t", "p", QoS.AtLeastOnce, out _);

        server.Accept();

        Assert.Equal(ClientState.Connected, server.Engine.State);
        Assert.Equal(["PUBLISH 1 q1 t p"], server.Sent());
    }

    [Fact]
    public void A_subscription_waits_for_others_where_a_session_may_hold_messages_for_them()
    {
        var server = new ScriptedServer(ScriptedServer.Settings() with { CleanStart = false });
        server.Driver.Subscribe("a");
        server.Driver.AdvanceTo(Second / 20);
        server.Driver.Subscribe("b");
        server.Driver.AdvanceTo(Second / 20 + Second / 10 - 1);
        Assert.False(server.Driver.WantsDial);

        server.Driver.AdvanceTo(server.Engine.Deadline);

        Assert.True(server.Driver.WantsDial);
        server.Accept(new ConnAckPacket { SessionPresent = true });
        server.Send("b", "kept for it");
        Assert.Equal("kept for it", Assert.Single(server.Driver.Arrived).Payload);
    }

    [Fact]
    public void However_many_subscriptions_come_a_connection_is_made_after_a_second()
    {
        var server = new ScriptedServer(ScriptedServer.Settings() with { CleanStart = false });
        for (var i = 0; i < 20; i++)
        {
            server.Driver.AdvanceTo(i * Second / 20);
            server.Driver.Subscribe($"{i}");
        }

        Assert.False(server.Driver.WantsDial);
        server.Driver.AdvanceTo(Second);
        Assert.True(server.Driver.WantsDial);
    }

    [Fact]
    public void Nothing_is_waited_for_where_there_is_no_session_or_somebody_asks()
    {
        var clean = new ScriptedServer(ScriptedServer.Settings() with { CleanStart = true });
        clean.Driver.Subscribe("a");
        Assert.True(clean.Driver.WantsDial);

        var asked = new ScriptedServer(ScriptedServer.Settings() with { CleanStart = false });
        asked.Driver.Subscribe("a");
        asked.Engine.Connect(0);
        asked.Driver.Collect();
        Assert.True(asked.Driver.WantsDial);

        var publishing = new ScriptedServer(ScriptedServer.Settings() with { CleanStart = false });
        publishing.Driver.Subscribe("a");
        publishing.Driver.Publish("t", "p", QoS.AtLeastOnce, out _);
        Assert.True(publishing.Driver.WantsDial);
        Assert.NotEqual(0, publishing.Engine.Deadline);
    }

    [Fact(DisplayName = "[MQTT5-3.2.0-1] Anything before CONNACK is a violation")]
    public void Anything_before_CONNACK_is_a_violation()
    {
        var server = new ScriptedServer();
        server.Engine.Connect(0);
        server.Open();

        server.Send("t", "p");

        var failed = Assert.IsType<EngineOutput.AttemptFailed>(server.Driver.Outputs[^1]);
        Assert.Equal("MQTT5-3.2.0-1", failed.Reason.Clause);
        Assert.Empty(server.Driver.Arrived);
        Assert.Equal(0, server.Driver.Open);
        Assert.Equal(ClientState.Waiting, server.Engine.State);
    }

    [Fact(DisplayName = "[MQTT5-3.2.0-2] A second CONNACK is a violation")]
    public void A_second_CONNACK_is_a_violation()
    {
        var server = ScriptedServer.Connected();

        server.Send(new ConnAckPacket());

        Assert.Equal(["DISCONNECT 0x82"], server.Sent());
        Assert.Equal("MQTT5-3.2.0-2", server.LastDisconnect!.Clause);
    }

    [Fact(DisplayName = "[MQTT5-3.2.2-4] Session Present without a session of ours closes the connection")]
    public void Session_present_without_a_session_closes()
    {
        var server = new ScriptedServer(ScriptedServer.Settings() with { CleanStart = null });
        server.Engine.Connect(0);
        Assert.True(server.Open().CleanStart);

        server.Send(new ConnAckPacket { SessionPresent = true });

        var failed = Assert.IsType<EngineOutput.AttemptFailed>(server.Driver.Outputs[^1]);
        Assert.Equal("MQTT5-3.2.2-4", failed.Reason.Clause);
        Assert.Null(server.Engine.Accepted);
    }

    [Theory]
    [InlineData(MqttVersion.Mqtt5, null, false, true, false)]
    [InlineData(MqttVersion.Mqtt5, false, false, false, false)]
    [InlineData(MqttVersion.Mqtt5, true, false, true, false)]
    [InlineData(MqttVersion.Mqtt311, null, true, true, true)]
    [InlineData(MqttVersion.Mqtt311, null, false, false, false)]
    [InlineData(MqttVersion.Mqtt311, true, false, true, true)]
    [InlineData(MqttVersion.Mqtt31, null, false, false, false)]
    public void Clean_start_of_the_first_and_of_later_attempts(MqttVersion version, bool? asked, bool generated, bool first, bool later)
    {
        var server = new ScriptedServer(ScriptedServer.Settings(version) with { CleanStart = asked, ClientIdIsGenerated = generated });
        server.Engine.Connect(0);

        Assert.Equal(first, server.Accept().CleanStart);
        server.Driver.Lose();
        server.Driver.AdvanceTo(server.Engine.RetryAt);
        Assert.Equal(later, server.Open().CleanStart);
    }

    [Fact(DisplayName = "[MQTT5-3.1.3-6] An assigned client identifier is kept")]
    public void An_assigned_client_identifier_is_kept()
    {
        var settings = ScriptedServer.Settings() with { Connect = new ConnectPacket { ClientId = "" } };
        var server = ScriptedServer.Connected(settings, new ConnAckPacket { AssignedClientIdentifier = "given" });

        Assert.Equal("given", server.Engine.ClientId);
        server.Driver.Lose();
        server.Driver.AdvanceTo(server.Engine.RetryAt);
        Assert.Equal("given", server.Open().ClientId);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void One_deadline_covers_dialling_and_CONNACK(bool dialed)
    {
        var server = new ScriptedServer();
        server.Engine.Connect(0);
        server.Driver.Collect();
        if (dialed)
        {
            server.Driver.Now = 14 * Second;
            server.Open();
        }

        Assert.Equal(15 * Second, server.Engine.Deadline);
        server.Driver.AdvanceTo((15 * Second) - 1);
        Assert.Equal(ClientState.Connecting, server.Engine.State);
        server.Driver.AdvanceTo(15 * Second);

        var failed = Assert.IsType<EngineOutput.AttemptFailed>(server.Driver.Outputs[^1]);
        Assert.Equal(CloseKind.ConnectTimeout, failed.Reason.Kind);
        Assert.Equal(0, server.Driver.Open);
        Assert.False(server.Driver.WantsDial);
    }

    [Fact]
    public void What_an_earlier_attempt_still_says_is_ignored()
    {
        var server = ScriptedServer.Connected();
        var old = server.Driver.Open;
        server.Reconnect();

        server.Engine.HandleTransportLost(old, new CloseReason(CloseKind.TransportLost, "late"), 0);
        server.Engine.HandleDialed(old);

        Assert.Equal(ClientState.Connected, server.Engine.State);
        Assert.Equal(new EngineOutput.CloseTransport(old, AfterFlush: false), server.Engine.Outputs.Dequeue());
    }

    [Fact]
    public void Back_off_starts_over_only_after_a_stable_connection()
    {
        var server = ScriptedServer.Connected();
        foreach (var expected in new[] { 0.5, 1, 2 })
        {
            server.Driver.Lose();
            Assert.Equal((long)(expected * Second), server.Engine.RetryAt - server.Driver.Now);
            server.Driver.AdvanceTo(server.Engine.RetryAt);
            server.Accept();
        }

        server.Driver.Now += 30 * Second;
        server.Driver.Lose();

        Assert.Equal(Second / 2, server.Engine.RetryAt - server.Driver.Now);
    }

    [Fact]
    public void Without_reconnect_a_lost_connection_is_the_end()
    {
        var server = ScriptedServer.Connected(ScriptedServer.Settings() with { Reconnect = false });
        var waiter = server.Driver.Publish("t", "p", QoS.AtLeastOnce, out _);
        server.Sent();

        server.Driver.Lose();

        Assert.IsType<EngineOutput.GaveUp>(server.Driver.Outputs[^1]);
        Assert.Equal([(waiter, PublishEnd.Unanswered)], server.Driver.Ended.Select(e => ((object?)e.Waiter, e.End)));
    }

    [Fact]
    public void The_servers_DISCONNECT_says_why()
    {
        var server = ScriptedServer.Connected();

        server.Send(new DisconnectPacket { ReasonCode = ReasonCode.SessionTakenOver, ReasonString = "elsewhere" });

        var reason = server.LastDisconnect!;
        Assert.Equal((CloseKind.ServerDisconnected, ReasonCode.SessionTakenOver, "elsewhere"), (reason.Kind, reason.ReasonCode!.Value, reason.ReasonString));
        Assert.False(reason.IsTransient);
        Assert.Equal((FailureClass.TakenOver, DisconnectCause.Remote), (reason.Class, reason.EndedBy));
        Assert.True(server.Engine.RetryAt - server.Driver.Now >= 60 * Second);
        Assert.Equal(0, server.Driver.Open);
    }

    [Fact(DisplayName = "[MQTT5-4.12.0-6] AUTH without an authentication method is a violation")]
    public void AUTH_without_a_method_is_a_violation()
    {
        var server = ScriptedServer.Connected();

        server.Driver.Receive([0xF0, 0]);

        Assert.Equal(CloseKind.Violation, server.Driver.ClosesAfterFlush ? CloseKind.Violation : server.LastDisconnect!.Kind);
        Assert.Single(server.Sent());
        Assert.Equal(ClientState.Waiting, server.Engine.State);
    }

    [Fact]
    public void After_a_violation_nothing_is_parsed_and_reconnecting_stays_armed()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Subscribe("#");
        server.Driver.Publish("t", "p", QoS.AtLeastOnce, out _);
        server.Sent();

        byte[] ack = PacketWriter.ToArray(new AckPacket(PacketType.PubAck, 2), MqttVersion.Mqtt5);
        server.Driver.Receive([.. server.Publish("a", "1", QoS.AtMostOnce, 0), 0x00, 0x00, .. ack]);
        server.Driver.Receive(ack);

        Assert.Equal(["1"], server.Driver.Arrived.Select(a => a.Payload));
        Assert.Empty(server.Driver.Ended);
        Assert.Equal(["DISCONNECT 0x81"], server.Sent());
        server.Driver.AdvanceTo(server.Engine.RetryAt);
        server.Accept(new ConnAckPacket { SessionPresent = true });
        Assert.Equal(["PUBLISH 2 q1 dup t p", "SUBSCRIBE 3 #:2"], server.Sent());
    }

    [Fact]
    public void In_3_1_1_a_violation_closes_without_a_word()
    {
        var server = ScriptedServer.Connected(ScriptedServer.Settings(MqttVersion.Mqtt311));

        server.Driver.Receive([0x00, 0x00]);

        Assert.Equal(0, server.Driver.Open);
        Assert.Equal(CloseKind.Violation, server.LastDisconnect!.Kind);
        Assert.StartsWith("MQTT311-", server.LastDisconnect.Clause, StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_that_takes_no_DISCONNECT_is_left_after_two_seconds()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Receive([0x00, 0x00]);
        Assert.Equal(2 * Second, server.Engine.Deadline);

        server.Driver.AdvanceTo(2 * Second);

        Assert.Equal(0, server.Driver.Open);
        Assert.Equal(CloseKind.Violation, server.LastDisconnect!.Kind);
    }
}
