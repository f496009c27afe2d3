using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;
using Xunit;

namespace Nightjar.Protocol.Tests.Codec;

public sealed class SmokeTests
{
    [Theory]
    [InlineData(MqttVersion.Mqtt5)]
    [InlineData(MqttVersion.Mqtt311)]
    [InlineData(MqttVersion.Mqtt31)]
    public void All(MqttVersion v)
    {
        object[] client = [
            new ConnectPacket { Version = v, ClientId = "a", Will = new WillPacket { Topic = "w/é", QoS = QoS.ExactlyOnce, DelayInterval = 4, UserProperties = [new("a", "b")] }, UserName = "u", Password = new byte[3], KeepAlive = 3, ReceiveMaximum = 9, UserProperties = [new("a", "b")] },
            new AckPacket(PacketType.PubAck, 4), new AckPacket(PacketType.PubRel, 4, ReasonCode.PacketIdentifierNotFound) { ReasonString = "x" }, new SubscribePacket { PacketId = 4, Subscriptions = [new("a/#", QoS.AtLeastOnce), new("+", QoS.ExactlyOnce) { NoLocal = true }], SubscriptionIdentifier = 400 },
            new UnsubscribePacket { PacketId = 4, Filters = ["a", "b"] }, default(PingReqPacket), new DisconnectPacket(), new DisconnectPacket { SessionExpiryInterval = 4 } ];
        object[] server = [new ConnAckPacket { ReceiveMaximum = 4 }, new ConnAckPacket { ReasonCode = ReasonCode.NotAuthorized }, new SubAckPacket { PacketId = 3, ReasonCodes = [ReasonCode.GrantedQoS1, ReasonCode.NotAuthorized] },
            new UnsubAckPacket { PacketId = 4, ReasonCodes = [ReasonCode.Success] }, default(PingRespPacket)];
        foreach ((object[] list, PacketSender s) in new[] { (client, PacketSender.Client), (server, PacketSender.Server) })
        {
            foreach (object p in list)
            {
                byte[] bytes = PacketWriter.ToArray(p, v);
                PacketDecoder d = new(s, v);
                DecodeStatus status = d.Decode(bytes, false, out DecodedPacket packet, out int consumed);
                Assert.True(status == DecodeStatus.Packet, p + " " + d.Violation.ToString());
                Assert.Equal(bytes.Length, consumed);
                object again = packet.Other ?? (packet.Ack.Type != PacketType.None ? packet.Ack : packet.Type == PacketType.PingReq ? default(PingReqPacket) : default(PingRespPacket));
                Assert.Equal(bytes, PacketWriter.ToArray(again, v));
            }
        }

        byte[] pub = PacketWriter.ToArray(new PublishPacket { QoS = QoS.AtLeastOnce, PacketId = 5, Topic = "a/b"u8, Payload = "hello"u8, TopicAlias = 4 }, v);
        PacketDecoder pd = new(PacketSender.Server, v);
        Assert.Equal(DecodeStatus.Packet, pd.Decode(pub, false, out DecodedPacket pp, out _));
        Assert.Equal("hello"u8, pp.Publish.Payload);
        Assert.Equal(v == MqttVersion.Mqtt5 ? 4 : 0, pp.Publish.TopicAlias);
        Assert.Equal(pub, PacketWriter.ToArray(pp.Publish, v));
    }
}
