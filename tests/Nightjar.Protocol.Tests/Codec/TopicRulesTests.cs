using Nightjar.Protocol.Codec;
using Xunit;

namespace Nightjar.Protocol.Tests.Codec;

public sealed class TopicRulesTests
{
    [Theory]
    [InlineData('\0')]
    [InlineData('+')]
    [InlineData('#')]
    [InlineData((char)0x80)]
    [InlineData((char)0xFF)]
    public void A_suspect_is_found_at_any_place_of_any_length(char suspect)
    {
        for (var length = 1; length <= 70; length++)
        {
            for (var place = 0; place < length; place++)
            {
                var text = Enumerable.Repeat((byte)'a', length).ToArray();
                text[place] = (byte)suspect;

                Assert.False(TopicRules.IsPlain(text));
            }
        }
    }

    [Fact]
    public void All_other_bytes_are_plain_at_any_length()
    {
        var plain = Enumerable.Range(1, 127).Where(value => value is not ('+' or '#')).Select(value => (byte)value).ToArray();

        for (var length = 0; length <= plain.Length; length++)
        {
            Assert.True(TopicRules.IsPlain(plain.AsSpan(0, length)));
            Assert.True(TopicRules.IsPlain(plain.AsSpan(plain.Length - length)));
        }
    }

    [Theory]
    [InlineData("#")]
    [InlineData("+")]
    [InlineData("/")]
    [InlineData("a/b/#")]
    [InlineData("+/+/#")]
    [InlineData("/+")]
    [InlineData("ä/+/ö")]
    [InlineData("$share/g/#")]
    [InlineData("$share/ä/+")]
    [InlineData("$shared")]
    [InlineData("$SYS/#")]
    public void A_filter_may_have_its_wildcards_alone_in_their_levels(string filter)
    {
        Assert.Null(TopicRules.CheckFilter(Wire.Bytes($"={filter}="), MqttVersion.Mqtt5));
        Assert.Null(TopicRules.CheckFilter(Wire.Bytes($"={filter}="), MqttVersion.Mqtt311));
    }
}
