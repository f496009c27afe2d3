using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>A message from the server to its handlers and back.</summary>
public sealed class ReceiveTests
{
    [Fact]
    public void A_message_reaches_every_subscription_that_matches()
    {
        var server = ScriptedServer.Subscribed(ScriptedServer.Settings(), "home/+", "home/door", "garden");

        server.Send("home/door", "open");

        Assert.Equal(["home/+", "home/door"], server.Driver.Arrived.Select(a => a.Subscription.TopicFilter.Text).Order(StringComparer.Ordinal));
        Assert.All(server.Driver.Arrived, a => Assert.True(a.Token.IsNone));
    }

    [Fact(DisplayName = "[MQTT5-4.3.2-4] PUBACK follows the handler, not the message")]
    public void PUBACK_follows_the_handler()
    {
        var server = ScriptedServer.Subscribed(ScriptedServer.Settings(), "t");
        server.Send("t", "1", QoS.AtLeastOnce, 9);
        Assert.Empty(server.Sent());

        server.Driver.Complete(server.Driver.Arrived[0].Token);

        Assert.Equal(["PUBACK 9"], server.Sent());
    }

    [Fact]
    public void Acknowledgements_leave_in_the_order_of_arrival()
    {
        var server = ScriptedServer.Subscribed(ScriptedServer.Settings(), "t");
        server.Send("t", "1", QoS.AtLeastOnce, 3);
        server.Send("t", "2", QoS.ExactlyOnce, 2);
        server.Send("t", "3", QoS.AtLeastOnce, 1);

        server.Driver.Complete(server.Driver.Arrived[2].Token);
        server.Driver.Complete(server.Driver.Arrived[1].Token);
        Assert.Empty(server.Sent());
        server.Driver.Complete(server.Driver.Arrived[0].Token);

        Assert.Equal(["PUBACK 3", "PUBREC 2", "PUBACK 1"], server.Sent());
    }

