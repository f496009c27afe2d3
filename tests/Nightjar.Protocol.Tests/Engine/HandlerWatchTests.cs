using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>Handlers that hold their messages: when that is reported, when they are passed over, when a new connection must help.</summary>
public sealed class HandlerWatchTests
{
    private const long Second = TimeSpan.TicksPerSecond;
    private const long Minute = TimeSpan.TicksPerMinute;

    [Fact]
    public void A_message_held_for_thirty_seconds_is_reported_once_with_its_holder()
    {
        var server = Subscribed(Settings(), "slow", "other");
        server.Driver.AdvanceTo(5 * Second);
        server.Send("slow", "1", QoS.AtLeastOnce, 1);
        server.Send("slow", "2", QoS.ExactlyOnce, 2);
        server.Driver.AdvanceTo(35 * Second - 1);
        Assert.Empty(Outputs<EngineOutput.HandlerStalled>(server));
        Assert.Empty(server.Engine.Held(server.Driver.Now));
        Assert.Equal(35 * Second, server.Engine.Deadline);

        server.Driver.AdvanceTo(35 * Second);

        var held = Assert.Single(Outputs<EngineOutput.HandlerStalled>(server)).Held;
        Assert.Equal(("slow", "slow", 1, 30 * Second), (held.Subscription!.TopicFilter.Text, held.Topic, held.PacketId, held.For));
        Quiet(server, 10 * Minute);
        Assert.Single(Outputs<EngineOutput.HandlerStalled>(server));
        Assert.Equal([10 * Minute - 5 * Second], server.Engine.Held(server.Driver.Now).Select(h => h.For));
    }

    [Fact]
    public void What_is_behind_a_held_message_is_not_blamed()
    {
        var server = Subscribed(Settings(), "slow", "fast");
        server.Send("slow", "1", QoS.AtLeastOnce, 1);
        server.Send("fast", "2", QoS.AtLeastOnce, 2);
        Complete(server, 1);

        server.Driver.AdvanceTo(30 * Second);

        Assert.Equal(["slow"], Outputs<EngineOutput.HandlerStalled>(server).Select(o => o.Held.Topic));
        Assert.Equal(["slow"], server.Engine.Held(server.Driver.Now).Select(h => h.Topic));
        Complete(server, 0);
        Assert.Empty(server.Engine.Held(server.Driver.Now));
        Assert.Equal(["PUBACK 1", "PUBACK 2"], server.Sent());
    }

    [Theory]
    [InlineData(QoS.AtLeastOnce)]
    [InlineData(QoS.ExactlyOnce)]
    public void Of_several_handlers_the_one_that_holds_is_named(QoS qos)
    {
        var server = Subscribed(Settings(), "a/b", "a/+", "+/b");
        server.Send("a/b", "1", qos, 1);
        foreach (var arrival in server.Driver.Arrived.Where(a => a.Subscription.TopicFilter.Text != "a/+"))
        {
            server.Driver.Complete(arrival.Token, by: arrival.Subscription);
        }

        server.Driver.AdvanceTo(30 * Second);

        Assert.Equal(["a/+"], Outputs<EngineOutput.HandlerStalled>(server).Select(o => o.Held.Subscription!.TopicFilter.Text));
    }

    [Fact]
    public void A_slow_handler_is_reported_again_but_not_for_each_message()
    {
        var server = Subscribed(Settings(), "t");
        for (ushort id = 1; id <= 40; id++)
        {
            server.Send("t", $"{id}", QoS.AtLeastOnce, id);
        }

        for (var i = 0; i < 40; i++)
        {
            Quiet(server, server.Driver.Now + 10 * Second);
            Complete(server, i);
            server.Send("t", "more", QoS.AtLeastOnce, (ushort)(100 + i));
        }

        // 400 seconds, one report in 30 at the most.
        Assert.InRange(Outputs<EngineOutput.HandlerStalled>(server).Count(), 2, 13);
    }

