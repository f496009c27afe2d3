using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>What follows from a failure: how long to wait, and whether to try again at all.</summary>
public sealed class RetryRuleTests
{
    private const long Second = TimeSpan.TicksPerSecond;

    [Fact]
    public void With_a_little_jitter_the_delays_stay_near_their_bounds()
    {
        var random = new Random(1);
        var settings = ScriptedServer.Settings() with { MinimumDelay = 2 * Second, Retry = new ReconnectSettings { Jitter = 0.1 }, Random = random.NextDouble };
        var backOff = new BackOff(settings);

        foreach (var nominal in new[] { 2, 4, 8, 16, 32, 60, 60 })
        {
            Assert.InRange(backOff.Next(transient: true), nominal * 0.9 * Second, nominal * Second);
        }
    }

    [Fact]
    public void A_thousand_clients_of_a_server_that_comes_back_do_not_come_in_step()
    {
        // All lose their connection at the same moment; the server is back after three minutes.
        var random = new Random(3);
        var back = 180 * Second;
        var arrivals = Enumerable.Range(0, 1_000).Select(_ =>
        {
            var server = ScriptedServer.Connected(ScriptedServer.Settings() with { Random = random.NextDouble });
            server.Driver.AdvanceTo(Second);
            server.Driver.Lose();
            while (server.Engine.RetryAt < back)
            {
                server.Driver.AdvanceTo(server.Engine.RetryAt);
                server.Driver.FailDial(Servers.Refused);
            }

            return server.Engine.RetryAt / Second;
        });

        Assert.All(arrivals.CountBy(second => second), bucket => Assert.InRange(bucket.Value, 0, 50));
    }

    [Fact]
    public void A_server_that_accepts_and_drops_at_once_is_not_hammered()
    {
        var server = ScriptedServer.Connected(Servers.Settings("a") with { MaximumDelay = 60 * Second });
        var delays = new List<long>();
        for (var i = 0; i < 7; i++)
        {
            server.Driver.Lose();
            delays.Add((server.Engine.RetryAt - server.Driver.Now) / Second);
            server.Driver.AdvanceTo(server.Engine.RetryAt);
            server.Accept(new ConnAckPacket { SessionPresent = true });
        }

        Assert.Equal([1, 2, 4, 8, 16, 32, 60], delays);
    }

    [Fact]
    public void Only_a_connection_that_was_stable_starts_the_delays_over()
    {
        var server = ScriptedServer.Connected(Servers.Settings("a"));
        Assert.Equal(1, DelayAfterLiving(server, Second));
        Assert.Equal(2, DelayAfterLiving(server, (30 * Second) - 1));
        Assert.Equal(1, DelayAfterLiving(server, 30 * Second));
    }

    [Fact]
    public void A_list_of_delays_ends_with_giving_up()
    {
        var server = ScriptedServer.Connecting(With(new ReconnectSettings { Delays = [Second, 5 * Second] }));
        server.Driver.FailDial(Servers.Refused);
        Assert.Equal(Second, server.Engine.RetryAt);
        server.Driver.AdvanceTo(Second);
        server.Driver.FailDial(Servers.Refused);
        Assert.Equal(6 * Second, server.Engine.RetryAt);
        server.Driver.AdvanceTo(6 * Second);

        server.Driver.FailDial(Servers.Refused);

        Assert.IsType<EngineOutput.GaveUp>(server.Driver.Outputs[^1]);
        Assert.Equal(long.MaxValue, server.Engine.Deadline);
    }

    [Fact]
    public void Who_asks_again_after_a_list_of_delays_gets_all_of_it_again()
    {
        var server = ScriptedServer.Connecting(With(new ReconnectSettings { Delays = [Second] }));
        server.Driver.FailDial(Servers.Refused);
        server.Driver.AdvanceTo(Second);
        server.Driver.FailDial(Servers.Refused);
        Assert.Equal(ClientState.Idle, server.Engine.State);

        server.Engine.Connect(Second);
        server.Driver.FailDial(Servers.Refused);

        Assert.Equal(2 * Second, server.Engine.RetryAt);
    }

