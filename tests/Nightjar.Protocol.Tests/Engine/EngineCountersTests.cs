using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

public sealed class EngineCountersTests
{
    [Fact]
    public void Messages_packets_and_bytes_are_counted_both_ways()
    {
        var server = ScriptedServer.Connected();
        var counters = server.Engine.Counters;
        var connect = counters.BytesSent;
        Assert.Equal(1, counters.PacketsSent[(int)PacketType.Connect]);
        server.Driver.Subscribe("#");
        server.Sent();
        server.Send(new SubAckPacket { PacketId = 1, ReasonCodes = [ReasonCode.GrantedQoS2] });
        var before = counters.BytesReceived;

        server.Driver.Now = 7;
        server.Driver.Publish("t", "0", QoS.AtMostOnce, out _);
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);
        server.Driver.Publish("t", "2", QoS.ExactlyOnce, out _);
        server.Sent();
        server.Driver.Now = 8;
        server.Send("t", "abc");
        server.Send("t", "abc", QoS.AtLeastOnce, packetId: 1);

        Assert.Equal([1, 1, 1], counters.MessagesSent);
        Assert.Equal([1, 1, 0], counters.MessagesReceived);
        Assert.Equal(3, counters.PacketsSent[(int)PacketType.Publish]);
        Assert.Equal(1, counters.PacketsSent[(int)PacketType.Subscribe]);
        Assert.Equal(2, counters.PacketsReceived[(int)PacketType.Publish]);
        Assert.Equal(1, counters.PacketsReceived[(int)PacketType.SubAck]);

        // PUBLISH: header 2, topic 3, identifier 0 or 2, properties 1, payload.
        Assert.Equal(connect + (2 + 2 + 1 + 3 + 1) + (2 + 3 + 1 + 1) + (2 * (2 + 3 + 2 + 1 + 1)), counters.BytesSent);
        Assert.Equal(before + (2 + 3 + 1 + 3) + (2 + 3 + 2 + 1 + 3), counters.BytesReceived);
        Assert.Equal((7, 8), (counters.LastSent, counters.LastReceived));
    }

    [Fact]
    public void Connections_resumptions_and_repetitions_are_counted()
    {
        var server = ScriptedServer.Connected();
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);
        server.Sent();
        server.Driver.Publish("t", "0", QoS.AtMostOnce, out _);
        server.Reconnect(sessionPresent: true);
        server.Sent();

        var counters = server.Engine.Counters;
        Assert.Equal((2, 1, 1), (counters.Connections, counters.SessionsResumed, counters.ConnectionsEnded[(int)CloseKind.TransportLost]));
        Assert.Equal((1, 1), (counters.MessagesResent, counters.PublishesDropped));
    }

    [Fact]
    public void What_nobody_asked_for_is_counted()
    {
        var server = ScriptedServer.Connected();

        server.Send("nobody/wants", "it");
        server.Answer(PacketType.PubAck, 9);
        server.Answer(PacketType.PubRec, 10);
        server.Answer(PacketType.PubComp, 11);

        Assert.Equal((1, 3), (server.Engine.Counters.Unrouted, server.Engine.Outbound.Session.UnknownAcks));
    }

    [Fact]
    public void What_waits_is_known_in_messages_and_bytes()
    {
        var server = new ScriptedServer();
        for (var i = 0; i < 3; i++)
        {
            server.Driver.Publish("topic", new string('x', 100), QoS.AtLeastOnce, out _);
        }

        Assert.Equal((3, 3 * 105L), server.Engine.Outbound.Pending);
        server.Engine.Connect(0);
        server.Accept();
        server.Sent();
        Assert.Equal((3, 3 * 105L), server.Engine.Outbound.Pending);
        for (ushort id = 1; id <= 3; id++)
        {
            server.Answer(PacketType.PubAck, id);
        }

        Assert.Equal((0, 0L), server.Engine.Outbound.Pending);
    }
}