    [Fact]
    public void Without_a_timeout_a_message_is_held_for_ever_and_with_one_it_is_passed_over()
    {
        var server = Subscribed(Settings() with { HandlerTimeout = Minute }, "stuck", "t");
        server.Send("stuck", "1", QoS.AtLeastOnce, 1);
        server.Send("stuck", "2", QoS.ExactlyOnce, 2);
        server.Send("t", "3", QoS.AtLeastOnce, 3);
        Complete(server, 2);
        Quiet(server, Minute - 1);
        Assert.DoesNotContain("PUBACK 3", server.Sent());

        Quiet(server, Minute);

        Assert.Contains("PUBACK 3", server.Sent());
        var output = Assert.Single(Outputs<EngineOutput.HandlerTimedOut>(server));
        Assert.Equal(("stuck", 2), (output.First.Topic, output.Count));
        Complete(server, 0);
        Complete(server, 1);
        Assert.Empty(server.Sent());
    }

    [Fact]
    public void A_QoS_2_handler_that_ends_after_its_timeout_is_not_called_again()
    {
        var server = Subscribed(Settings() with { HandlerTimeout = Minute }, "t");
        server.Send("t", "1", QoS.ExactlyOnce, 1);
        Quiet(server, Minute);
        server.Sent();
        Complete(server, 0);
        server.Reconnect();
        server.Sent();

        server.Send("t", "1", QoS.ExactlyOnce, 1, duplicate: true);

        Assert.Equal(["PUBREC 1"], server.Sent());
        Assert.Single(server.Driver.Arrived);
    }

    [Fact]
    public void A_window_that_stays_nearly_full_is_told_once_per_episode()
    {
        var server = Subscribed(Settings() with { ReceiveMaximum = 10 }, "t");
        ushort id = 0;
        void Fill(int count)
        {
            for (var i = 0; i < count; i++)
            {
                server.Send("t", "", QoS.AtLeastOnce, ++id);
            }
        }

        Fill(8);
        Complete(server, 0);
        Quiet(server, 5 * Second);
        Assert.Empty(Outputs<EngineOutput.WindowNearlyFull>(server));

        Fill(1);
        Quiet(server, 6 * Second);
        Fill(2);
        Quiet(server, 20 * Second);
        Assert.Equal([(8, 10)], Outputs<EngineOutput.WindowNearlyFull>(server).Select(o => (o.Held, o.Window)));

        for (var i = 1; i < 7; i++)
        {
            Complete(server, i);
        }

        Fill(4);
        Quiet(server, 25 * Second);
        Assert.Equal(2, Outputs<EngineOutput.WindowNearlyFull>(server).Count());
    }

    [Theory]
    [InlineData(MqttVersion.Mqtt5, 20, 10)]
    [InlineData(MqttVersion.Mqtt5, 65_535, 128)]
    [InlineData(MqttVersion.Mqtt5, 1, 1)]
    [InlineData(MqttVersion.Mqtt311, 65_535, 10)]
    public void Half_of_what_the_server_sends_at_once_recycles_the_connection(MqttVersion version, int serverMaximum, int expected)
    {
        // Mosquitto 2 says that it takes 20 at once, and sends no more than that, whatever our Receive Maximum is.
        var server = Subscribed(
            Settings(version),
            version == MqttVersion.Mqtt5 ? new ConnAckPacket { ReceiveMaximum = (ushort)serverMaximum } : new ConnAckPacket(),
            "t");
        var abandoned = 0;
        while (server.LastDisconnect is null && abandoned < 300)
        {
            server.Send("t", "", QoS.AtLeastOnce, (ushort)++abandoned);
            server.Driver.Complete(server.Driver.Arrived[^1].Token, abandoned: true);
            server.Sent();
        }

        Assert.Equal((CloseKind.Recycled, expected), (server.LastDisconnect!.Kind, abandoned));
    }