    [Fact]
    public void Each_of_several_servers_gets_the_whole_list_of_delays()
    {
        var settings = Servers.Settings("a", "b");
        var server = ScriptedServer.Connecting(settings with { Retry = new ReconnectSettings { Delays = [Second] } });
        var targets = new List<string>();
        while (server.Driver.WantsDial)
        {
            targets.Add(Servers.Target(server));
            server.Driver.FailDial(Servers.Refused);
            server.Driver.AdvanceTo(Math.Min(server.Engine.RetryAt, server.Driver.Now + Second));
        }

        Assert.Equal(["a", "a", "b"], targets);
        Assert.Single(server.Driver.Outputs.OfType<EngineOutput.GaveUp>());
    }

    [Fact]
    public void After_a_stable_connection_each_server_has_its_delays_again()
    {
        var server = ScriptedServer.Connecting(Servers.Settings("a", "b") with { Retry = new ReconnectSettings { Delays = [Second] } });
        server.Driver.FailDial(Servers.Refused);
        server.Driver.AdvanceTo(Second);
        server.Driver.FailDial(Servers.Refused);
        server.Driver.AdvanceTo(2 * Second);
        Assert.Equal("b", Servers.Target(server));
        server.Accept();
        server.Driver.AdvanceTo(40 * Second);

        server.Driver.Lose();
        server.Driver.AdvanceTo(41 * Second);
        Assert.Equal("b", Servers.Target(server));
        server.Driver.FailDial(Servers.Refused);

        server.Driver.AdvanceTo(server.Engine.RetryAt);
        Assert.Equal("a", Servers.Target(server));
    }

    [Fact]
    public void Without_reconnecting_a_lost_connection_stays_lost_until_asked_for()
    {
        var server = ScriptedServer.Connected(Servers.Settings("a") with { Reconnect = false });
        server.Driver.Lose();
        Assert.Equal(ClientState.Disconnected, server.Engine.State);
        Assert.Equal(long.MaxValue, server.Engine.Deadline);

        server.Driver.Publish("t", "p", QoS.AtLeastOnce, out _);
        Assert.False(server.Driver.WantsDial);

        server.Engine.ConnectByHand(atOnce: false, server.Driver.Now);
        server.Accept();
        Assert.Equal(ClientState.Connected, server.Engine.State);
    }

    [Fact]
    public void A_policy_of_the_host_is_asked_with_the_failure_its_number_and_the_time_since()
    {
        var server = ScriptedServer.Connected(With(new ReconnectSettings { AsksForDelay = true }));
        server.Driver.AdvanceTo(100 * Second);
        server.Driver.Lose();
        var first = Asked(server);
        Assert.Equal((1, 0L, CloseKind.TransportLost), (first.Number, first.Elapsed, first.Reason.Kind));
        Assert.Equal(ClientState.Waiting, server.Engine.State);
        Assert.Equal(long.MaxValue, server.Engine.RetryAt);

        server.Engine.HandleDelay(first.Question, 7 * Second, server.Driver.Now);
        Assert.Equal(107 * Second, server.Engine.RetryAt);
        server.Driver.AdvanceTo(107 * Second);
        server.Open();
        server.Send(new ConnAckPacket { ReasonCode = ReasonCode.ServerBusy });
        var second = Asked(server);
        Assert.Equal((2, 7 * Second, FailureClass.Transient, ReasonCode.ServerBusy), (second.Number, second.Elapsed, second.Reason.Class, second.Reason.ReasonCode!.Value));
        Assert.Empty(server.Driver.Outputs.OfType<EngineOutput.AttemptFailed>());

        server.Engine.HandleDelay(first.Question, Second, server.Driver.Now);
        Assert.Equal(long.MaxValue, server.Engine.RetryAt);
        server.Engine.HandleDelay(second.Question, delay: null, server.Driver.Now);
        server.Driver.Collect();

        Assert.Equal(long.MaxValue, Assert.Single(server.Driver.Outputs.OfType<EngineOutput.AttemptFailed>()).RetryAt);
        Assert.IsType<EngineOutput.GaveUp>(server.Driver.Outputs[^1]);
    }

