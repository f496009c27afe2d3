using System.Text;
using Nightjar.Protocol.Topics;
using Xunit;

namespace Nightjar.Protocol.Tests.Topics;

public sealed class TopicTrieTests
{
    private readonly TopicTrie<string> _trie = new();

    [Fact]
    public void Overlapping_filters_are_all_found()
    {
        Add("a/b/c", "a/+/c", "a/b/+", "a/#", "#", "+/+/+", "a/b/c/#", "a/b", "b/#", "a/b/c/+");

        Assert.Equal(["#", "+/+/+", "a/#", "a/+/c", "a/b/+", "a/b/c", "a/b/c/#"], Match("a/b/c"));
    }

    [Fact]
    public void One_value_under_two_filters_comes_twice_and_two_values_under_one_filter_both()
    {
        _trie.Add(TopicFilter.Parse("a/+"), "first");
        _trie.Add(TopicFilter.Parse("a/#"), "first");
        _trie.Add(TopicFilter.Parse("a/+"), "second");

        Assert.Equal(3, _trie.Count);
        Assert.Equal(["first", "first", "second"], Match("a/b"));
    }

    [Fact(DisplayName = "[MQTT5-4.7.2-1] The trie hides a leading $ from a leading wildcard")]
    public void Leading_dollar_is_hidden_from_wildcards()
    {
        Add("#", "+/x", "$SYS/#", "$SYS/+", "$SYS/x");

        Assert.Equal(["$SYS/#", "$SYS/+", "$SYS/x"], Match("$SYS/x"));
        Assert.Equal(["$SYS/#"], Match("$SYS"));
        Assert.Equal(["#", "+/x"], Match("a/x"));
    }

    [Fact]
    public void Empty_levels_are_levels()
    {
        Add("/", "//", "+/+", "/+", "+/", "a//b", "/#");

        Assert.Equal(["+/", "+/+", "/", "/#", "/+"], Match("/"));
        Assert.Equal(["/#", "//"], Match("//"));
        Assert.Equal(["a//b"], Match("a//b"));
    }

    [Fact]
    public void Shared_subscriptions_stand_under_their_pattern()
    {
        Add("$share/g/a/+", "$share/h/a/b");

        Assert.Equal(["$share/g/a/+", "$share/h/a/b"], Match("a/b"));
        Assert.Empty(Match("$share/g/a/b"));
    }

    [Fact]
    public void Matching_appends_to_what_is_there()
    {
        Add("a");
        var matches = new List<string> { "before" };

        _trie.Match("a"u8, matches);
        _trie.Match(""u8, matches);

        Assert.Equal(["before", "a"], matches);
    }

    [Fact]
    public void Removing_takes_one_pair_and_tells_whether_it_was_there()
    {
        _trie.Add(TopicFilter.Parse("a/+"), "x");
        _trie.Add(TopicFilter.Parse("a/+"), "x");

        Assert.False(_trie.Remove(TopicFilter.Parse("a/+"), "y"));
        Assert.False(_trie.Remove(TopicFilter.Parse("a/#"), "x"));
        Assert.False(_trie.Remove(TopicFilter.Parse("a/+/b"), "x"));
        Assert.False(_trie.Remove(default, "x"));
        Assert.True(_trie.Remove(TopicFilter.Parse("a/+"), "x"));
        Assert.Equal(["x"], Match("a/b"));
        Assert.True(_trie.Remove(TopicFilter.Parse("a/+"), "x"));
        Assert.False(_trie.Remove(TopicFilter.Parse("a/+"), "x"));
        Assert.Equal(0, _trie.Count);
        Assert.Empty(Match("a/b"));
    }

    [Fact]
    public void Removing_prunes_the_empty_branch_and_nothing_else()
    {
        var kept = Enumerable.Range(0, 50).Select(i => $"a/{i}").ToArray();
        Add(kept);
        Add("a/7/long/branch/+/#", "a/#");

        Assert.True(_trie.Remove(TopicFilter.Parse("a/7/long/branch/+/#"), "a/7/long/branch/+/#"));
        Assert.True(_trie.Remove(TopicFilter.Parse("a/#"), "a/#"));

        foreach (var topic in kept)
        {
            Assert.Equal([topic], Match(topic));
        }

        Assert.Empty(Match("a/7/long/branch/x"));
    }

    [Fact]
    public void The_default_filter_cannot_be_added() =>
        Assert.Throws<ArgumentException>(() => _trie.Add(default, "x"));

    [Fact]
    public void The_longest_filters_need_no_deep_stack()
    {
        var slashes = new string('/', 65_535);
        var pluses = string.Concat(Enumerable.Repeat("+/", 32_767));
        Add(slashes, pluses, "/" + pluses);

        Assert.Equal([slashes], Match(slashes));
        Assert.Equal([pluses, "/" + pluses], Match(new string('/', 32_767)).Append("/" + pluses));
        Assert.True(_trie.Remove(TopicFilter.Parse(slashes), slashes));
        Assert.Empty(Match(slashes));
    }

    [Fact]
    public void More_open_branches_than_the_buffer_holds_are_all_followed()
    {
        // Every level has both a name and a '+', so each step of the all-names path leaves a branch open.
        var filters = Enumerable.Range(1, 40).Select(levels => string.Join('/', Enumerable.Repeat("a", levels).Append("+"))).ToArray();
        Add(filters);
        Add("+/#");

        Assert.Equal(["+/#", filters[29]], Match(string.Join('/', Enumerable.Repeat("a", 31))));
    }

    [Fact]
    public void Matching_allocates_nothing()
    {
        Add("a/b/c", "a/+/c", "a/#", "+/+/+", "sensors/kitchen/temperature");
        var matches = new List<string>(16);
        _trie.Match("a/b/c"u8, matches);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            matches.Clear();
            _trie.Match("a/b/c"u8, matches);
            _trie.Match("sensors/kitchen/temperature"u8, matches);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private void Add(params string[] filters)
    {
        foreach (var filter in filters)
        {
            _trie.Add(TopicFilter.Parse(filter), filter);
        }
    }

    private List<string> Match(string topic)
    {
        var matches = new List<string>();
        _trie.Match(Encoding.UTF8.GetBytes(topic), matches);
        matches.Sort(StringComparer.Ordinal);
        return matches;
    }
}