    [Fact]
    public void A_server_that_falls_silent_over_abandoned_messages_gets_a_new_connection_after_five_minutes_and_then_later_and_later()
    {
        var server = Subscribed(Settings(), "t");
        var waits = new List<long>();
        for (var round = 0; round < 6; round++)
        {
            var begin = server.Driver.Now;
            server.Send("t", "poison", QoS.AtLeastOnce, 1, duplicate: round > 0);
            server.Driver.Complete(server.Driver.Arrived[^1].Token, abandoned: true);
            while (server.Driver.Open != 0)
            {
                Quiet(server, server.Driver.Now + Minute);
                server.Sent();
            }

            Assert.Equal(CloseKind.Recycled, server.LastDisconnect!.Kind);
            waits.Add((server.Driver.Now - begin) / Minute);
            server.Driver.AdvanceTo(Math.Max(server.Driver.Now, server.Engine.RetryAt == long.MaxValue ? 0 : server.Engine.RetryAt));
            server.Accept(new ConnAckPacket { SessionPresent = true });
            server.Sent();
        }

        Assert.Equal([5, 10, 20, 40, 60, 60], waits);
    }

    [Fact]
    public void A_server_that_goes_on_sending_needs_no_new_connection()
    {
        var server = Subscribed(Settings(), "t");
        server.Send("t", "poison", QoS.AtLeastOnce, 1);
        server.Driver.Complete(server.Driver.Arrived[^1].Token, abandoned: true);

        for (ushort id = 2; id < 60; id++)
        {
            Quiet(server, server.Driver.Now + Minute);
            server.Send("t", "good", QoS.AtLeastOnce, id);
            Complete(server, server.Driver.Arrived.Count - 1);
        }

        Assert.Null(server.LastDisconnect);
    }

    [Fact]
    public void What_is_acknowledged_at_arrival_waits_for_nobody()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Subscribe("t", atArrival: true);
        server.Sent();
        server.Send("t", "1", QoS.AtLeastOnce, 1);
        server.Send("t", "2", QoS.ExactlyOnce, 2);

        Assert.Equal(["PUBACK 1", "PUBREC 2"], server.Sent());
        Assert.Equal(2, server.Driver.Arrived.Count);
    }

    [Fact]
    public void An_idle_client_has_nothing_to_watch()
    {
        var server = Subscribed(Settings(), "t");
        server.Send("t", "1", QoS.AtLeastOnce, 1);
        Complete(server, 0);

        Assert.Equal(long.MaxValue, server.Engine.Deadline);
    }

    /// <summary>Without keep-alive, so that nothing else happens while time passes.</summary>
    private static EngineSettings Settings(MqttVersion version = MqttVersion.Mqtt5) =>
        ScriptedServer.Settings(version) with { Connect = new ConnectPacket { ClientId = "test", SessionExpiryInterval = 3600 } };

    private static IEnumerable<T> Outputs<T>(ScriptedServer server)
        where T : EngineOutput => server.Driver.Outputs.OfType<T>();

    /// <summary>Time passes, from deadline to deadline.</summary>
    private static void Quiet(ScriptedServer server, long until)
    {
        while (server.Driver.Now < until)
        {
            server.Driver.AdvanceTo(Math.Clamp(server.Engine.Deadline, server.Driver.Now + 1, until));
        }
    }

    private static ScriptedServer Subscribed(EngineSettings settings, params string[] filters) => Subscribed(settings, new ConnAckPacket(), filters);

    private static ScriptedServer Subscribed(EngineSettings settings, ConnAckPacket answer, params string[] filters)
    {
        var server = ScriptedServer.Connected(settings, answer);
        foreach (var filter in filters)
        {
            server.Driver.Subscribe(filter);
        }

        server.Sent();
        for (ushort id = 1; id <= filters.Length; id++)
        {
            server.Send(new SubAckPacket { PacketId = id, ReasonCodes = [ReasonCode.GrantedQoS2] });
        }

        return server;
    }

    private static void Complete(ScriptedServer server, int arrival)
    {
        var arrived = server.Driver.Arrived[arrival];
        server.Driver.Complete(arrived.Token, by: arrived.Subscription);
    }
}
