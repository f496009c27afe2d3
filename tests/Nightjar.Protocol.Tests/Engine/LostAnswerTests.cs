using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>
/// CONNECT arrived, and its CONNACK did not: if it said that the session was lost, the next one speaks of the new session, and Session Present does not mean ours.
/// </summary>
public sealed class LostAnswerTests
{
    [Fact]
    public void A_session_that_may_be_a_new_one_is_asked_for_everything_again()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Subscribe("granted");
        server.Sent();
        server.Send(new SubAckPacket { PacketId = 1, ReasonCodes = [ReasonCode.GrantedQoS2] });

        LoseTheAnswer(server);
        server.Reconnect();
        Assert.Equal(["SUBSCRIBE 2 granted:2"], server.Sent());

        server.Send(new SubAckPacket { PacketId = 2, ReasonCodes = [ReasonCode.GrantedQoS2] });
        server.Reconnect();
        Assert.Empty(server.Sent());
    }

    [Fact]
    public void A_QoS_2_message_for_a_session_that_may_be_a_new_one_is_marked()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Publish("t", "once", QoS.ExactlyOnce, out _);
        server.Driver.Publish("t", "again", QoS.AtLeastOnce, out _);
        server.Sent();

        LoseTheAnswer(server);
        server.Reconnect();
        Assert.Equal(["PUBLISH 1 q2 dup t once", "PUBLISH 2 q1 dup t again"], server.Sent());
        server.Answer(PacketType.PubRec, 1);
        server.Answer(PacketType.PubComp, 1);
        server.Answer(PacketType.PubAck, 2);

        Assert.Equal([PublishFlags.PossiblyDuplicated, PublishFlags.None], server.Driver.Ended.Select(e => e.Flags));
    }

    [Fact]
    public void A_new_message_with_an_identifier_of_a_session_that_may_be_lost_is_delivered()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Subscribe("t");
        server.Send("t", "first", QoS.ExactlyOnce, packetId: 1);
        server.Driver.Complete(server.Driver.Arrived[0].Token);
        server.Sent();

        LoseTheAnswer(server);
        server.Reconnect();
        server.Send("t", "second", QoS.ExactlyOnce, packetId: 1);

        Assert.Equal(["first", "second"], server.Driver.Arrived.Select(a => a.Payload));
    }

    [Fact]
    public void A_refusal_is_an_answer()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Subscribe("granted");
        server.Sent();
        server.Send(new SubAckPacket { PacketId = 1, ReasonCodes = [ReasonCode.GrantedQoS2] });
        server.Driver.Lose();
        server.Driver.AdvanceTo(server.Engine.RetryAt);
        server.Accept(new ConnAckPacket { ReasonCode = ReasonCode.ServerBusy });
        server.Driver.AdvanceTo(server.Engine.RetryAt);
        server.Accept(new ConnAckPacket { SessionPresent = true });

        Assert.Empty(server.Sent());
    }

    private static void LoseTheAnswer(ScriptedServer server)
    {
        server.Driver.Lose();
        server.Driver.AdvanceTo(server.Engine.RetryAt);
        server.Open();
    }
}
