using System.Buffers;
using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;
using Xunit;

namespace Nightjar.Tests;

public sealed class OutgoingPropertiesTests
{
    [Fact]
    public void A_message_without_properties_costs_nothing()
    {
        var message = new OutgoingMessage("t", "text");
        _ = message.HasProperties();

        var before = GC.GetAllocatedBytesForCurrentThread();
        var has = message.HasProperties();

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.False(has);
        Assert.Empty(Write(message));
        Assert.Null(MessageProperties.Read([]));
    }

    [Fact]
    public void A_topic_alias_is_the_connections_business()
    {
        Assert.False(new OutgoingMessage("t", "") { TopicAlias = 7 }.HasProperties());
        Assert.Empty(Write(new OutgoingMessage("t", "") { TopicAlias = 7 }));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Each_property_makes_its_bytes(string name)
    {
        var (message, bytes) = Vectors[name];

        Assert.True(message.HasProperties());
        Assert.Equal(bytes, Convert.ToHexString(Write(message)));
    }

    public static TheoryData<string> Names => [.. Vectors.Keys];

    private static Dictionary<string, (OutgoingMessage Message, string Bytes)> Vectors { get; } = new()
    {
        ["payload format"] = (new("t", "") { PayloadFormat = PayloadFormat.Utf8 }, "0101"),
        ["unspecified format, said explicitly"] = (new("t", "") { PayloadFormat = PayloadFormat.Unspecified }, "0100"),
        ["time to live"] = (new("t", "") { TimeToLive = TimeSpan.FromSeconds(258) }, "0200000102"),
        ["no time to live"] = (new("t", "") { TimeToLive = TimeSpan.Zero }, "0200000000"),
        ["time to live, rounded up"] = (new("t", "") { TimeToLive = TimeSpan.FromTicks(1) }, "0200000001"),
        ["longest time to live"] = (new("t", "") { TimeToLive = TimeSpan.FromSeconds(uint.MaxValue) }, "02FFFFFFFF"),
        ["content type"] = (new("t", "") { ContentType = "a/b" }, "030003612F62"),
        ["response topic"] = (new("t", "") { ResponseTopic = "r" }, "08000172"),
        ["correlation data"] = (new("t", "") { CorrelationData = new byte[] { 0, 255 } }, "09000200FF"),
        ["empty correlation data"] = (new("t", "") { CorrelationData = ReadOnlyMemory<byte>.Empty }, "090000"),
        ["user properties in order"] = (new("t", "") { UserProperties = [new("b", "1"), new("a", "2"), new("b", "")] }, "260001620001312600016100013226000162" + "0000"),
    };

    [Fact]
    public void All_properties_come_back()
    {
        var message = new OutgoingMessage("t", "text")
        {
            TimeToLive = TimeSpan.FromSeconds(1.5),
            PayloadFormat = PayloadFormat.Utf8,
            ContentType = "text/plain; charset=utf-8",
            ResponseTopic = "réponse/🌙",
            CorrelationData = new byte[] { 1, 2, 3 },
            UserProperties = [new("a", "1"), new("a", "2"), new("", "")],
        };

        var read = MessageProperties.Read(Write(message));

        Assert.NotNull(read);
        Assert.Equal(TimeSpan.FromSeconds(2), read.TimeToLive);
        Assert.Equal(message.PayloadFormat, read.PayloadFormat);
        Assert.Equal(message.ContentType, read.ContentType);
        Assert.Equal(message.ResponseTopic, read.ResponseTopic);
        Assert.Equal(message.CorrelationData.Value.ToArray(), read.CorrelationData!.Value.ToArray());
        Assert.Equal(message.UserProperties, read.UserProperties);
        Assert.Empty(read.SubscriptionIdentifiers);
        Assert.Null(read.TopicAlias);
    }

    [Fact]
    public void Properties_that_only_a_server_sends_are_read()
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new PropertyWriter(output);
        writer.Write(PropertyId.SubscriptionIdentifier, 1);
        writer.Write(PropertyId.SubscriptionIdentifier, 268_435_455);
        writer.Write(PropertyId.TopicAlias, 65_535);

        var read = MessageProperties.Read(output.WrittenSpan);

        Assert.NotNull(read);
        Assert.Equal([1u, 268_435_455u], read.SubscriptionIdentifiers);
        Assert.Equal((ushort)65_535, read.TopicAlias);
        Assert.Null(read.TimeToLive);
        Assert.Null(read.PayloadFormat);
        Assert.Null(read.CorrelationData);
    }

