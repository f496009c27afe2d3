using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>How fast messages leave: a limit of the application's, and a delay that the server's "too much" raises and time takes back.</summary>
public sealed class PublishPaceTests
{
    private const long Second = TimeSpan.TicksPerSecond;

    [Theory]
    [InlineData(QoS.AtMostOnce)]
    [InlineData(QoS.AtLeastOnce)]
    [InlineData(QoS.ExactlyOnce)]
    public void A_burst_leaves_at_once_and_the_rest_at_the_rate(QoS qos)
    {
        var server = Connected(new PaceSettings { Interval = Second / 10, Burst = 5 });
        for (var i = 0; i < 20; i++)
        {
            server.Driver.Publish("t", $"{i}", qos, out _);
        }

        Assert.Equal(5, server.Sent().Count);
        for (var sent = 5; sent < 20; sent++)
        {
            Assert.Equal(Second / 10 * (sent - 4), server.Engine.Deadline);
            server.Driver.AdvanceTo(server.Engine.Deadline);
            Assert.EndsWith($" t {sent}", Assert.Single(server.Sent()), StringComparison.Ordinal);
        }

        Assert.Equal(45 * Second, server.Engine.Deadline); // keep-alive alone
    }

    [Fact]
    public void After_a_rest_no_more_than_the_burst_leaves()
    {
        var server = Connected(new PaceSettings { Interval = Second, Burst = 3 });
        server.Driver.AdvanceTo(40 * Second);

        for (var i = 0; i < 10; i++)
        {
            server.Driver.Publish("t", $"{i}", QoS.AtLeastOnce, out _);
        }

        Assert.Equal(3, server.Sent().Count);
    }

    [Fact]
    public void Neither_QoS_starves_the_other()
    {
        var server = Connected(new PaceSettings { Interval = Second });
        for (var i = 0; i < 6; i++)
        {
            server.Driver.Publish("r", $"{i}", QoS.AtLeastOnce, out _);
            server.Driver.Publish("u", $"{i}", QoS.AtMostOnce, out _);
        }

        var order = new List<string>(server.Sent());
        while (order.Count < 8)
        {
            server.Driver.AdvanceTo(server.Engine.Deadline);
            order.AddRange(server.Sent());
        }

        Assert.Equal(4, order.Count(line => line.Contains(" r ", StringComparison.Ordinal)));
    }

    [Fact]
    public void What_is_sent_again_after_a_lost_connection_keeps_the_pace_and_its_place()
    {
        var server = Connected(new PaceSettings { Interval = Second, Burst = 2 });
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);
        server.Driver.Publish("t", "2", QoS.AtLeastOnce, out _);
        server.Driver.Publish("t", "3", QoS.AtLeastOnce, out _);
        Assert.Equal(2, server.Sent().Count);

        server.Reconnect();

        var sent = server.Sent();
        while (sent.Count < 3)
        {
            server.Driver.AdvanceTo(server.Engine.Deadline);
            sent.AddRange(server.Sent());
        }

