using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Nightjar.Protocol.Topics;
using Xunit;

namespace Nightjar.Protocol.Tests.Topics;

/// <summary>The trie, the filter and a plain reading of the specification agree on random topics and filters.</summary>
public sealed class TopicPropertyTests
{
    // Few names, so that filters and topics meet; lengths on both sides of the hash's eight-byte steps.
    private static readonly Gen<string> Name =
        Gen.Elements("", "a", "b", "$a", "é", "1234567", "12345678", "123456789", "kitchen-temperature", "kitchen-temperaturf");

    private static readonly Gen<string> Topic = Gen.Choose(1, 5).SelectMany(levels => Name.ListOf(levels)).Select(Join).Where(topic => topic.Length > 0);

    private static readonly Gen<string> Filter =
        from levels in Gen.Choose(1, 5)
        from names in Gen.Frequency((3, Name), (2, Gen.Constant("+"))).ListOf(levels)
        from hash in Gen.Frequency((2, Gen.Constant(false)), (1, Gen.Constant(true)))
        from shared in Gen.Frequency((4, Gen.Constant("")), (1, Gen.Constant("$share/group/")))
        let pattern = hash ? Join(names.Take(levels - 1).Append("#")) : Join(names)
        where pattern.Length > 0
        select shared + pattern;

    [Fact]
    public void A_filter_agrees_with_the_specification() =>
        Prop.ForAll(Filter.ToArbitrary(), Topic.ToArbitrary(), (filter, topic) =>
        {
            var parsed = TopicFilter.Parse(filter);
            var expected = Oracle(parsed.Pattern, topic);
            return parsed.Matches(topic) == expected && parsed.Matches(Encoding.UTF8.GetBytes(topic)) == expected;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(5000));

    [Fact]
    public void The_trie_agrees_with_its_filters_while_filters_come_and_go()
    {
        var steps = from add in Gen.Frequency((2, Gen.Constant(true)), (1, Gen.Constant(false)))
                    from filter in Filter
                    from value in Gen.Choose(0, 2)
                    select (add, filter, value);
        var cases = from history in steps.ListOf()
                    from topics in Topic.NonEmptyListOf()
                    select (history, topics);

        Prop.ForAll(cases.ToArbitrary(), random =>
        {
            var trie = new TopicTrie<int>();
            var model = new List<(string Pattern, int Value)>();
            foreach (var (add, text, value) in random.history)
            {
                var filter = TopicFilter.Parse(text);
                if (add)
                {
                    trie.Add(filter, value);
                    model.Add((filter.Pattern, value));
                }
                else if (trie.Remove(filter, value) != model.Remove((filter.Pattern, value)))
                {
                    return false;
                }
            }

            return trie.Count == model.Count && random.topics.All(topic =>
            {
                var matches = new List<int>();
                trie.Match(Encoding.UTF8.GetBytes(topic), matches);
                return matches.Order().SequenceEqual(model.Where(pair => Oracle(pair.Pattern, topic)).Select(pair => pair.Value).Order());
            });
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));
    }

    private static string Join(IEnumerable<string> levels) => string.Join('/', levels);

    private static bool Oracle(string pattern, string topic) =>
        !(topic[0] == '$' && pattern[0] is ('+' or '#')) && Oracle(pattern.Split('/'), topic.Split('/'));

    private static bool Oracle(string[] pattern, string[] topic) => (pattern, topic) switch
    {
        (["#"], _) => true,
        ([], []) => true,
        ([], _) or (_, []) => false,
        (["+", .. var more], [_, .. var rest]) => Oracle(more, rest),
        ([var name, .. var more], [var level, .. var rest]) => name == level && Oracle(more, rest),
    };
}
