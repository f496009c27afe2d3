using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>Several servers: which one is tried when, and what becomes of the session.</summary>
public sealed class ServerChoiceTests
{
    private const long Second = TimeSpan.TicksPerSecond;

    [Fact]
    public void The_next_server_is_tried_once_the_delay_has_reached_the_maximum_and_round_again()
    {
        var server = Start(Servers.Settings("a", "b"));
        var waits = new List<(string, long)>();
        for (var i = 0; i < 9; i++)
        {
            var (target, at) = (Servers.Target(server), server.Driver.Now);
            server.Driver.FailDial(Servers.Refused);
            server.Driver.AdvanceTo(server.Engine.RetryAt);
            waits.Add((target, (server.Driver.Now - at) / Second));
        }

        Assert.Equal([("a", 1), ("a", 2), ("a", 4), ("a", 8), ("b", 1), ("b", 2), ("b", 4), ("b", 8), ("a", 1)], waits);
    }

    [Fact]
    public void A_server_that_works_is_kept_and_left_once_its_delays_are_used_up()
    {
        var server = Start(Servers.Settings("a", "b"));
        FailUntil(server, "b");
        server.Accept();
        server.Driver.AdvanceTo(server.Driver.Now + (3600 * Second));
        server.Driver.Lose();

        server.Driver.AdvanceTo(server.Engine.RetryAt);
        Assert.Equal("b", Servers.Target(server));
        FailUntil(server, "a");
        server.Accept();
        Assert.Equal(ClientState.Connected, server.Engine.State);
    }

    [Fact]
    public void While_the_first_connection_is_awaited_each_failure_leads_to_the_next_server()
    {
        var server = Start(Servers.Settings("a", "b", "c") with { FirstConnect = FirstConnect.FailFast });
        var targets = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            targets.Add(Servers.Target(server));
            server.Driver.FailDial(Servers.Refused);
            server.Driver.AdvanceTo(server.Engine.RetryAt);
        }