        Assert.Equal(["PUBLISH 1 q1 dup t 1", "PUBLISH 2 q1 dup t 2", "PUBLISH 3 q1 t 3"], sent);
    }

    [Fact]
    public void Throttling_twice_makes_2_s_and_then_4_s_and_time_takes_it_back()
    {
        var server = ScriptedServer.Connected();
        server.Engine.Throttle(2 * Second, 0);
        Assert.Equal(2 * Second, server.Engine.Outbound.Pace.Delay);
        server.Engine.Throttle(2 * Second, 0);
        Assert.Equal(4 * Second, server.Engine.Outbound.Pace.Delay);

        server.Driver.Publish("t", "1", QoS.AtMostOnce, out _);
        server.Driver.Publish("t", "2", QoS.AtLeastOnce, out _);
        Assert.Empty(server.Sent());
        server.Driver.AdvanceTo(4 * Second);
        Assert.Single(server.Sent());
        Assert.Equal(8 * Second, server.Engine.Deadline);
        server.Driver.AdvanceTo(8 * Second);
        Assert.Single(server.Sent());

        server.Driver.AdvanceTo(30 * Second);
        Assert.Equal(2 * Second, server.Engine.Outbound.Pace.Delay);
        server.Driver.AdvanceTo(600 * Second);
        Assert.Equal(0, server.Engine.Outbound.Pace.Delay);
        Assert.False(server.Engine.Outbound.Pace.IsActive);
    }

    [Fact]
    public void The_delay_has_a_limit()
    {
        var server = ScriptedServer.Connected();
        for (var i = 0; i < 10; i++)
        {
            server.Engine.Throttle(20 * Second, 0);
        }

        Assert.Equal(30 * Second, server.Engine.Outbound.Pace.Delay);
    }

    [Theory]
    [InlineData(QoS.AtMostOnce)]
    [InlineData(QoS.AtLeastOnce)]
    public void Once_the_delay_is_gone_a_message_leaves_at_once_though_nothing_happened_meanwhile(QoS qos)
    {
        var server = ScriptedServer.Connected(answer: new ConnAckPacket { ServerKeepAlive = 0 });
        server.Engine.Throttle(Second, 0);
        server.Driver.Now = 10 * TimeSpan.TicksPerMinute;

        server.Driver.Publish("t", "1", qos, out _);

        Assert.True(server.Engine.Outbound.HasOutput);
        Assert.Single(server.Sent());
    }

    [Fact]
    public void The_longest_delay_of_all_is_no_less_than_the_limit()
    {
        var server = ScriptedServer.Connected();
        server.Engine.Throttle(Second, 0);

        server.Engine.Throttle(long.MaxValue, 0);

        Assert.Equal(30 * Second, server.Engine.Outbound.Pace.Delay);
    }

    [Fact]
    public void A_delay_that_decays_lets_go_what_waits_for_it()
    {
        var server = Connected(new PaceSettings { MaximumDelay = 1000 * Second });
        server.Engine.Throttle(100 * Second, 0);
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);

        // 100 s, after 30 s only 50.
        Assert.Equal(30 * Second, server.Engine.Deadline);
        server.Driver.AdvanceTo(30 * Second);
        Assert.Empty(server.Sent());
        Assert.Equal(50 * Second, server.Engine.Outbound.Deadline);
        server.Driver.AdvanceTo(50 * Second);
        Assert.Contains("PUBLISH 1 q1 t 1", server.Sent());
    }

    [Theory]
    [InlineData(QoS.AtLeastOnce, PacketType.PubAck)]
    [InlineData(QoS.ExactlyOnce, PacketType.PubRec)]
    public void Quota_exceeded_slows_down_once_for_messages_that_were_on_their_way_together(QoS qos, PacketType answer)
    {
        var server = Connected(new PaceSettings { SlowDown = 2 * Second });
        server.Driver.AdvanceTo(Second);
        for (var i = 0; i < 4; i++)
        {
            server.Driver.Publish("t", $"{i}", qos, out _);
        }

        Assert.Equal(4, server.Sent().Count);
        for (ushort id = 1; id <= 4; id++)
        {
            server.Answer(answer, id, ReasonCode.QuotaExceeded);
        }

        Assert.Equal(2 * Second, server.Engine.Outbound.Pace.Delay);
        server.Driver.Publish("t", "next", QoS.AtMostOnce, out _);
        Assert.Empty(server.Sent());
        server.Driver.AdvanceTo(3 * Second);
        Assert.Single(server.Sent());
    }

    [Theory]
    [InlineData(ReasonCode.MessageRateTooHigh)]
    [InlineData(ReasonCode.QuotaExceeded)]
    public void A_DISCONNECT_for_the_rate_slows_the_next_connection_down(ReasonCode code)
    {
        var server = Connected(new PaceSettings { SlowDown = 2 * Second });
        server.Send(new DisconnectPacket { ReasonCode = code });

        Assert.Equal(2 * Second, server.Engine.Outbound.Pace.Delay);
    }

    [Theory]
    [InlineData(ReasonCode.ServerBusy, Second / 2)]
    [InlineData(ReasonCode.ConnectionRateExceeded, 60 * Second)]
    public void A_DISCONNECT_for_the_connection_rate_waits_longer(ReasonCode code, long delay)
    {
        var server = ScriptedServer.Connected();

        server.Send(new DisconnectPacket { ReasonCode = code });

        Assert.True(server.LastDisconnect!.IsTransient);
        Assert.Equal(delay, server.Engine.RetryAt);
    }

    [Fact]
    public void Nothing_slows_down_unless_it_was_asked_for()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);
        server.Sent();

        server.Answer(PacketType.PubAck, 1, ReasonCode.QuotaExceeded);

        Assert.False(server.Engine.Outbound.Pace.IsActive);
    }

    private static ScriptedServer Connected(PaceSettings pace) =>
        ScriptedServer.Connected(ScriptedServer.Settings() with { Outbox = new OutboxSettings { Pace = pace } });
}
