using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;
using Xunit;

namespace Nightjar.Protocol.Tests.Codec;

/// <summary>What a caller can do wrong, and what the older versions leave out. That the bytes are right is shown by the vectors.</summary>
public sealed class PacketWriterTests
{
    private const MqttVersion V5 = MqttVersion.Mqtt5;
    private const MqttVersion V311 = MqttVersion.Mqtt311;

    private static readonly SubscribePacket Subscribe = new() { PacketId = 1, Subscriptions = [new("a", QoS.AtMostOnce)] };

    public static TheoryData<string, object, MqttVersion> Forbidden => new()
    {
        { "a password without a user name before 5.0", new ConnectPacket { Version = V311, ClientId = "a", Password = new byte[1] }, V311 },
        { "no client identifier for a session that stays", new ConnectPacket { Version = V311 }, V311 },
        { "no client identifier in 3.1", new ConnectPacket { Version = MqttVersion.Mqtt31, CleanStart = true }, MqttVersion.Mqtt31 },
        { "a version that is none", new ConnectPacket { Version = (MqttVersion)6, ClientId = "a" }, V5 },
        { "a will of QoS 3", new ConnectPacket { Will = new() { Topic = "t", QoS = (QoS)3 } }, V5 },
        { "a will with a wildcard", new ConnectPacket { Will = new() { Topic = "t/#" } }, V5 },
        { "a will without a topic", new ConnectPacket { Will = new() { Topic = "" } }, V5 },
        { "a will that is too long", new ConnectPacket { Will = new() { Topic = "t", Payload = new byte[65536] } }, V5 },
        { "a response topic with a wildcard", new ConnectPacket { Will = new() { Topic = "t", ResponseTopic = "+" } }, V5 },
        { "authentication data without a method", new ConnectPacket { AuthenticationData = new byte[1] }, V5 },
        { "a receive maximum of 0", new ConnectPacket { ReceiveMaximum = 0 }, V5 },
        { "a client identifier with U+0000", new ConnectPacket { ClientId = "a\0" }, V5 },
        { "half a surrogate pair in a user name", new ConnectPacket { UserName = "\uD800" }, V5 },
        { "a refusal with a session", new ConnAckPacket { SessionPresent = true, ReasonCode = ReasonCode.NotAuthorized }, V5 },
        { "a code of another packet in CONNACK", new ConnAckPacket { ReasonCode = ReasonCode.SessionTakenOver }, V5 },
        { "a code that 3.1.1 cannot say", new ConnAckPacket { ReasonCode = ReasonCode.Banned }, V311 },
        { "a maximum QoS of 2", new ConnAckPacket { MaximumQoS = QoS.ExactlyOnce }, V5 },
        { "packet identifier 0", new AckPacket(PacketType.PubAck, 0), V5 },
        { "an acknowledgement that is none", new AckPacket(PacketType.SubAck, 1), V5 },
        { "a code of another packet in PUBREL", new AckPacket(PacketType.PubRel, 1, ReasonCode.QuotaExceeded), V5 },
        { "a text that is too long", new AckPacket(PacketType.PubAck, 1) { ReasonString = new string('x', 65536) }, V5 },
        { "SUBSCRIBE to nothing", new SubscribePacket { PacketId = 1, Subscriptions = [] }, V311 },
        { "packet identifier 0 of SUBSCRIBE", new SubscribePacket { Subscriptions = Subscribe.Subscriptions }, V311 },
        { "a filter that is none", new SubscribePacket { PacketId = 1, Subscriptions = [new("a#", QoS.AtMostOnce)] }, V5 },
        { "a filter of half a surrogate pair", new SubscribePacket { PacketId = 1, Subscriptions = [new("\uDC00", QoS.AtMostOnce)] }, V5 },
        { "SUBSCRIBE for QoS 3", new SubscribePacket { PacketId = 1, Subscriptions = [new("a", (QoS)3)] }, V5 },
        {
            "subscription identifier 0",
            new SubscribePacket { PacketId = 1, Subscriptions = Subscribe.Subscriptions, SubscriptionIdentifier = 0 },
            V5
        },
        {
            "no local on a shared subscription",
            new SubscribePacket { PacketId = 1, Subscriptions = [new("$share/g/a", QoS.AtMostOnce) { NoLocal = true }] },
            V5
        },
        { "SUBACK without a code", new SubAckPacket { PacketId = 1, ReasonCodes = [] }, V5 },
        { "a code of another packet in SUBACK", new SubAckPacket { PacketId = 1, ReasonCodes = [ReasonCode.Banned] }, V5 },
        { "UNSUBSCRIBE from nothing", new UnsubscribePacket { PacketId = 1, Filters = [] }, V5 },
        { "UNSUBSCRIBE from what is no filter", new UnsubscribePacket { PacketId = 1, Filters = ["+a"] }, V5 },
        { "UNSUBACK without a code", new UnsubAckPacket { PacketId = 1 }, V5 },
        { "a code of another packet in UNSUBACK", new UnsubAckPacket { PacketId = 1, ReasonCodes = [ReasonCode.Banned] }, V5 },
        { "a code of another packet in DISCONNECT", new DisconnectPacket { ReasonCode = ReasonCode.Banned }, V5 },
        { "AUTH before 5.0", new AuthPacket(), V311 },
        { "AUTH without a method", new AuthPacket { ReasonCode = ReasonCode.ContinueAuthentication }, V5 },
        { "a code of another packet in AUTH", new AuthPacket { ReasonCode = ReasonCode.Banned, AuthenticationMethod = "m" }, V5 },
        { "what is no packet", "CONNECT", V5 },
    };

