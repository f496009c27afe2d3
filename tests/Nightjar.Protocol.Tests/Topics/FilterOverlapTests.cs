using Nightjar.Protocol.Topics;
using Xunit;

namespace Nightjar.Protocol.Tests.Topics;

/// <summary>Filters against filters: which of them share a topic, and which lie within another.</summary>
public sealed class FilterOverlapTests
{
    private static readonly string[] Levels = ["a", "b", "", "$x"];

    [Fact]
    public void Overlapping_finds_exactly_the_filters_that_share_a_topic()
    {
        var topics = Topics().ToList();
        var filters = Filters().ToList();
        var trie = new TopicTrie<TopicFilter>();
        filters.ForEach(filter => trie.Add(filter, filter));

        foreach (var filter in filters)
        {
            var found = new List<TopicFilter>();
            trie.Overlapping(filter, found);

            var mine = topics.Where(filter.Matches).ToHashSet();
            Assert.Equal(filters.Where(other => topics.Exists(topic => mine.Contains(topic) && other.Matches(topic))).Select(f => f.Text).Order(), found.Select(f => f.Text).Order());
        }
    }

    [Fact]
    public void A_filter_covers_exactly_those_whose_topics_it_all_matches()
    {
        var topics = Topics().ToList();
        var filters = Filters().ToList();

        foreach (var scope in filters)
        {
            foreach (var filter in filters)
            {
                var covers = topics.Where(filter.Matches).All(scope.Matches);
                Assert.True(covers == scope.Covers(filter), $"{scope} and {filter}: {covers}");
            }
        }
    }

    [Theory]
    [InlineData("a/1/#", "a/1/x", true)]
    [InlineData("a/1/#", "a/1", true)]
    [InlineData("a/1/#", "a/10/x", false)]
    [InlineData("a/1/#", "a/+/x", false)]
    [InlineData("$share/g/a/#", "a/b", true)]
    public void A_scope_is_compared_level_by_level(string scope, string filter, bool covers) =>
        Assert.Equal(covers, TopicFilter.Parse(scope).Covers(TopicFilter.Parse(filter)));

    // Deep enough to tell '#' from any number of '+', with names that no filter has.
    private static IEnumerable<string> Topics() => Sequences([.. Levels, "other", "$other"], 4).Where(topic => topic.Length > 0);

    private static IEnumerable<TopicFilter> Filters() => Sequences([.. Levels, "+"], 3)
        .SelectMany(text => new[] { text, $"{text}/#" }).Append("#").Where(text => text.Length > 0 && !text.StartsWith("$share", StringComparison.Ordinal)).Distinct().Select(TopicFilter.Parse)
        .Where((_, i) => i % 3 != 1);

    private static IEnumerable<string> Sequences(string[] levels, int most)
    {
        IEnumerable<string> longest = levels;
        var all = longest;
        for (var i = 1; i < most; i++)
        {
            longest = longest.SelectMany(head => levels.Select(level => $"{head}/{level}")).ToList();
            all = all.Concat(longest);
        }

        return all;
    }
}