    [Fact]
    public void What_was_read_is_a_copy()
    {
        var section = Write(new OutgoingMessage("t", "") { CorrelationData = new byte[] { 1 } });

        var read = MessageProperties.Read(section);
        section.AsSpan().Clear();

        Assert.Equal([1], read!.CorrelationData!.Value.ToArray());
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_cannot_be_sent_is_refused(string expected)
    {
        var exception = Assert.ThrowsAny<ArgumentException>(() => Write(Refusals[expected]));

        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string> Refused => [.. Refusals.Keys];

    private static Dictionary<string, OutgoingMessage> Refusals { get; } = new()
    {
        ["PayloadFormat is 2"] = new("t", "") { PayloadFormat = (PayloadFormat)2 },
        ["TimeToLive is -00:00:00.0010000"] = new("t", "") { TimeToLive = Timeout.InfiniteTimeSpan },
        ["TimeToLive is 49710.06:28:15.0000001"] = new("t", "") { TimeToLive = TimeSpan.FromSeconds(uint.MaxValue) + TimeSpan.FromTicks(1) },
        ["TimeToLive is 10675199."] = new("t", "") { TimeToLive = TimeSpan.MaxValue },
        ["ResponseTopic: The topic name 'a/#' has the wildcard"] = new("t", "") { ResponseTopic = "a/#" },
        ["CorrelationData is 65536 bytes long"] = new("t", "") { CorrelationData = new byte[65_536] },
        ["ContentType holds U+0000"] = new("t", "") { ContentType = "\0" },
        ["UserProperties[0].Value is 65536 bytes long"] = new("t", "") { UserProperties = [new("a", new string('x', 65_536))] },
        ["UserProperties[1].Name is null"] = new("t", "") { UserProperties = [new("a", ""), default] },
    };

    [Fact]
    public void A_will_becomes_the_will_of_CONNECT()
    {
        var will = new WillMessage
        {
            Topic = "gone",
            Payload = "text"u8.ToArray(),
            QoS = QoS.ExactlyOnce,
            Retain = true,
            Delay = TimeSpan.FromSeconds(5),
            PayloadFormat = PayloadFormat.Utf8,
            TimeToLive = TimeSpan.FromSeconds(uint.MaxValue),
            ContentType = "text/plain",
            ResponseTopic = "r",
            CorrelationData = new byte[] { 1 },
            UserProperties = [new("a", "b")],
        };
        var expected = new WillPacket
        {
            Topic = "gone",
            Payload = will.Payload,
            QoS = QoS.ExactlyOnce,
            Retain = true,
            DelayInterval = 5,
            PayloadFormat = PayloadFormat.Utf8,
            MessageExpiryInterval = uint.MaxValue,
            ContentType = "text/plain",
            ResponseTopic = "r",
            CorrelationData = will.CorrelationData,
            UserProperties = will.UserProperties,
        };

        // The bytes say more than members compared one by one: they are what the server sees.
        Assert.Equal(Connect(expected), Connect(WillPacketBuilder.Build(will)));
    }

    [Fact]
    public void A_plain_will_has_no_properties()
    {
        var packet = WillPacketBuilder.Build(new WillMessage { Topic = "gone" });

        Assert.NotNull(packet);
        Assert.Equal(Connect(new WillPacket { Topic = "gone", QoS = QoS.AtLeastOnce }), Connect(packet));
        Assert.Null(packet.DelayInterval);
        Assert.Null(packet.MessageExpiryInterval);
        Assert.Null(packet.CorrelationData);
        Assert.Null(WillPacketBuilder.Build(null));
    }

    private static string Connect(WillPacket? will) => Convert.ToHexString(PacketWriter.ToArray(new ConnectPacket { Will = will }, MqttVersion.Mqtt5));

    private static byte[] Write(OutgoingMessage message)
    {
        var output = new ArrayBufferWriter<byte>();
        OutgoingProperties.Write(message, output);
        return output.WrittenSpan.ToArray();
    }
}