    [Theory]
    [MemberData(nameof(Forbidden))]
    public void A_packet_that_must_not_be_sent_is_refused(string what, object packet, MqttVersion version)
    {
        Assert.NotEmpty(what);
        Assert.ThrowsAny<ArgumentException>(() => PacketWriter.GetSize(packet, version));
        Assert.ThrowsAny<ArgumentException>(() => PacketWriter.Write(packet, version, new byte[100_000]));
    }

    [Fact]
    public void A_publish_that_must_not_be_sent_is_refused()
    {
        Refuse(new Message(), V5);
        Refuse(new Message { TopicAlias = 1 }, V311);
        Refuse(new Message { Topic = new string('x', 65536) }, V5);
        Refuse(new Message { Topic = "t", PacketId = 1 }, V5);
        Refuse(new Message { Topic = "t", Duplicate = true }, V5);
        Refuse(new Message { Topic = "t", QoS = QoS.AtLeastOnce }, V5);
        Refuse(new Message { Topic = "t", QoS = QoS.ExactlyOnce }, V5);
        Refuse(new Message { Topic = "t", QoS = (QoS)3, PacketId = 1 }, V5);

        static void Refuse(Message message, MqttVersion version)
        {
            Assert.ThrowsAny<ArgumentException>(() => PacketWriter.GetSize(message.ToPacket(), version));
            Assert.ThrowsAny<ArgumentException>(() => PacketWriter.Write(message.ToPacket(), version, new byte[100_000]));
        }
    }

    [Fact]
    public void An_acknowledgement_that_must_not_be_sent_is_refused()
    {
        foreach (var version in Vector.All)
        {
            Assert.ThrowsAny<ArgumentException>(() => PacketWriter.GetSize(new AckPacket(PacketType.PubAck, 0), version));
            Assert.ThrowsAny<ArgumentException>(() => PacketWriter.Write(new AckPacket(PacketType.PubAck, 0), version, new byte[10]));
            Assert.ThrowsAny<ArgumentException>(() => PacketWriter.GetSize(new AckPacket(PacketType.Publish, 1), version));
            Assert.ThrowsAny<ArgumentException>(() => PacketWriter.Write(new AckPacket(PacketType.Publish, 1), version, new byte[10]));
        }
    }

    [Fact]
    public void A_destination_that_is_too_short_is_refused_and_stays_untouched()
    {
        var message = new Message { Topic = "t", Payload = new byte[10] };
        object[] packets = [new AckPacket(PacketType.PubAck, 1), new AckPacket(PacketType.PubAck, 1, ReasonCode.NotAuthorized), Subscribe];

        foreach (var packet in packets)
        {
            var room = new byte[PacketWriter.GetSize(packet, V5) - 1];
            Assert.ThrowsAny<ArgumentException>(() => PacketWriter.Write(packet, V5, room));
            Assert.All(room, value => Assert.Equal(0, value));
        }

        Assert.ThrowsAny<ArgumentException>(() => PacketWriter.Write(new AckPacket(PacketType.PubAck, 1), V5, new byte[3]));
        Assert.ThrowsAny<ArgumentException>(
            () => PacketWriter.Write(message.ToPacket(), V5, new byte[PacketWriter.GetSize(message.ToPacket(), V5) - 1]));
    }

