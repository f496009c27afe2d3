using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>How long a healthy connection goes on: its age, idleness, windows.</summary>
public sealed class ConnectionSpanTests
{
    private const long Second = TimeSpan.TicksPerSecond;
    private const long Minute = 60 * Second;

    [Fact]
    public void At_its_maximum_age_a_connection_is_renewed_at_once()
    {
        var server = ScriptedServer.Connected(Aging(random: 0));
        Assert.Equal(Minute, server.Engine.Deadline);

        server.Driver.AdvanceTo(Minute);

        Assert.Equal(["DISCONNECT"], server.Sent());
        Assert.Equal((CloseKind.Renewed, DisconnectCause.Local), (server.LastDisconnect!.Kind, server.LastDisconnect.EndedBy));
        Assert.False(server.Accept(new ConnAckPacket { SessionPresent = true }).CleanStart);
        Assert.Equal(Minute, server.Driver.Now);
        Assert.Equal(2 * Minute, server.Engine.Deadline);
        Assert.Equal(0, server.Engine.Failures);
    }

    [Theory]
    [InlineData(0, 60)]
    [InlineData(0.5, 57)]
    [InlineData(1, 54)]
    public void Clients_that_connected_together_are_not_renewed_together(double random, long seconds)
    {
        var server = ScriptedServer.Connected(Aging(random));

        Assert.Equal(seconds * Second, server.Engine.Deadline);
    }

    [Fact]
    public void Renewing_waits_for_what_is_in_flight_and_loses_nothing_of_what_is_not()
    {
        var server = ScriptedServer.Connected(Aging(random: 0));
        server.Driver.Publish("t", "answered", QoS.AtLeastOnce, out _);
        server.Driver.Publish("t", "late", QoS.AtLeastOnce, out _);
        server.Sent();
        server.Driver.AdvanceTo(Minute);
        Assert.Empty(server.Sent());
        server.Answer(PacketType.PubAck, 1);
        Assert.Empty(server.Sent());

        server.Driver.AdvanceTo(Minute + (5 * Second));

        Assert.Equal(["DISCONNECT"], server.Sent());
        server.Accept(new ConnAckPacket { SessionPresent = true });
        Assert.Equal(["PUBLISH 2 q1 dup t late"], server.Sent());
    }

    [Fact]
    public void Without_messages_the_connection_rests_until_it_is_needed()
    {
        var server = ScriptedServer.Connected(With(new ConnectionSettings { IdleTimeout = Minute }));

        server.Driver.AdvanceTo(Minute);

        Assert.Equal(["DISCONNECT"], server.Sent());
        Assert.Equal(ClientState.Idle, server.Engine.State);
        Assert.Equal(long.MaxValue, server.Engine.Deadline);
        server.Driver.Publish("t", "1", QoS.AtMostOnce, out _);
        server.Accept(new ConnAckPacket { SessionPresent = true });
        Assert.Equal(["PUBLISH 0 q0 t 1"], server.Sent());
    }

    [Fact]
    public void Messages_in_either_direction_keep_the_connection_and_pings_do_not()
    {
        var settings = ScriptedServer.Settings() with { Connection = new ConnectionSettings { IdleTimeout = 100 * Second } };
        var server = ScriptedServer.Connected(settings);
        server.Driver.Subscribe("#");
        server.Sent();
        server.Send(new SubAckPacket { PacketId = 1, ReasonCodes = [ReasonCode.GrantedQoS2] });
        Live(server, 50 * Second);
        server.Driver.Publish("t", "out", QoS.AtMostOnce, out _);
        server.Sent();
        Live(server, 140 * Second);
        server.Send("t", "in");
        Live(server, 239 * Second);
        Assert.Equal(ClientState.Connected, server.Engine.State);

        server.Driver.AdvanceTo(240 * Second);

        Assert.Equal(["DISCONNECT"], server.Sent());
    }

    [Fact]
    public void A_message_that_is_being_handled_is_no_idleness()
    {
        var server = ScriptedServer.Connected(With(new ConnectionSettings { IdleTimeout = Minute }));
        server.Driver.Subscribe("#");
        server.Sent();
        server.Send(new SubAckPacket { PacketId = 1, ReasonCodes = [ReasonCode.GrantedQoS2] });
        server.Send("t", "1", QoS.AtLeastOnce, 1);

        server.Driver.AdvanceTo(Minute);
        Assert.Equal(ClientState.Connected, server.Engine.State);
        server.Driver.Complete(server.Driver.Arrived[0].Token);
        Assert.Equal(["PUBACK 1"], server.Sent());
        server.Driver.AdvanceTo(2 * Minute);

        Assert.Equal(["DISCONNECT"], server.Sent());
    }

