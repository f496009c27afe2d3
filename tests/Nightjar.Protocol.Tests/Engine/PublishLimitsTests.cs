using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>What the server's limits do to a message, and topic aliases.</summary>
public sealed class PublishLimitsTests
{
    [Theory(DisplayName = "[MQTT5-3.2.2-11] A QoS above the server's Maximum QoS is refused")]
    [InlineData(QoS.AtLeastOnce)]
    [InlineData(QoS.ExactlyOnce)]
    public void A_QoS_above_the_maximum_is_refused(QoS qos)
    {
        var server = ScriptedServer.Connected(answer: new ConnAckPacket { MaximumQoS = QoS.AtMostOnce });

        server.Driver.Publish("t", "p", qos, out _);

        Assert.Equal((PublishEnd.Limit, ReasonCode.QoSNotSupported), server.Driver.Ended.Select(e => (e.End, e.ReasonCode)).Single());
        Assert.Empty(server.Sent());
        Assert.True(server.Engine.Outbound.IsDrained);
    }

    [Theory]
    [InlineData(QoS.AtMostOnce, "PUBLISH 0 q0 t p")]
    [InlineData(QoS.AtLeastOnce, "PUBLISH 1 q1 t p")]
    public void LowerQoS_lowers_and_says_so(QoS maximum, string sent)
    {
        var settings = ScriptedServer.Settings() with { Outbox = new OutboxSettings { LowerQoS = true } };
        var server = ScriptedServer.Connected(settings, new ConnAckPacket { MaximumQoS = maximum });

        server.Driver.Publish("t", "p", QoS.ExactlyOnce, out _);
        Assert.Equal([sent], server.Sent());
        if (maximum == QoS.AtLeastOnce)
        {
            server.Answer(PacketType.PubAck, 1);
        }

        Assert.Equal([("p", PublishEnd.Answered, PublishFlags.QoSLowered)], Ends(server));
    }

    [Fact(DisplayName = "[MQTT5-3.2.2-14] Retain is refused where the server does not retain")]
    public void Retain_is_refused_where_the_server_does_not_retain()
    {
        var server = ScriptedServer.Connected(answer: new ConnAckPacket { RetainAvailable = false });

        var start = server.Engine.TryBuffer(new OutgoingPublish { Topic = "t"u8, Retain = true }, out var refusal);
        server.Engine.Accept(new OutgoingPublish { Topic = "t"u8, Retain = true, QoS = QoS.AtLeastOnce }, "waiter", 0);
        server.Driver.Collect();

        Assert.Equal((PublishStart.Refused, ReasonCode.RetainNotSupported), (start, refusal!.Value.ReasonCode));
        Assert.Equal(ReasonCode.RetainNotSupported, Assert.Single(server.Driver.Ended).ReasonCode);
        Assert.Empty(server.Sent());
    }

    [Theory(DisplayName = "[MQTT5-3.2.2-15] Nothing larger than the server's Maximum Packet Size is sent")]
    [InlineData(QoS.AtMostOnce)]
    [InlineData(QoS.AtLeastOnce)]
    public void Nothing_larger_than_the_maximum_packet_size_is_sent(QoS qos)
    {
        // Fixed header 2, topic 2 + 1, identifier 2 at QoS 1, property length 1, payload.
        var largest = 30 - 6 - (qos == QoS.AtMostOnce ? 0 : 2);
        var server = ScriptedServer.Connected(answer: new ConnAckPacket { MaximumPacketSize = 30 });

        server.Driver.Publish("t", new string('x', largest), qos, out _);
        Assert.Single(server.Sent());

        var message = new OutgoingPublish { Topic = "t"u8, Payload = new byte[largest + 1], QoS = qos };
        if (qos == QoS.AtMostOnce)
        {
            Assert.Equal(PublishStart.Refused, server.Engine.TryBuffer(message, out var refusal));
            Assert.Equal(ReasonCode.PacketTooLarge, refusal!.Value.ReasonCode);
        }
        else
        {
            server.Engine.Accept(message, "waiter", 0);
            server.Driver.Collect();
            Assert.Equal(ReasonCode.PacketTooLarge, Assert.Single(server.Driver.Ended).ReasonCode);
        }

        Assert.Empty(server.Sent());
    }