        Assert.Equal(["a", "b", "c", "a"], targets);
    }

    [Fact]
    public void While_the_first_connection_is_awaited_a_silent_server_does_not_use_up_the_time_of_all()
    {
        var server = Start(Servers.Settings("a", "b", "c") with { FirstConnect = FirstConnect.FailFast });

        Assert.Equal(5 * Second, server.Engine.Deadline);
        server.Driver.AdvanceTo(5 * Second);
        server.Driver.AdvanceTo(server.Engine.RetryAt);

        Assert.Equal("b", Servers.Target(server));
        Assert.True(server.Driver.WantsDial);
    }

    [Fact]
    public void Only_when_all_servers_are_hopeless_does_the_first_connection_fail()
    {
        var server = Start(Servers.Settings("a", "b") with { FirstConnect = FirstConnect.FailFast });
        server.Driver.FailDial(Servers.WrongName);
        Assert.Equal(ClientState.Waiting, server.Engine.State);
        server.Driver.AdvanceTo(server.Engine.RetryAt);
        Assert.Equal("b", Servers.Target(server));

        server.Driver.FailDial(Servers.WrongName);

        Assert.IsType<EngineOutput.GaveUp>(server.Driver.Outputs[^1]);
    }

    [Fact]
    public void In_random_order_each_client_draws_its_own()
    {
        var random = new Random(7);
        var firsts = Enumerable.Range(0, 300).Select(_ =>
        {
            var settings = Servers.Settings("a", "b", "c");
            return new ServerChoice(settings with { Retry = settings.Retry with { ServerOrder = ServerOrder.Random }, Random = random.NextDouble }).Current.Name;
        });

        Assert.All(firsts.CountBy(name => name), count => Assert.InRange(count.Value, 70, 130));
    }

    [Fact]
    public void Without_fail_back_the_other_server_is_kept_for_good()
    {
        var server = Start(Servers.Settings("a", "b"));
        FailUntil(server, "b");
        server.Accept();

        Assert.Equal(long.MaxValue, server.Engine.Deadline);
        Assert.Equal(ClientState.Connected, server.Engine.State);
    }

    [Fact]
    public void After_a_healthy_time_the_preferred_server_is_tried_and_the_other_one_has_us_back_if_it_fails()
    {
        var settings = Servers.Settings("a", "b");
        var server = Start(settings with { Retry = settings.Retry with { FailBackAfter = 50 * Second } });
        FailUntil(server, "b");
        server.Accept();
        var accepted = server.Driver.Now;

        server.Driver.AdvanceTo(accepted + (50 * Second));
        Assert.Equal(["DISCONNECT"], server.Sent());
        Assert.Equal("a", Servers.Target(server));
        server.Driver.FailDial(Servers.Refused);
        server.Driver.AdvanceTo(server.Driver.Now);
        Assert.Equal("b", Servers.Target(server));
        Assert.False(server.Accept(new ConnAckPacket { SessionPresent = true }).CleanStart);
        Assert.Equal(accepted + (50 * Second), server.Driver.Now);

        server.Driver.AdvanceTo(accepted + (100 * Second));
        server.Sent();
        Assert.Equal("a", Servers.Target(server));
        server.Accept();
        Assert.Equal(ClientState.Connected, server.Engine.State);
    }

    [Fact]
    public void A_way_back_that_a_lost_connection_cut_off_is_not_taken_later()
    {
        var settings = Servers.Settings("a", "b");
        var server = new ScriptedServer(settings with
        {
            FirstConnect = FirstConnect.FailFast,
            Retry = settings.Retry with { FailBackAfter = TimeSpan.TicksPerMinute },
        });
        server.Engine.Connect(0);
        server.Driver.FailDial(Servers.Refused);
        server.Driver.AdvanceTo(server.Engine.RetryAt);
        server.Accept();
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);
        server.Sent();
        server.Driver.AdvanceTo(server.Driver.Now + TimeSpan.TicksPerMinute);
        Assert.Empty(server.Sent());
        server.Reconnect();

        server.Engine.End(new DisconnectPacket(), final: false, server.Driver.Now);
        server.Driver.AdvanceTo(server.Driver.Now + settings.DrainTimeout);
        Assert.Contains("DISCONNECT", server.Sent());
        server.Engine.Connect(server.Driver.Now);

        Assert.Equal("b", Servers.Target(server));
    }

    [Fact]
    public void On_another_server_the_session_starts_clean_and_messages_go_as_new_ones()
    {
        var server = Start(Servers.Settings("a", "b"));
        server.Accept();
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);
        server.Driver.Publish("t", "2", QoS.ExactlyOnce, out _);
        Assert.Equal(["PUBLISH 1 q1 t 1", "PUBLISH 2 q2 t 2"], server.Sent());
        server.Driver.Lose();
        server.Driver.AdvanceTo(server.Engine.RetryAt);
        FailUntil(server, "b");

        Assert.True(server.Accept().CleanStart);

        Assert.Equal(["PUBLISH 3 q1 t 1", "PUBLISH 4 q2 t 2"], server.Sent());
        server.Answer(PacketType.PubAck, 3);
        Assert.Equal(PublishFlags.PossiblyDuplicated, Assert.Single(server.Driver.Ended).Flags);
    }

    [Fact]
    public void A_message_whose_PUBREL_another_server_may_not_have_got_is_sent_again_in_whole()
    {
        var server = Start(Servers.Settings("a", "b"));
        server.Accept();
        server.Driver.Publish("t", "released", QoS.ExactlyOnce, out _);
        server.Driver.Publish("t", "sent", QoS.ExactlyOnce, out _);
        server.Sent();
        server.Answer(PacketType.PubRec, 1);
        Assert.Equal(["PUBREL 1"], server.Sent());
        server.Driver.Lose();
        FailUntil(server, "b");

        server.Accept();

        Assert.Equal(["PUBLISH 3 q2 t released", "PUBLISH 4 q2 t sent"], server.Sent());
        Assert.Empty(server.Driver.Ended);
        server.Answer(PacketType.PubRec, 3);
        server.Answer(PacketType.PubComp, 3);
        Assert.Equal((PublishEnd.Answered, PublishFlags.PossiblyDuplicated), (server.Driver.Ended[0].End, server.Driver.Ended[0].Flags));
    }

    [Fact]
    public void A_server_that_was_left_starts_clean_when_it_is_come_back_to()
    {
        var server = Start(Servers.Settings("a", "b"));
        server.Accept();
        server.Driver.Lose();
        FailUntil(server, "b");
        server.Accept();
        server.Driver.Lose();
        FailUntil(server, "a");

        Assert.True(server.Open().CleanStart);
    }

    [Fact]
    public void An_attempt_that_fails_elsewhere_costs_no_session()
    {
        var server = Start(Servers.Settings("a", "b"));
        server.Accept();
        server.Driver.Lose();
        FailUntil(server, "b");
        FailUntil(server, "a");

        Assert.False(server.Open().CleanStart);
    }

    [Fact]
    public void Servers_that_share_the_session_resume_it()
    {
        var settings = Servers.Settings("a", "b");
        var server = Start(settings with { Servers = [.. settings.Servers.Select(s => s with { SessionGroup = "all" })] });
        server.Accept();
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);
        server.Sent();
        server.Driver.Lose();
        FailUntil(server, "b");

        Assert.False(server.Accept(new ConnAckPacket { SessionPresent = true }).CleanStart);

        Assert.Equal(["PUBLISH 1 q1 dup t 1"], server.Sent());
    }

    [Fact]
    public void Until_5_a_session_elsewhere_is_emptied_by_a_connection_of_its_own()
    {
        var server = Start(Servers.Settings("a", "b") with { Version = MqttVersion.Mqtt311 });
        Assert.False(server.Accept().CleanStart);
        server.Driver.Publish("t", "1", QoS.ExactlyOnce, out _);
        Assert.Equal(["PUBLISH 1 q2 t 1"], server.Sent());
        server.Answer(PacketType.PubRec, 1);
        Assert.Equal(["PUBREL 1"], server.Sent());
        server.Driver.Lose();
        FailUntil(server, "b");

        Assert.True(server.Accept().CleanStart);
        Assert.Equal(["DISCONNECT"], server.Sent());
        Assert.False(server.Accept().CleanStart);

        Assert.Equal(["PUBLISH 2 q2 t 1"], server.Sent());
        server.Driver.Lose();
        server.Driver.AdvanceTo(server.Engine.RetryAt);
        Assert.False(server.Accept(new ConnAckPacket { SessionPresent = true }).CleanStart);
        Assert.Equal(["PUBLISH 2 q2 dup t 1"], server.Sent());
    }

    [Fact]
    public void Each_server_gets_its_own_client_identifier_and_credentials()
    {
        var settings = Servers.Settings("a", "b");
        var server = Start(settings with
        {
            Servers = [settings.Servers[0], settings.Servers[1] with { Connect = new ConnectPacket { ClientId = "other", UserName = "u", Password = new byte[] { 1 } } }],
        });
        var first = server.Open();
        server.Driver.Lose();
        FailUntil(server, "b");

        var second = server.Open();

        Assert.Equal(("test", (string?)null), (first.ClientId, first.UserName));
        Assert.Equal(("other", "u"), (second.ClientId, second.UserName));
        Assert.Equal("other", server.Engine.ClientId);
    }

    [Fact]
    public void A_version_that_one_server_does_not_know_is_still_spoken_with_the_others()
    {
        var server = Start(Servers.Settings("a", "b"));
        server.Open();
        server.Send(new ConnAckPacket { ReasonCode = ReasonCode.UnsupportedProtocolVersion });
        Assert.Equal(MqttVersion.Mqtt311, server.Open().Version);
        server.Driver.Lose();
        FailUntil(server, "b");

        Assert.Equal(MqttVersion.Mqtt5, server.Open().Version);
    }

    private static ScriptedServer Start(EngineSettings settings)
    {
        var server = new ScriptedServer(settings);
        server.Engine.Connect(0);
        server.Driver.Collect();
        return server;
    }

    private static void FailUntil(ScriptedServer server, string name)
    {
        for (var i = 0; Servers.Target(server) != name || !server.Driver.WantsDial; i++)
        {
            Assert.True(i < 100, $"{name} is never tried");
            if (server.Driver.WantsDial)
            {
                server.Driver.FailDial(Servers.Refused);
            }

            server.Driver.AdvanceTo(server.Engine.RetryAt);
        }
    }
}