    [Fact]
    public void A_request_that_waits_for_its_answer_is_no_idleness()
    {
        var server = ScriptedServer.Connected(With(new ConnectionSettings { IdleTimeout = 5 * Second }));
        server.Engine.Requests.TryAdd(1, new object(), deadline: long.MaxValue);
        server.Driver.AdvanceTo(5 * Second);
        Assert.Empty(server.Sent());

        server.Engine.Requests.Answer(1);
        server.Driver.AdvanceTo(10 * Second);

        Assert.Equal(["DISCONNECT"], server.Sent());
    }

    [Fact]
    public void A_SUBSCRIBE_or_UNSUBSCRIBE_without_answer_is_no_idleness()
    {
        var server = ScriptedServer.Connected(ScriptedServer.Settings() with { Connection = new ConnectionSettings { IdleTimeout = 5 * Second } });
        var subscription = server.Driver.Subscribe("f");
        Assert.Equal(["SUBSCRIBE 1 f:2"], server.Sent());
        server.Driver.AdvanceTo(5 * Second);
        Assert.Empty(server.Sent());
        server.Send(new SubAckPacket { PacketId = 1, ReasonCodes = [ReasonCode.GrantedQoS2] });
        server.Engine.Unsubscribe(subscription, "me");
        Assert.Equal(["UNSUBSCRIBE 2 f"], server.Sent());
        server.Driver.AdvanceTo(10 * Second);
        Assert.Empty(server.Sent());
        server.Send(new UnsubAckPacket { PacketId = 2, ReasonCodes = [ReasonCode.Success] });

        server.Driver.AdvanceTo(15 * Second);

        Assert.Equal(["DISCONNECT"], server.Sent());
        Assert.Equal(ClientState.Idle, server.Engine.State);
    }

    [Fact]
    public void What_is_published_while_the_idle_connection_ends_makes_another_one()
    {
        var server = ScriptedServer.Connected(With(new ConnectionSettings { IdleTimeout = Minute }));
        server.Driver.AdvanceTo(Minute);
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);

        Assert.Equal(["DISCONNECT"], server.Sent());