    [Fact]
    public void Acknowledgements_go_before_megabytes_that_wait_to_be_published()
    {
        var server = ScriptedServer.Subscribed(ScriptedServer.Settings(), "t");
        var payload = new string('x', 50_000);
        for (var i = 0; i < 200; i++)
        {
            server.Driver.Publish("out", payload, QoS.AtLeastOnce, out _);
        }

        server.Send("t", "1", QoS.AtLeastOnce, 9);
        Complete(server, 0);

        var taken = server.Taken();
        Assert.Equal("PUBACK 9", taken[0]);
        Assert.StartsWith("PUBLISH", taken[1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_message_for_nobody_is_reported_and_acknowledged()
    {
        var server = ScriptedServer.Subscribed(ScriptedServer.Settings(), "t");

        server.Send("u", "1", QoS.AtLeastOnce, 3);
        server.Send("u", "2", QoS.ExactlyOnce, 4);

        Assert.Equal(["PUBACK 3", "PUBREC 4"], server.Sent());
        Assert.Equal(["u", "u"], server.Driver.Outputs.OfType<EngineOutput.Unrouted>().Select(o => o.Topic));
    }

    [Fact(DisplayName = "[MQTT5-4.3.3-10] A repeated QoS 2 message is delivered once (case E)")]
    public void A_repeated_QoS_2_message_is_delivered_once()
    {
        var server = ScriptedServer.Subscribed(ScriptedServer.Settings(), "t");
        server.Send("t", "1", QoS.ExactlyOnce, 5);
        server.Send("t", "1", QoS.ExactlyOnce, 5, duplicate: true);
        Complete(server, 0);
        Assert.Equal(["PUBREC 5"], server.Sent());
        server.Send("t", "1", QoS.ExactlyOnce, 5, duplicate: true);
        Assert.Equal(["PUBREC 5"], server.Sent());
        server.Answer(PacketType.PubRel, 5);
        Assert.Equal(["PUBCOMP 5"], server.Sent());
        Assert.Single(server.Driver.Arrived);

        server.Send("t", "2", QoS.ExactlyOnce, 5);
        Assert.Equal(2, server.Driver.Arrived.Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_QoS_2_message_repeated_in_a_resumed_session_is_delivered_once(bool endsBeforeTheRepetition)
    {
        var server = ScriptedServer.Subscribed(ScriptedServer.Settings(), "t");
        server.Send("t", "1", QoS.ExactlyOnce, 5);
        server.Reconnect();
        if (endsBeforeTheRepetition)
        {
            Complete(server, 0);
        }

        server.Send("t", "1", QoS.ExactlyOnce, 5, duplicate: true);
        if (!endsBeforeTheRepetition)
        {
            Assert.Empty(server.Sent());
            Complete(server, 0);
        }

        Assert.Equal(["PUBREC 5"], server.Sent());
        server.Answer(PacketType.PubRel, 5);
        Assert.Equal(["PUBCOMP 5"], server.Sent());
        Assert.Single(server.Driver.Arrived);
    }

    [Fact]
    public void A_PUBREL_in_a_resumed_session_ends_what_the_connection_before_received()
    {
        var server = ScriptedServer.Subscribed(ScriptedServer.Settings(), "t");
        server.Send("t", "1", QoS.ExactlyOnce, 5);
        Complete(server, 0);
        Assert.Equal(["PUBREC 5"], server.Sent());
        server.Reconnect();

        server.Answer(PacketType.PubRel, 5);

        Assert.Equal(["PUBCOMP 5"], server.Sent());
    }

    [Fact]
    public void An_unknown_PUBREL_is_answered_with_0x92()
    {
        var server = ScriptedServer.Subscribed(ScriptedServer.Settings(), "t");

        server.Answer(PacketType.PubRel, 8);

        Assert.Equal(["PUBCOMP 8 0x92"], server.Sent());
    }

    [Fact]
    public void A_PUBREL_that_answers_no_PUBREC_is_a_violation()
    {
        var server = ScriptedServer.Subscribed(ScriptedServer.Settings(), "t");
        server.Send("t", "1", QoS.ExactlyOnce, 5);

        server.Answer(PacketType.PubRel, 5);

        Assert.Equal(["DISCONNECT 0x82"], server.Sent());
    }

    [Fact]
    public void A_handler_of_a_lost_connection_acknowledges_nothing_at_QoS_1()
    {
        var server = ScriptedServer.Subscribed(ScriptedServer.Settings(), "t");
        server.Send("t", "1", QoS.AtLeastOnce, 5);
        server.Reconnect();
        server.Send("t", "1", QoS.AtLeastOnce, 5, duplicate: true);

        Complete(server, 0);
        Assert.Empty(server.Sent());
        Complete(server, 1);
        Assert.Equal(["PUBACK 5"], server.Sent());
    }

    [Fact]
    public void A_QoS_2_message_of_a_lost_session_is_delivered_anew()
    {
        var server = ScriptedServer.Subscribed(ScriptedServer.Settings(), "t");
        server.Send("t", "1", QoS.ExactlyOnce, 5);
        Complete(server, 0);
        server.Sent();
        server.Reconnect(sessionPresent: false);
        server.Sent();

        server.Send("t", "2", QoS.ExactlyOnce, 5);

        Assert.Equal(["1", "2"], server.Driver.Arrived.Select(a => a.Payload));
    }

    [Fact]
    public void In_3_1_a_server_that_lost_its_session_numbers_anew()
    {
        var server = ScriptedServer.Subscribed(ScriptedServer.Settings(MqttVersion.Mqtt31), "t");
        server.Send("t", "1", QoS.ExactlyOnce, 5);
        Complete(server, 0);
        server.Sent();
        server.Reconnect(sessionPresent: false);
        server.Sent();

        server.Send("t", "1", QoS.ExactlyOnce, 5, duplicate: true);
        Assert.Equal(["PUBREC 5"], server.Sent());
        server.Reconnect(sessionPresent: false);
        server.Sent();
        server.Send("t", "2", QoS.ExactlyOnce, 5);

        Assert.Equal(["1", "2"], server.Driver.Arrived.Select(a => a.Payload));
    }

    [Fact(DisplayName = "[MQTT5-3.3.2-12] An inbound alias stands for its topic (case F)")]
    public void An_inbound_alias_stands_for_its_topic()
    {
        var server = ScriptedServer.Subscribed(ScriptedServer.Settings(), "home/#");
        server.Send("home/door", "1", alias: 10);
        server.Send("", "2", alias: 10);
        server.Send("home/gate", "3", alias: 10);
        server.Send("", "4", alias: 10);

        Assert.Equal(["home/door", "home/door", "home/gate", "home/gate"], server.Driver.Arrived.Select(a => a.Topic));
        server.Reconnect();
        server.Send("", "5", alias: 10);
        Assert.Equal(["DISCONNECT 0x94"], server.Sent());
        Assert.Equal(4, server.Driver.Arrived.Count);
    }

    [Fact]
    public void Packets_that_come_byte_by_byte_are_the_same()
    {
        var server = ScriptedServer.Subscribed(ScriptedServer.Settings(), "home/#");
        var bytes = server.Publish("home/door", "open", QoS.AtLeastOnce, 7, alias: 1).Concat(server.Publish("", "shut", QoS.ExactlyOnce, 8, alias: 1));

        foreach (var value in bytes)
        {
            server.Driver.Receive([value]);
        }

        Assert.Equal(["open", "shut"], server.Driver.Arrived.Select(a => a.Payload));
        Complete(server, 0);
        Complete(server, 1);
        Assert.Equal(["PUBACK 7", "PUBREC 8"], server.Sent());
    }

    private static void Complete(ScriptedServer server, int arrival) => server.Driver.Complete(server.Driver.Arrived[arrival].Token);
}
