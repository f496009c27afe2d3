using System.Text;
using Nightjar.Protocol.Topics;
using Xunit;

namespace Nightjar.Protocol.Tests.Topics;

public sealed class TopicNameTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("/")]
    [InlineData("a//b")]
    [InlineData("$SYS/broker")]
    [InlineData("home/kitchen temperature/\U0001F426")]
    public void A_name_with_any_levels_is_valid(string topic)
    {
        Assert.Null(TopicName.Validate(topic));
        Assert.True(TopicName.IsValid(Encoding.UTF8.GetBytes(topic)));
    }

    [Theory(DisplayName = "[MQTT5-3.3.2-2] A topic name has no wildcard")]
    [InlineData("a/+/b")]
    [InlineData("a/#")]
    [InlineData("a+")]
    public void A_name_with_a_wildcard_is_refused(string topic)
    {
        Assert.Contains("wildcard", TopicName.Validate(topic), StringComparison.Ordinal);
        Assert.False(TopicName.IsValid(Encoding.UTF8.GetBytes(topic)));
    }

    [Fact(DisplayName = "[MQTT5-4.7.3-1] A topic name has at least one character")]
    public void An_empty_name_is_refused()
    {
        Assert.Contains("empty", TopicName.Validate(""), StringComparison.Ordinal);
        Assert.False(TopicName.IsValid([]));
    }

    [Fact(DisplayName = "[MQTT5-4.7.3-2] A topic name has no U+0000")]
    public void A_name_with_a_null_character_is_refused()
    {
        Assert.Contains("U+0000 at position 1", TopicName.Validate("a\0b"), StringComparison.Ordinal);
        Assert.False(TopicName.IsValid("a\0b"u8));
    }

    [Fact(DisplayName = "[MQTT5-1.5.4-1] A topic name has no lone surrogate")]
    public void A_name_with_half_a_surrogate_pair_is_refused()
    {
        Assert.Contains("surrogate pair at position 1", TopicName.Validate("a\uD83D"), StringComparison.Ordinal);
        Assert.Contains("surrogate pair at position 0", TopicName.Validate("\uDC26b"), StringComparison.Ordinal);
        Assert.Contains("surrogate pair at position 2", TopicName.Validate("\uD83D\uDC26\uD83Dx"), StringComparison.Ordinal);
    }

    [Fact(DisplayName = "[MQTT5-4.7.3-3] A topic name has at most 65,535 bytes of UTF-8")]
    public void The_length_counts_in_bytes()
    {
        var longest = new string('a', 65_533) + "é";

        Assert.Null(TopicName.Validate(longest));
        Assert.True(TopicName.IsValid(Encoding.UTF8.GetBytes(longest)));
        Assert.Contains("65536 bytes", TopicName.Validate(longest + "a"), StringComparison.Ordinal);
        Assert.False(TopicName.IsValid(Encoding.UTF8.GetBytes(longest + "a")));
    }

    [Fact]
    public void The_exception_names_the_parameter_and_quotes_only_the_start()
    {
        var exception = Assert.Throws<ArgumentException>(() => TopicName.ThrowIfInvalid(new string('a', 70_000), "topic"));

        Assert.Equal("topic", exception.ParamName);
        Assert.True(exception.Message.Length < 300);
        TopicName.ThrowIfInvalid("a/b", "topic");
    }
}