    [Theory]
    [InlineData(ReasonCode.BadUserNameOrPassword, FailureClass.CredentialsRejected)]
    [InlineData(ReasonCode.NotAuthorized, FailureClass.CredentialsRejected)]
    [InlineData(ReasonCode.Banned, FailureClass.Permanent)]
    [InlineData(ReasonCode.ClientIdentifierNotValid, FailureClass.Permanent)]
    [InlineData(ReasonCode.BadAuthenticationMethod, FailureClass.Permanent)]
    [InlineData(ReasonCode.ServerBusy, FailureClass.Transient)]
    [InlineData(ReasonCode.ServerUnavailable, FailureClass.Transient)]
    [InlineData(ReasonCode.QuotaExceeded, FailureClass.Transient)]
    [InlineData(ReasonCode.ConnectionRateExceeded, FailureClass.Transient)]
    [InlineData(ReasonCode.UseAnotherServer, FailureClass.Moved)]
    [InlineData(ReasonCode.ServerMoved, FailureClass.Moved)]
    public void A_refusal_has_a_class(ReasonCode code, FailureClass expected)
    {
        var server = ScriptedServer.Connecting(Servers.Settings("a"));
        server.Open();

        server.Send(new ConnAckPacket { ReasonCode = code });

        var failed = Assert.Single(server.Driver.Outputs.OfType<EngineOutput.AttemptFailed>());
        Assert.Equal((expected, "a"), (failed.Reason.Class, failed.Reason.Server));
    }

    [Theory]
    [InlineData(PermanentFailures.RetrySlowly)]
    [InlineData(PermanentFailures.GiveUp)]
    public void A_permanent_failure_is_reported_at_once_and_then_retried_slowly_or_not(PermanentFailures choice)
    {
        var server = ScriptedServer.Connecting(With(new ReconnectSettings { Jitter = 0, PermanentFailures = choice }));
        server.Open();

        server.Send(new ConnAckPacket { ReasonCode = ReasonCode.Banned });

        var failed = Assert.Single(server.Driver.Outputs.OfType<EngineOutput.AttemptFailed>());
        Assert.Equal(choice == PermanentFailures.RetrySlowly ? 8 * Second : long.MaxValue, failed.RetryAt);
        Assert.Equal(choice == PermanentFailures.GiveUp, server.Driver.Outputs[^1] is EngineOutput.GaveUp);
    }

    [Theory]
    [InlineData(3, false)]
    [InlineData(2, true)]
    [InlineData(4, true)]
    [InlineData(5, true)]
    public void Of_the_refusals_of_3_1_1_only_that_of_a_server_that_is_unavailable_is_tried_again(byte code, bool terminal)
    {
        var server = ScriptedServer.Connecting(With(new ReconnectSettings { PermanentFailures = PermanentFailures.GiveUp }) with { Version = MqttVersion.Mqtt311 });
        server.Open();

        server.Driver.Receive([0x20, 2, 0, code]);

        Assert.Equal(terminal, server.Driver.Outputs[^1] is EngineOutput.GaveUp);
        Assert.Equal(terminal ? ClientState.Idle : ClientState.Waiting, server.Engine.State);
    }

    [Fact]
    public void Credentials_that_were_refused_are_renewed_once_if_somebody_can()
    {
        var settings = With(new ReconnectSettings { Jitter = 0, PermanentFailures = PermanentFailures.GiveUp });
        var server = ScriptedServer.Connecting(settings with { Connection = new ConnectionSettings { RenewsCredentials = true } });
        server.Open();
        server.Send(new ConnAckPacket { ReasonCode = ReasonCode.NotAuthorized });
        Assert.Equal(Second, server.Engine.RetryAt);
        server.Driver.AdvanceTo(Second);
        var again = server.Driver.Outputs.OfType<EngineOutput.Dial>().Last();
        Assert.True(again.RenewCredentials);
        Assert.Equal(FailureClass.CredentialsRejected, again.LastFailure!.Class);
        server.Open();

        server.Send(new ConnAckPacket { ReasonCode = ReasonCode.NotAuthorized });

        Assert.IsType<EngineOutput.GaveUp>(server.Driver.Outputs[^1]);
    }

