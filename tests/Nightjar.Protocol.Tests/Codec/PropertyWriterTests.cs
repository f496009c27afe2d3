using System.Buffers;
using Nightjar.Protocol.Codec;
using Xunit;

namespace Nightjar.Protocol.Tests.Codec;

public sealed class PropertyWriterTests
{
    private readonly ArrayBufferWriter<byte> _output = new();

    private PropertyWriter Writer => new(_output);

    [Fact]
    public void Each_form_is_written_as_its_identifier_demands()
    {
        Writer.Write(PropertyId.PayloadFormatIndicator, 1);
        Writer.Write(PropertyId.TopicAlias, 0x1234);
        Writer.Write(PropertyId.MessageExpiryInterval, uint.MaxValue);
        Writer.Write(PropertyId.SubscriptionIdentifier, 268_435_455);
        Writer.Write(PropertyId.ContentType, "größe");
        Writer.Write(PropertyId.CorrelationData, [0xCA, 0xFE]);
        Writer.Write(new UserProperty("k", ""));

        Assert.Equal(
            Convert.ToHexString(Wire.Bytes("01 01 23 1234 02 FFFFFFFF 0B FFFFFF7F 03 'größe' 09 0002 CAFE 26 'k' ''")),
            Convert.ToHexString(_output.WrittenSpan));
    }

    [Theory]
    [InlineData(PropertyId.PayloadFormatIndicator, 2)]
    [InlineData(PropertyId.TopicAlias, 0)]
    [InlineData(PropertyId.TopicAlias, 65536)]
    [InlineData(PropertyId.ReceiveMaximum, 0)]
    [InlineData(PropertyId.MaximumPacketSize, 0)]
    [InlineData(PropertyId.SubscriptionIdentifier, 0)]
    [InlineData(PropertyId.SubscriptionIdentifier, 268_435_456)]
    [InlineData(PropertyId.ContentType, 1)]
    [InlineData((PropertyId)0x77, 1)]
    public void A_number_that_the_property_does_not_take_is_refused(PropertyId id, uint number)
    {
        Assert.Throws<ArgumentException>(() => Writer.Write(id, number));
        Assert.Equal(0, _output.WrittenCount);
    }

    [Fact]
    public void A_value_of_another_form_is_refused()
    {
        Assert.Throws<ArgumentException>(() => Writer.Write(PropertyId.CorrelationData, "text"));
        Assert.Throws<ArgumentException>(() => Writer.Write(PropertyId.UserProperty, "text"));
        Assert.Throws<ArgumentException>(() => Writer.Write(PropertyId.ContentType, [1]));
        Assert.Throws<ArgumentException>(() => Writer.Write(PropertyId.TopicAlias, [1]));
        Assert.Throws<ArgumentNullException>(() => Writer.Write(PropertyId.ContentType, (string)null!));
        Assert.Throws<ArgumentNullException>(() => new PropertyWriter(null!));
        Assert.Equal(0, _output.WrittenCount);
    }

    [Fact(DisplayName = "[MQTT5-1.5.4-1] [MQTT5-1.5.4-2] A text that MQTT forbids is refused")]
    public void A_text_that_MQTT_forbids_is_refused()
    {
        // No theory: an attribute is UTF-8 and cannot hold half of a surrogate pair.
        foreach (var text in (string[])["a\0b", "\uD800", "\uDC00\uD800", "a\uD83E"])
        {
            Assert.Throws<ArgumentException>(() => Writer.Write(PropertyId.ContentType, text));
            Assert.Throws<ArgumentException>(() => Writer.Write(new UserProperty("k", text)));
            Assert.Throws<ArgumentException>(() => Writer.Write(new UserProperty(text, "v")));
        }

        Assert.Equal(0, _output.WrittenCount);
    }

    [Fact]
    public void A_text_may_have_65535_bytes_and_no_more()
    {
        Writer.Write(PropertyId.ContentType, new string('x', 65535));
        Writer.Write(PropertyId.CorrelationData, new byte[65535]);

        Assert.Throws<ArgumentException>(() => Writer.Write(PropertyId.ContentType, new string('x', 65536)));
        Assert.Throws<ArgumentException>(() => Writer.Write(PropertyId.ContentType, new string('ü', 32768)));
        Assert.Throws<ArgumentException>(() => Writer.Write(PropertyId.CorrelationData, new byte[65536]));
        Assert.Equal(2 * (3 + 65535), _output.WrittenCount);
    }

    [Fact(DisplayName = "[MQTT5-3.3.2-14] A response topic with a wildcard is refused")]
    public void A_response_topic_with_a_wildcard_is_refused()
    {
        Assert.Throws<ArgumentException>(() => Writer.Write(PropertyId.ResponseTopic, "a/+"));
        Assert.Throws<ArgumentException>(() => Writer.Write(PropertyId.ResponseTopic, ""));
        Writer.Write(PropertyId.ResponseTopic, "a");
        Assert.Equal(4, _output.WrittenCount);
    }
}
