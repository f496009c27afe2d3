using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>What is on its way on a connection that lives: it is sent once, however long the answer takes.</summary>
public sealed class LiveLinkTests
{
    [Theory(DisplayName = "[MQTT5-4.4.0-1] Without an answer for five minutes nothing is sent again on the same connection")]
    [InlineData(MqttVersion.Mqtt5)]
    [InlineData(MqttVersion.Mqtt311)]
    [InlineData(MqttVersion.Mqtt31)]
    public void Without_an_answer_nothing_is_sent_again_on_the_same_connection(MqttVersion version)
    {
        var server = ScriptedServer.Connected(ScriptedServer.Settings(version));
        server.Driver.Publish("t", "once", QoS.AtLeastOnce, out _);
        server.Driver.Publish("t", "exactly", QoS.ExactlyOnce, out _);
        server.Driver.Publish("t", "released", QoS.ExactlyOnce, out _);
        Assert.Equal(["PUBLISH 1 q1 t once", "PUBLISH 2 q2 t exactly", "PUBLISH 3 q2 t released"], server.Sent());
        server.Answer(PacketType.PubRec, 3);
        Assert.Equal(["PUBREL 3"], server.Sent());

        while (server.Driver.Now < 5 * TimeSpan.TicksPerMinute)
        {
            server.Driver.AdvanceTo(server.Engine.Deadline);
            Assert.Equal(["PINGREQ"], server.Sent());
            server.Send(default(PingRespPacket));
        }

        server.Answer(PacketType.PubAck, 1);
        server.Answer(PacketType.PubRec, 2);
        server.Answer(PacketType.PubComp, 2);
        server.Answer(PacketType.PubComp, 3);
        Assert.Equal(["once", "exactly", "released"], server.Driver.Ended.Select(e => (string)e.Waiter));
    }

    [Fact]
    public void An_answer_that_comes_before_the_write_has_returned_ends_the_publish()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Publish("t", "x", QoS.AtLeastOnce, out _);
        Assert.Equal(["PUBLISH 1 q1 t x"], server.Taken());

        server.Answer(PacketType.PubAck, 1);

        Assert.Equal(PublishEnd.Answered, Assert.Single(server.Driver.Ended).End);
        server.Driver.Written();
        Assert.Single(server.Driver.Ended);
    }
}
