using System.Text;
using Nightjar.Protocol.Topics;
using Xunit;

namespace Nightjar.Protocol.Tests.Topics;

public sealed class TopicFilterTests
{
    [Theory(DisplayName = "[MQTT5-4.7.1-1] # matches the parent and any number of levels")]
    [InlineData("#", "a", true)]
    [InlineData("#", "/", true)]
    [InlineData("#", "a/b/c", true)]
    [InlineData("sport/tennis/player1/#", "sport/tennis/player1", true)]
    [InlineData("sport/tennis/player1/#", "sport/tennis/player1/ranking", true)]
    [InlineData("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true)]
    [InlineData("sport/tennis/player1/#", "sport/tennis/player10", false)]
    [InlineData("sport/#", "sport/", true)]
    [InlineData("sport/#", "sports", false)]
    [InlineData("/#", "/", true)]
    [InlineData("/#", "a", false)]
    [InlineData("+/#", "a", true)]
    [InlineData("a/+/#", "a", false)]
    public void Hash_matches_the_parent_and_all_below(string filter, string topic, bool expected) => Assert.Equal(expected, Matches(filter, topic));

    [Theory(DisplayName = "[MQTT5-4.7.1-2] + matches exactly one level, empty ones too")]
    [InlineData("sport/tennis/+", "sport/tennis/player1", true)]
    [InlineData("sport/tennis/+", "sport/tennis/player1/ranking", false)]
    [InlineData("sport/+", "sport", false)]
    [InlineData("sport/+", "sport/", true)]
    [InlineData("+", "/finance", false)]
    [InlineData("/+", "/finance", true)]
    [InlineData("+/+", "/finance", true)]
    [InlineData("+/+/+", "//", true)]
    [InlineData("+/tennis/#", "sport/tennis/x/y", true)]
    [InlineData("a/+/c", "a//c", true)]
    [InlineData("a/+/c", "a/b/d", false)]
    public void Plus_matches_one_level(string filter, string topic, bool expected) => Assert.Equal(expected, Matches(filter, topic));

    [Theory(DisplayName = "[MQTT5-4.7.2-1] A leading wildcard does not match a leading $")]
    [InlineData("#", "$SYS/uptime", false)]
    [InlineData("+/uptime", "$SYS/uptime", false)]
    [InlineData("+", "$SYS", false)]
    [InlineData("$SYS/#", "$SYS/uptime", true)]
    [InlineData("$SYS/#", "$SYS", true)]
    [InlineData("$SYS/+", "$SYS/uptime", true)]
    [InlineData("a/+", "a/$b", true)]
    [InlineData("a/#", "a/$b/c", true)]
    [InlineData("/#", "/$SYS", true)]
    public void Leading_dollar_is_hidden_from_wildcards(string filter, string topic, bool expected) => Assert.Equal(expected, Matches(filter, topic));

    [Theory(DisplayName = "[MQTT5-4.7.3-4] Levels are compared byte by byte; case, spaces and empty levels count")]
    [InlineData("a/b", "a/b", true)]
    [InlineData("A/b", "a/b", false)]
    [InlineData("a /b", "a/b", false)]
    [InlineData("/a", "a", false)]
    [InlineData("a/", "a", false)]
    [InlineData("a//b", "a/b", false)]
    [InlineData("a", "a/b", false)]
    [InlineData("é/\U0001F426", "é/\U0001F426", true)]
    [InlineData("e\u0301", "é", false)]
    public void Names_are_compared_exactly(string filter, string topic, bool expected) => Assert.Equal(expected, Matches(filter, topic));

    [Theory]
    [InlineData("a+", "'+' beside other characters")]
    [InlineData("+a/b", "'+' beside other characters")]
    [InlineData("a/b#", "'#' beside other characters")]
    [InlineData("a/++/b", "'+' beside other characters")]
    [InlineData("+#", "'+' beside other characters")]
    [InlineData("sport/tennis/#/ranking", "goes on behind '#'")]
    [InlineData("#/", "goes on behind '#'")]
    [InlineData("", "empty")]
    [InlineData("a\0", "U+0000")]
    public void A_filter_against_the_rules_is_refused(string text, string expected)
    {
        Assert.False(TopicFilter.TryParse(text, out var filter, out var error));

        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.Equal(default, filter);
        Assert.Equal("filter", Assert.Throws<ArgumentException>(() => TopicFilter.Parse(text)).ParamName);
    }

    [Fact(DisplayName = "[MQTT5-1.5.4-1] A topic filter has no lone surrogate")]
    public void A_filter_with_half_a_surrogate_pair_is_refused()
    {
        Assert.False(TopicFilter.TryParse("a/\uD800/+", out _, out var error));
        Assert.Contains("surrogate pair at position 2", error, StringComparison.Ordinal);
    }

    [Fact(DisplayName = "[MQTT5-4.7.3-3] A filter has at most 65,535 bytes of UTF-8, its share name included")]
    public void The_length_counts_in_bytes()
    {
        var longest = "$share/g/" + new string('a', 65_524) + "é";

        Assert.True(TopicFilter.TryParse(longest, out _, out _));
        Assert.False(TopicFilter.TryParse(longest + "a", out _, out var error));
        Assert.Contains("65536 bytes", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("$share/group/a/+/#", "group", "a/+/#")]
    [InlineData("$share/g/#", "g", "#")]
    [InlineData("$share/g//", "g", "/")]
    [InlineData("$share/$g/$SYS/x", "$g", "$SYS/x")]
    public void A_shared_subscription_is_taken_apart(string text, string shareName, string pattern)
    {
        var filter = TopicFilter.Parse(text);

        Assert.True(filter.IsShared);
        Assert.Equal(shareName, filter.ShareName);
        Assert.Equal(pattern, filter.Pattern);
        Assert.Equal(text, filter.Text);
        Assert.Equal(text, filter.ToString());
    }

    [Theory(DisplayName = "[MQTT5-4.8.2-1] [MQTT5-4.8.2-2] A share name is not empty, has no wildcard, and a filter behind it")]
    [InlineData("$share/", "no filter behind")]
    [InlineData("$share/g", "no filter behind")]
    [InlineData("$share/g/", "no filter behind")]
    [InlineData("$share//a", "empty share name")]
    [InlineData("$share/g+/a", "'+' in its share name")]
    [InlineData("$share/+/a", "'+' in its share name")]
    [InlineData("$share/#/a", "'#' in its share name")]
    [InlineData("$share/g/a#", "'#' beside other characters")]
    public void A_malformed_shared_subscription_is_refused(string text, string expected)
    {
        Assert.False(TopicFilter.TryParse(text, out _, out var error));
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("$share/g/#", "a/b", true)]
    [InlineData("$share/g/#", "$share/g/a", false)]
    [InlineData("$share/g/a", "a", true)]
    [InlineData("$share", "$share", true)]
    [InlineData("$SHARE/g/a", "$SHARE/g/a", true)]
    public void A_shared_subscription_matches_by_its_pattern(string filter, string topic, bool expected) => Assert.Equal(expected, Matches(filter, topic));

    [Theory]
    [InlineData("a/b", false)]
    [InlineData("a/+", true)]
    [InlineData("$share/g/#", true)]
    [InlineData("$share/g/a", false)]
    public void Wildcards_are_seen(string text, bool expected) => Assert.Equal(expected, TopicFilter.Parse(text).HasWildcards);

    [Fact]
    public void Equality_is_by_text()
    {
        var filter = TopicFilter.Parse("a/+");

        Assert.True(filter == TopicFilter.Parse("a/+"));
        Assert.Equal(filter.GetHashCode(), TopicFilter.Parse("a/+").GetHashCode());
        Assert.True(filter != TopicFilter.Parse("$share/g/a/+"));
        Assert.False(filter.Equals((object)"a/+"));
    }

    [Fact]
    public void The_default_value_matches_nothing()
    {
        Assert.Equal("", default(TopicFilter).Text);
        Assert.False(default(TopicFilter).Matches("a"));
        Assert.False(default(TopicFilter).Matches(""));
        Assert.False(TopicFilter.Parse("#").Matches(""));
    }

    /// <summary>As text and as bytes, which must agree.</summary>
    private static bool Matches(string filter, string topic)
    {
        var parsed = TopicFilter.Parse(filter);
        var matches = parsed.Matches(topic);

        Assert.Equal(matches, parsed.Matches(Encoding.UTF8.GetBytes(topic)));
        return matches;
    }
}