    [Fact]
    public void Two_clients_with_one_identifier_make_no_reconnect_war()
    {
        var server = ScriptedServer.Connected(Servers.Settings("a") with { MaximumDelay = 60 * Second });
        var delays = new List<long>();
        for (var i = 0; i < 9; i++)
        {
            // It always lives longer than what counts as stable: until the other one is back.
            server.Driver.AdvanceTo(server.Driver.Now + (90 * Second));
            server.Send(new DisconnectPacket { ReasonCode = ReasonCode.SessionTakenOver });
            Assert.Equal(FailureClass.TakenOver, server.LastDisconnect!.Class);
            delays.Add(server.Engine.RetryAt - server.Driver.Now);
            server.Driver.AdvanceTo(server.Engine.RetryAt);
            server.Accept(new ConnAckPacket { SessionPresent = true });
        }

        // An eighth on top: the middle of the jitter.
        Assert.Equal([60L, 120, 240, 480, 960, 1920, 3600, 3600, 3600], delays.Select(delay => delay * 8 / 9 / Second));
    }

    [Fact]
    public void A_client_that_gives_up_after_a_takeover_stays_down_until_asked()
    {
        var server = ScriptedServer.Connected(With(new ReconnectSettings { Takeover = Takeover.GiveUp }));
        server.Send(new DisconnectPacket { ReasonCode = ReasonCode.SessionTakenOver });
        Assert.IsType<EngineOutput.GaveUp>(server.Driver.Outputs[^1]);

        server.Driver.Publish("t", "p", QoS.AtLeastOnce, out _);

        Assert.Equal(ClientState.Disconnected, server.Engine.State);
        Assert.False(server.Driver.WantsDial);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_failure_is_reported_also_if_the_client_goes_on_before_its_delay_is_known(bool stops)
    {
        var server = ScriptedServer.Connecting(With(new ReconnectSettings { AsksForDelay = true }));
        server.Driver.FailDial(Servers.Refused);
        Assert.Empty(server.Driver.Outputs.OfType<EngineOutput.AttemptFailed>());

        if (stops)
        {
            server.Engine.End(new DisconnectPacket(), final: false, 0);
        }
        else
        {
            server.Engine.Update(Servers.Settings("a"), 0);
        }

        server.Driver.Collect();
        Assert.Equal("connection refused", Assert.Single(server.Driver.Outputs.OfType<EngineOutput.AttemptFailed>()).Reason.Message);
    }

    [Fact]
    public void The_last_failure_is_kept_when_there_is_a_connection_again()
    {
        var server = ScriptedServer.Connected(Servers.Settings("a"));
        server.Reconnect();

        Assert.Equal(ClientState.Connected, server.Engine.State);
        Assert.Equal(CloseKind.TransportLost, server.Engine.LastFailure!.Kind);
    }

    private static EngineSettings With(ReconnectSettings retry) => Servers.Settings("a") with { Retry = retry };

    private static EngineOutput.AskDelay Asked(ScriptedServer server)
    {
        server.Driver.Collect();
        return server.Driver.Outputs.OfType<EngineOutput.AskDelay>().Last();
    }

    private static long DelayAfterLiving(ScriptedServer server, long duration)
    {
        server.Driver.AdvanceTo(server.Driver.Now + duration);
        server.Driver.Lose();
        var delay = server.Engine.RetryAt - server.Driver.Now;
        server.Driver.AdvanceTo(server.Engine.RetryAt);
        server.Accept(new ConnAckPacket { SessionPresent = true });
        return delay / Second;
    }
}
