using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;
using static Nightjar.Protocol.Tests.Engine.Simulated.LargeMessageScene;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>Messages that are larger than what is held whole: skipped.</summary>
public sealed class LargeMessageTests
{
    [Fact]
    public void The_larger_limit_is_announced_and_none_where_messages_are_skipped()
    {
        var settings = ScriptedServer.Settings() with { MaximumPacketSize = Limit };

        Assert.Equal(100u, Connect(settings).MaximumPacketSize);
        Assert.Equal(500u, Connect(settings with { MaximumStreamedPacketSize = 500 }).MaximumPacketSize);
        Assert.Null(Connect(settings with { OversizedPackets = OversizedPackets.Skip }).MaximumPacketSize);

        static ConnectPacket Connect(EngineSettings settings)
        {
            var server = new ScriptedServer(settings);
            server.Engine.Connect(0);
            return server.Open();
        }
    }

    [Theory]
    [InlineData(MqttVersion.Mqtt5, QoS.AtMostOnce, null)]
    [InlineData(MqttVersion.Mqtt5, QoS.AtLeastOnce, "PUBACK 7 0x83")]
    [InlineData(MqttVersion.Mqtt5, QoS.ExactlyOnce, "PUBREC 7 0x83")]
    [InlineData(MqttVersion.Mqtt311, QoS.AtMostOnce, null)]
    [InlineData(MqttVersion.Mqtt311, QoS.AtLeastOnce, "PUBACK 7")]
    [InlineData(MqttVersion.Mqtt311, QoS.ExactlyOnce, "PUBREC 7")]
    public void A_message_that_is_too_large_is_skipped_reported_and_answered(MqttVersion version, QoS qos, string? answer)
    {
        var server = Skipping(version);

        server.Send("t", Large, qos, (ushort)(qos == QoS.AtMostOnce ? 0 : 7));

        Assert.Equal(answer is null ? [] : [answer], server.Sent());
        Assert.Empty(server.Driver.Arrived);
        var skipped = Assert.Single(server.Driver.Outputs.OfType<EngineOutput.Skipped>());
        Assert.Equal(("t", qos, null), (skipped.Topic, skipped.QoS, skipped.Filter));
        Assert.InRange(skipped.Size, 200, 220);
        Assert.Equal(1, server.Engine.SkippedMessages);
        server.Send("t", "small");
        Assert.Equal("small", server.Driver.Arrived.Single().Payload);
    }

    [Fact]
    public void Nothing_is_answered_before_the_last_byte_came()
    {
        var server = Skipping();
        var bytes = server.Publish("t", Large, QoS.AtLeastOnce, 7);

        foreach (var part in bytes.SkipLast(1).Chunk(3))
        {
            server.Driver.Receive(part);
            Assert.Empty(server.Sent());
        }

        server.Driver.Receive([bytes[^1]]);

        Assert.Equal(["PUBACK 7 0x83"], server.Sent());
    }

    [Fact(DisplayName = "[MQTT5-4.6.0-2] A skipped message is answered in its turn")]
    public void A_skipped_message_is_answered_in_its_turn()
    {
        var server = Skipping();
        server.Send("t", "before", QoS.AtLeastOnce, 1);
        server.Send("t", Large, QoS.ExactlyOnce, 2);
        server.Send("t", "after", QoS.AtLeastOnce, 3);
        server.Driver.Complete(server.Driver.Arrived[1].Token);
        Assert.Empty(server.Sent());

        server.Driver.Complete(server.Driver.Arrived[0].Token);

        Assert.Equal(["PUBACK 1", "PUBREC 2 0x83", "PUBACK 3"], server.Sent());
    }

    [Fact]
    public void A_topic_alias_that_a_skipped_message_brings_is_learnt()
    {
        var server = Skipping();

        server.Send("t", Large, alias: 3);
        server.Send("", "by alias", alias: 3);

        Assert.Equal(("t", "by alias"), (server.Driver.Arrived.Single().Topic, server.Driver.Arrived.Single().Payload));
    }

    [Fact]
    public void A_skipped_message_cut_in_the_middle_is_skipped_again()
    {
        foreach (var qos in new[] { QoS.AtLeastOnce, QoS.ExactlyOnce })
        {
            var server = Skipping();
            var bytes = server.Publish("t", Large, qos, 7);
            server.Driver.Receive(bytes.AsSpan(0, 150));
            server.Reconnect();
            Assert.Empty(server.Sent());

            server.Driver.Receive(server.Publish("t", Large, qos, 7, duplicate: true));

            Assert.Equal([qos == QoS.AtLeastOnce ? "PUBACK 7 0x83" : "PUBREC 7 0x83"], server.Sent());
        }
    }

    [Fact]
    public void A_skipped_QoS_2_message_that_is_sent_again_is_answered_again_and_reported_once()
    {
        // 3.1.1 cannot refuse: the exchange goes its way to PUBCOMP.
        var server = Skipping(MqttVersion.Mqtt311);
        server.Send("t", Large, QoS.ExactlyOnce, 7);
        Assert.Equal(["PUBREC 7"], server.Sent());
        server.Reconnect();

        server.Send("t", Large, QoS.ExactlyOnce, 7, duplicate: true);
        Assert.Equal(["PUBREC 7"], server.Sent());
        server.Answer(PacketType.PubRel, 7);

        Assert.Equal(["PUBCOMP 7"], server.Sent());
        Assert.Single(server.Driver.Outputs.OfType<EngineOutput.Skipped>());
    }