    [Fact]
    public void A_large_QoS_0_message_that_waited_for_a_connection_is_measured_too()
    {
        var server = new ScriptedServer();
        server.Driver.Publish("t", new string('x', 20), QoS.AtMostOnce, out _);
        server.Driver.Publish("t", new string('y', 40), QoS.AtMostOnce, out _);

        server.Accept(new ConnAckPacket { MaximumPacketSize = 30 });

        Assert.Single(server.Sent());
        Assert.Equal([PublishEnd.Answered, PublishEnd.Limit], server.Driver.Ended.Select(e => e.End));
    }

    [Fact]
    public void Topic_aliases_are_used_and_not_for_repeats()
    {
        var settings = ScriptedServer.Settings() with { Outbox = new OutboxSettings { MaximumTopicAliases = 8 } };
        var server = ScriptedServer.Connected(settings, new ConnAckPacket { TopicAliasMaximum = 2 });
        Publish(server, "building/1", "building/1", "building/2", "short", "building/3", "building/2");

        Assert.Equal(
            [
                "PUBLISH 1 q1 @1 building/1 0", "PUBLISH 2 q1 @1 1", "PUBLISH 3 q1 @2 building/2 2", "PUBLISH 4 q1 short 3",
                "PUBLISH 5 q1 @1 building/3 4", "PUBLISH 6 q1 @2 5",
            ],
            server.Sent());

        server.Reconnect(answer: new ConnAckPacket { SessionPresent = true, TopicAliasMaximum = 2, ReceiveMaximum = 6 });
        Assert.Equal(
            [
                "PUBLISH 1 q1 dup building/1 0", "PUBLISH 2 q1 dup building/1 1", "PUBLISH 3 q1 dup building/2 2",
                "PUBLISH 4 q1 dup short 3", "PUBLISH 5 q1 dup building/3 4", "PUBLISH 6 q1 dup building/2 5",
            ],
            server.Sent());
        server.Driver.Publish("building/1", "after", QoS.AtMostOnce, out _);
        Assert.Equal(["PUBLISH 0 q0 @1 building/1 after"], server.Sent());
    }

    [Theory]
    [InlineData(8)]
    [InlineData(2)]
    [InlineData(0)]
    public void An_alias_of_the_applications_own_choice_is_sent(int ours)
    {
        var settings = ScriptedServer.Settings() with { Outbox = new OutboxSettings { MaximumTopicAliases = ours } };
        var server = ScriptedServer.Connected(settings, new ConnAckPacket { TopicAliasMaximum = 5 });

        Assert.Equal(PublishStart.Buffered, server.Engine.TryBuffer(new OutgoingPublish { Topic = "t"u8, TopicAlias = 5, Payload = "p"u8 }, out _));
        Assert.Equal(PublishStart.Refused, server.Engine.TryBuffer(new OutgoingPublish { Topic = "t"u8, TopicAlias = 6 }, out var refusal));
        server.Engine.Accept(new OutgoingPublish { Topic = "t"u8, TopicAlias = 4, Payload = "q"u8, QoS = QoS.AtLeastOnce }, "waiter", 0);

        Assert.Equal(["PUBLISH 0 q0 @5 t p", "PUBLISH 1 q1 @4 t q"], server.Sent());
        Assert.Equal(ReasonCode.TopicAliasInvalid, refusal!.Value.ReasonCode);
    }

    [Fact]
    public void A_new_alias_does_not_make_a_packet_too_large()
    {
        // With the full topic it just fits; the alias property takes three bytes more.
        var settings = ScriptedServer.Settings() with { Outbox = new OutboxSettings { MaximumTopicAliases = 8 } };
        var server = ScriptedServer.Connected(settings, new ConnAckPacket { TopicAliasMaximum = 8, MaximumPacketSize = 35 });

        server.Driver.Publish("building/1", new string('x', 20), QoS.AtMostOnce, out _);
        server.Driver.Publish("building/1", "y", QoS.AtMostOnce, out _);
        server.Driver.Publish("building/1", new string('x', 20), QoS.AtMostOnce, out _);

        Assert.Equal(
            ["PUBLISH 0 q0 building/1 xxxxxxxxxxxxxxxxxxxx", "PUBLISH 0 q0 @1 building/1 y", "PUBLISH 0 q0 @1 xxxxxxxxxxxxxxxxxxxx"],
            server.Sent());
    }

    private static void Publish(ScriptedServer server, params string[] topics)
    {
        for (var i = 0; i < topics.Length; i++)
        {
            server.Driver.Publish(topics[i], $"{i}", QoS.AtLeastOnce, out _);
        }
    }

    private static List<(string, PublishEnd, PublishFlags)> Ends(ScriptedServer server) =>
        [.. server.Driver.Ended.Select(e => ((string)e.Waiter, e.End, e.Flags))];
}