    [Fact]
    public void A_packet_beyond_four_length_bytes_has_no_size()
    {
        // 65,535 bytes each; the list is long, the strings are one.
        var property = new UserProperty(new string('k', 65535), new string('v', 65535));
        var packet = new SubscribePacket
        {
            PacketId = 1,
            Subscriptions = Subscribe.Subscriptions,
            UserProperties = Enumerable.Repeat(property, 2048).ToArray(),
        };
        var payload = new byte[268_435_456];

        Assert.Equal(-1, PacketWriter.GetSize(packet, V5));
        Assert.ThrowsAny<ArgumentException>(() => PacketWriter.ToArray(packet, V5));
        Assert.Equal(-1, PacketWriter.GetSize(new PublishPacket { Topic = "t"u8, Payload = payload }, V311));
        Assert.Equal(-1, PacketWriter.GetSize(new PublishPacket { Topic = "t"u8, Payload = payload.AsSpan(4) }, V5));
        Assert.Equal(268_435_455 + 5, PacketWriter.GetSize(new PublishPacket { Topic = "t"u8, Payload = payload.AsSpan(4) }, V311));
    }

    [Fact]
    public void A_topic_alias_comes_first_unless_it_is_among_the_properties()
    {
        Assert.Equal(
            Convert.ToHexString(Wire.Bytes("30 { 't' { 23 0005 01 01 } =x= }")),
            Convert.ToHexString(Wire.Write(new Message { Topic = "t", TopicAlias = 5, Properties = [1, 1], Payload = [(byte)'x'] }, V5)));
        Assert.Equal(
            Convert.ToHexString(Wire.Bytes("30 { '' { 01 01 23 0005 } }")),
            Convert.ToHexString(Wire.Write(new Message { TopicAlias = 5, Properties = Wire.Bytes("01 01 23 0005") }, V5)));
        Assert.Equal(
            Convert.ToHexString(Wire.Bytes("30 { 't' }")),
            Convert.ToHexString(Wire.Write(new Message { Topic = "t", TopicAlias = 5, Properties = [1, 1] }, V311)));
    }

    [Fact]
    public void What_an_older_version_cannot_say_is_left_out()
    {
        var ack = new AckPacket(PacketType.PubRec, 1, ReasonCode.NotAuthorized) { ReasonString = "no", UserProperties = [new("k", "v")] };
        var disconnect = new DisconnectPacket { ReasonCode = ReasonCode.ServerBusy, ReasonString = "no" };
        var subscribe = new SubscribePacket
        {
            PacketId = 1,
            SubscriptionIdentifier = 7,
            Subscriptions =
            [
                new("a", QoS.AtLeastOnce) { NoLocal = true, RetainAsPublished = true, RetainHandling = RetainHandling.DoNotSend },
            ],
        };
        ReasonCode[] codes = [ReasonCode.NotAuthorized, ReasonCode.GrantedQoS1];
        var subAck = new SubAckPacket { PacketId = 1, ReasonCodes = codes, ReasonString = "no" };
        var unsubAck = new UnsubAckPacket { PacketId = 1, ReasonCodes = [ReasonCode.NoSubscriptionExisted] };

        Assert.Equal("50020001", Convert.ToHexString(Wire.Write(ack, V311)));
        Assert.Equal("E000", Convert.ToHexString(Wire.Write(disconnect, V311)));
        Assert.Equal("820600010001" + "6101", Convert.ToHexString(Wire.Write(subscribe, V311)));
        Assert.Equal("90040001" + "8001", Convert.ToHexString(Wire.Write(subAck, V311)));
        Assert.Equal("B0020001", Convert.ToHexString(Wire.Write(unsubAck, V311)));
        Assert.Equal("20020000", Convert.ToHexString(Wire.Write(new ConnAckPacket { SessionPresent = true }, MqttVersion.Mqtt31)));
    }
}