    [Fact]
    public void Skipping_costs_nothing_of_the_window()
    {
        var server = Skipping(settings: s => s with { ReceiveMaximum = 1 });

        for (ushort id = 1; id <= 5; id++)
        {
            server.Send("t", Large, id % 2 == 0 ? QoS.ExactlyOnce : QoS.AtLeastOnce, id);
        }

        Assert.Equal(5, server.Sent().Count);
        Assert.Null(server.LastDisconnect);
    }

    [Fact]
    public void A_large_message_that_nobody_subscribes_to_is_acknowledged_as_any_other()
    {
        var server = Skipping();

        server.Send("other", Large, QoS.AtLeastOnce, 7);

        Assert.Equal(["PUBACK 7"], server.Sent());
        Assert.Single(server.Driver.Outputs.OfType<EngineOutput.Unrouted>());
        Assert.Empty(server.Driver.Outputs.OfType<EngineOutput.Skipped>());
    }

    [Fact]
    public void A_large_message_before_CONNACK_is_a_breach()
    {
        var server = new ScriptedServer(ScriptedServer.Settings() with { MaximumPacketSize = Limit, OversizedPackets = OversizedPackets.Skip });
        server.Engine.Connect(0);
        server.Open();

        server.Send("t", Large);

        Assert.Equal("MQTT5-3.2.0-1", server.Driver.Outputs.OfType<EngineOutput.AttemptFailed>().Single().Reason.Clause);
    }

    [Theory]
    [InlineData(QoS.AtLeastOnce, true)]
    [InlineData(QoS.ExactlyOnce, true)]
    [InlineData(QoS.AtLeastOnce, false)]
    [InlineData(QoS.ExactlyOnce, false)]
    public void Cut_at_any_byte_it_is_answered_once_when_it_came_whole(QoS qos, bool streams)
    {
        var length = Streaming().Publish("t", Large, qos, 7).Length;
        for (var cut = 0; cut < length; cut++)
        {
            var server = streams ? Streaming() : Skipping();
            server.Driver.Handler = arrival => server.Driver.Complete(arrival.Token);
            server.Driver.Receive(server.Publish("t", Large, qos, 7).AsSpan(0, cut));
            Assert.Empty(server.Sent());
            server.Reconnect();
            server.Driver.Receive(server.Publish("t", Large, qos, 7, duplicate: true));

            Assert.Equal([$"{(qos == QoS.AtLeastOnce ? "PUBACK" : "PUBREC")} 7{(streams ? "" : " 0x83")}"], server.Sent());
            Assert.Equal(0, server.Engine.Ledger.Waiting);
            if (streams)
            {
                Assert.EndsWith(Large, string.Concat(server.Driver.Streamed), StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void A_server_that_keeps_a_message_too_large_for_us_is_reported_as_a_loop_and_asked_ever_less()
    {
        var server = new ScriptedServer(ScriptedServer.Settings(MqttVersion.Mqtt311) with { MaximumPacketSize = Limit, StableAfter = 0 });
        server.Engine.Connect(0);
        for (var connection = 1; connection <= 5; connection++)
        {
            server.Driver.AdvanceTo(Math.Max(server.Driver.Now, connection == 1 ? 0 : server.Engine.RetryAt));
            server.Accept();
            server.Driver.AdvanceTo(server.Driver.Now + TimeSpan.TicksPerMinute);
            server.Sent();
            server.Driver.Receive([0x30, 0x80, 0x01]);

            var loops = server.Driver.Outputs.OfType<EngineOutput.Looping>().ToList();
            Assert.Equal(connection >= 3 ? 1 : 0, loops.Count);
            Assert.Equal(connection < 3, server.LastDisconnect!.IsTransient);
            Assert.Equal(Math.Max(1, connection - 1), server.Engine.Failures);
            var delay = server.Engine.RetryAt - server.Driver.Now;
            Assert.Equal(connection < 3 ? TimeSpan.TicksPerSecond / 2 : TimeSpan.TicksPerMinute, delay);
        }

        Assert.Contains("OversizedPackets", server.LastDisconnect!.Message, StringComparison.Ordinal);
        Assert.Contains("131 bytes", server.LastDisconnect.Message, StringComparison.Ordinal);
        Assert.Contains("5 connections in a row", server.LastDisconnect.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_connection_that_lasts_and_ends_otherwise_ends_the_loop()
    {
        var server = new ScriptedServer(ScriptedServer.Settings() with { MaximumPacketSize = Limit });
        server.Engine.Connect(0);
        for (var connection = 1; connection <= 6; connection++)
        {
            server.Driver.AdvanceTo(Math.Max(server.Driver.Now, connection == 1 ? 0 : server.Engine.RetryAt));
            server.Accept();
            if (connection % 3 == 0)
            {
                server.Driver.AdvanceTo(server.Driver.Now + (31 * TimeSpan.TicksPerSecond));
                server.Driver.Lose();
                continue;
            }

            server.Driver.Receive([0x30, 0x80, 0x01]);
            server.Sent();
            Assert.Equal(connection % 3, server.LastDisconnect!.Times);
        }

        Assert.Empty(server.Driver.Outputs.OfType<EngineOutput.Looping>());
    }
}