        server.Accept(new ConnAckPacket { SessionPresent = true });
        Assert.Equal(["PUBLISH 1 q1 t 1"], server.Sent());
    }

    [Fact]
    public void A_connection_begins_in_its_window_and_ends_with_it()
    {
        var server = Scheduled(ScheduleJitter: 0);
        Assert.Single(server.Driver.Outputs.OfType<EngineOutput.AskWindow>());
        Assert.False(server.Driver.WantsDial);
        server.Engine.HandleWindow(1, 10 * Minute, 20 * Minute, 0);
        Assert.Equal((ClientState.Waiting, 10 * Minute), (server.Engine.State, server.Engine.RetryAt));
        server.Driver.AdvanceTo((10 * Minute) - 1);
        Assert.False(server.Driver.WantsDial);

        server.Driver.AdvanceTo(10 * Minute);
        server.Accept();
        server.Sent();
        server.Driver.AdvanceTo(20 * Minute);

        Assert.Equal(["DISCONNECT"], server.Sent());
        Assert.Equal(2, server.Driver.Outputs.OfType<EngineOutput.AskWindow>().Count());
        Assert.Equal(ClientState.Waiting, server.Engine.State);
        server.Engine.HandleWindow(2, 30 * Minute, 40 * Minute, 20 * Minute);
        server.Driver.AdvanceTo(30 * Minute);
        Assert.True(server.Driver.WantsDial);
    }

    [Fact]
    public void A_window_that_is_open_already_is_used_at_once_and_without_jitter()
    {
        var server = Scheduled(ScheduleJitter: Minute);

        server.Engine.HandleWindow(1, -Minute, Minute, 0);
        server.Driver.Collect();

        Assert.True(server.Driver.WantsDial);
    }

    [Fact]
    public void What_the_schedule_before_answers_late_does_not_count()
    {
        var server = Scheduled(ScheduleJitter: 0);

        server.Engine.Update(With(new ConnectionSettings { HasSchedule = true }), 0);
        server.Engine.Connect(0);
        server.Driver.Collect();
        Assert.Equal([1, 2], server.Driver.Outputs.OfType<EngineOutput.AskWindow>().Select(asked => asked.Question));
        server.Engine.HandleWindow(1, 0, Minute, 0);
        server.Driver.Collect();
        Assert.False(server.Driver.WantsDial);

        server.Engine.HandleWindow(2, 10 * Minute, 20 * Minute, 0);
        Assert.Equal(10 * Minute, server.Engine.RetryAt);
        server.Engine.HandleWindow(2, 0, Minute, 0);
        Assert.Equal(10 * Minute, server.Engine.RetryAt);
    }

    [Fact]
    public void The_start_of_a_window_is_spread()
    {
        var server = Scheduled(ScheduleJitter: Minute);

        server.Engine.HandleWindow(1, 10 * Minute, 20 * Minute, 0);

        Assert.Equal((10 * Minute) + (Minute / 2), server.Engine.RetryAt);
    }

    [Fact]
    public void A_failure_is_not_tried_again_when_its_window_is_over()
    {
        var server = Scheduled(ScheduleJitter: 0);
        server.Engine.HandleWindow(1, 0, 3 * Second, 0);
        server.Driver.Collect();
        for (var i = 0; i < 2; i++)
        {
            server.Driver.FailDial(Servers.Refused);
            server.Driver.AdvanceTo(server.Engine.RetryAt);
        }

        Assert.Equal(3 * Second, server.Driver.Now);
        Assert.False(server.Driver.WantsDial);
        Assert.Equal(2, server.Driver.Outputs.OfType<EngineOutput.AskWindow>().Count());
    }

    [Fact]
    public void A_connection_that_is_asked_for_by_hand_needs_no_window_and_outlives_the_next()
    {
        var server = Scheduled(ScheduleJitter: 0);
        server.Engine.HandleWindow(1, 10 * Minute, 20 * Minute, 0);

        server.Engine.ConnectByHand(atOnce: false, Minute);
        server.Driver.Now = Minute;
        server.Accept();

        Assert.Equal(long.MaxValue, server.Engine.Deadline);
        server.Driver.Lose();
        server.Driver.AdvanceTo(server.Engine.RetryAt);
        Assert.False(server.Driver.WantsDial);
        Assert.Equal(10 * Minute, server.Engine.RetryAt);
    }

    [Fact]
    public void Where_there_is_no_window_any_more_the_client_waits_without_asking_again()
    {
        var server = Scheduled(ScheduleJitter: 0);

        server.Engine.HandleWindow(1, 0, 0, 0);
        server.Driver.AdvanceTo(1_000 * Minute);

        Assert.Equal(long.MaxValue, server.Engine.Deadline);
        Assert.Single(server.Driver.Outputs.OfType<EngineOutput.AskWindow>());
    }

    [Fact]
    public void An_attempt_is_prepared_before_anything_is_dialled_and_its_time_counts_from_there()
    {
        var server = new ScriptedServer(With(new ConnectionSettings { PreparesAttempts = true }));
        server.Engine.Connect(0);
        server.Driver.Collect();
        var dial = server.Driver.Outputs.OfType<EngineOutput.Dial>().Single();
        Assert.Equal((1, null), (dial.Number, dial.LastFailure));
        Assert.Equal((ClientState.Connecting, long.MaxValue), (server.Engine.State, server.Engine.Deadline));

        server.Driver.Now = 10 * Minute;
        server.Engine.HandlePrepared(dial.Attempt, dial.Target with { Name = "b", Connect = new ConnectPacket { ClientId = "changed" } }, 10 * Minute);

        Assert.Equal((10 * Minute) + (15 * Second), server.Engine.Deadline);
        Assert.Equal("changed", server.Open().ClientId);
        Assert.Equal("b", server.Engine.Server.Name);
    }

    [Fact]
    public void Who_waits_for_the_first_connection_hears_that_it_was_never_ready()
    {
        var server = new ScriptedServer(With(new ConnectionSettings { PreparesAttempts = true }) with { FirstConnect = FirstConnect.FailFast });
        server.Engine.Connect(0);

        server.Driver.AdvanceTo(15 * Second);

        Assert.IsType<EngineOutput.GaveUp>(server.Driver.Outputs[^1]);
        Assert.False(server.Driver.WantsDial);
    }

    [Fact]
    public void A_client_that_stops_while_an_attempt_is_prepared_dials_nothing()
    {
        var server = new ScriptedServer(With(new ConnectionSettings { PreparesAttempts = true }));
        server.Engine.Connect(0);
        server.Driver.Collect();
        server.Engine.End(new DisconnectPacket(), final: false, 0);

        server.Engine.HandlePrepared(1, null, 0);
        server.Driver.Collect();

        Assert.Equal(ClientState.Disconnected, server.Engine.State);
        Assert.False(server.Driver.WantsDial);
    }

    /// <summary>Time passes, and the server answers pings.</summary>
    private static void Live(ScriptedServer server, long until)
    {
        while (server.Driver.Now < until)
        {
            server.Driver.AdvanceTo(Math.Min(server.Engine.Deadline, until));
            if (server.Sent() is ["PINGREQ"])
            {
                server.Send(default(PingRespPacket));
            }
        }
    }

    private static EngineSettings Aging(double random) => With(new ConnectionSettings { MaximumAge = Minute }) with { Random = () => random };

    private static EngineSettings With(ConnectionSettings connection) => Servers.Settings("a") with { Connection = connection };

    private static ScriptedServer Scheduled(long ScheduleJitter)
    {
        var server = new ScriptedServer(With(new ConnectionSettings { HasSchedule = true, ScheduleJitter = ScheduleJitter }));
        server.Driver.Publish("t", "1", QoS.AtMostOnce, out _);
        return server;
    }
}
