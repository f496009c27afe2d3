using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>What a resumed session repeats, and what a lost one sends as new.</summary>
public sealed class ResumeTests
{
    [Fact(DisplayName = "[MQTT5-4.4.0-1] A resumed session repeats PUBRELs, then PUBLISHes with DUP, then goes on (case I)")]
    public void A_resumed_session_repeats_before_anything_new()
    {
        var server = ScriptedServer.Connected();
        foreach (var qos in new[] { QoS.ExactlyOnce, QoS.AtLeastOnce, QoS.ExactlyOnce, QoS.ExactlyOnce, QoS.AtLeastOnce })
        {
            server.Driver.Publish("t", $"{qos}", qos, out _, new object());
        }

        server.Sent();
        server.Answer(PacketType.PubRec, 4);
        server.Answer(PacketType.PubRec, 1);
        server.Answer(PacketType.PubAck, 5);
        server.Driver.Lose();
        server.Driver.Publish("t", "new", QoS.AtLeastOnce, out _);
        server.Driver.AdvanceTo(server.Engine.RetryAt);
        server.Accept(new ConnAckPacket { SessionPresent = true });

        Assert.Equal(
            ["PUBREL 4", "PUBREL 1", "PUBLISH 2 q1 dup t AtLeastOnce", "PUBLISH 3 q2 dup t ExactlyOnce", "PUBLISH 6 q1 t new"],
            server.Sent());
        Assert.Single(server.Driver.Ended);
    }

    [Fact]
    public void A_resumed_session_stays_within_a_smaller_Receive_Maximum()
    {
        var server = ScriptedServer.Connected();
        for (var i = 0; i < 4; i++)
        {
            server.Driver.Publish("t", $"{i}", QoS.AtLeastOnce, out _);
        }

        server.Sent();
        server.Reconnect(answer: new ConnAckPacket { SessionPresent = true, ReceiveMaximum = 1 });
        server.Driver.Publish("t", "new", QoS.AtLeastOnce, out _);

        Assert.Equal(["PUBLISH 1 q1 dup t 0"], server.Sent());
        server.Answer(PacketType.PubAck, 1);
        Assert.Equal(["PUBLISH 2 q1 dup t 1"], server.Sent());
        server.Answer(PacketType.PubAck, 2);
        server.Sent();
        server.Answer(PacketType.PubAck, 3);
        server.Sent();
        server.Answer(PacketType.PubAck, 4);
        Assert.Equal(["PUBLISH 5 q1 t new"], server.Sent());
    }

    [Fact]
    public void A_lost_session_sends_as_new_and_says_so()
    {
        var server = ScriptedServer.Connected();
        for (var i = 0; i < 4; i++)
        {
            server.Driver.Publish("t", $"{i}", QoS.ExactlyOnce, out _);
        }

        server.Sent();
        server.Answer(PacketType.PubRec, 2);
        server.Sent();
        server.Driver.Lose();
        server.Driver.Publish("t", "new", QoS.ExactlyOnce, out _);
        server.Driver.AdvanceTo(server.Engine.RetryAt);
        server.Accept(new ConnAckPacket { SessionPresent = false });

        Assert.Equal(
            ["PUBLISH 5 q2 t 0", "PUBLISH 6 q2 t 2", "PUBLISH 7 q2 t 3", "PUBLISH 8 q2 t new"],
            server.Sent());
        Assert.Equal([("1", PublishEnd.Answered, PublishFlags.None)], Ends(server));
        foreach (ushort id in new[] { 5, 8 })
        {
            server.Answer(PacketType.PubRec, id);
            server.Answer(PacketType.PubComp, id);
        }

        Assert.Equal(("0", PublishEnd.Answered, PublishFlags.PossiblyDuplicated), Ends(server)[1]);
        Assert.Equal(("new", PublishEnd.Answered, PublishFlags.None), Ends(server)[2]);
    }

    [Fact]
    public void Messages_of_a_session_lost_twice_keep_their_order()
    {
        var server = ScriptedServer.Connected(answer: new ConnAckPacket { ReceiveMaximum = 2 });
        for (var i = 0; i < 4; i++)
        {
            server.Driver.Publish("t", $"{i}", QoS.AtLeastOnce, out _);
        }

        server.Sent();
        for (var i = 0; i < 2; i++)
        {
            server.Reconnect(sessionPresent: false);
            var sent = server.Sent();
            Assert.Equal(["0", "1", "2", "3"], sent.Select(line => line[^1..]));
            Assert.DoesNotContain(sent, line => line.Contains("dup", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void What_the_new_limits_forbid_is_kept_and_reported()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Publish("t", "small", QoS.AtLeastOnce, out _);
        server.Driver.Publish("t", new string('x', 100), QoS.AtLeastOnce, out _);
        server.Driver.Publish("t", "last", QoS.AtLeastOnce, out _);
        server.Sent();
        server.Reconnect(answer: new ConnAckPacket { SessionPresent = true, MaximumPacketSize = 50, ReceiveMaximum = 2 });

        Assert.Equal(["PUBLISH 1 q1 dup t small", "PUBLISH 3 q1 dup t last"], server.Sent());
        Assert.Equal(("t", (ushort)2), server.Driver.Quarantined.Select(q => (q.Topic, q.PacketId)).Single());
        Assert.Equal(PublishEnd.Quarantined, Assert.Single(server.Driver.Ended).End);

        server.Answer(PacketType.PubAck, 1);
        server.Driver.Publish("t", "new", QoS.AtLeastOnce, out _);
        Assert.Equal(["PUBLISH 4 q1 t new"], server.Sent());

        server.Reconnect();
        Assert.StartsWith("PUBLISH 2 q1 dup t xxx", server.Sent()[0], StringComparison.Ordinal);
        server.Answer(PacketType.PubAck, 2);
        Assert.Single(server.Driver.Ended, e => e.End == PublishEnd.Quarantined);
    }

    private static List<(string, PublishEnd, PublishFlags)> Ends(ScriptedServer server) =>
        [.. server.Driver.Ended.Select(e => ((string)e.Waiter, e.End, e.Flags))];
}
