using Nightjar.Protocol.Session;
using Xunit;

namespace Nightjar.Protocol.Tests.Session;

public sealed class TopicAliasTests
{
    [Fact(DisplayName = "[MQTT5-3.3.2-12] An inbound alias stands for the topic that it came with, until it comes with another")]
    public void An_inbound_alias_stands_for_its_last_topic()
    {
        var aliases = new InboundAliases(maximum: 2);

        Assert.Equal("a"u8, aliases.Resolve(2, "a"u8)!);
        Assert.Equal("a"u8, aliases.Resolve(2, default)!);
        Assert.Equal("b"u8, aliases.Resolve(2, "b"u8)!);
        Assert.Equal("b"u8, aliases.Resolve(2, default)!);
    }

    [Theory(DisplayName = "[MQTT5-3.3.2-9] An inbound alias of 0, above the maximum, or without a topic is a violation")]
    [InlineData(0, 2)]
    [InlineData(3, 2)]
    [InlineData(1, 0)]
    [InlineData(1, 2)]
    public void An_illegal_inbound_alias_is_refused(ushort alias, int maximum)
    {
        Assert.Null(new InboundAliases(maximum).Resolve(alias, alias == 1 && maximum == 2 ? default : "a"u8));
    }

    [Fact]
    public void The_same_topic_again_allocates_nothing()
    {
        var aliases = new InboundAliases(1);
        var first = aliases.Resolve(1, "a/b"u8);

        Assert.Same(first, aliases.Resolve(1, "a/b"u8));
    }

    [Fact]
    public void An_outbound_alias_is_known_only_once_it_is_committed()
    {
        var aliases = new OutboundAliases(2);

        Assert.Equal(1, aliases.Find("a"u8, out var known));
        Assert.False(known);
        Assert.Equal(1, aliases.Find("b"u8, out known));
        Assert.False(known);

        aliases.Commit(1, "b"u8);
        Assert.Equal(1, aliases.Find("b"u8, out known));
        Assert.True(known);
        Assert.Equal(2, aliases.Find("a"u8, out known));
        Assert.False(known);
    }

    [Fact]
    public void The_topic_unused_for_longest_loses_its_alias()
    {
        var aliases = new OutboundAliases(3);
        foreach (var topic in new[] { "a", "b", "c" })
        {
            Use(aliases, topic);
        }

        Use(aliases, "a");

        Assert.Equal((2, false), Use(aliases, "d"));
        Assert.Equal((1, true), Use(aliases, "a"));
        Assert.Equal((3, true), Use(aliases, "c"));
        Assert.Equal((2, true), Use(aliases, "d"));
        Assert.Equal((1, false), Use(aliases, "b"));
    }

    [Fact]
    public void One_alias_alone_changes_hands()
    {
        var aliases = new OutboundAliases(1);

        Assert.Equal((1, false), Use(aliases, "a"));
        Assert.Equal((1, true), Use(aliases, "a"));
        Assert.Equal((1, false), Use(aliases, "b"));
        Assert.Equal((1, false), Use(aliases, "a"));
    }

    [Fact]
    public void Aliases_that_the_application_chose_do_not_disturb_ours()
    {
        var aliases = new OutboundAliases(3);

        aliases.Commit(2, "chosen"u8);
        aliases.Commit(9, "beyond"u8);

        Assert.Equal((2, true), Use(aliases, "chosen"));
        Assert.Equal((1, false), Use(aliases, "a"));
        Assert.Equal((3, false), Use(aliases, "b"));
        Assert.Equal((2, false), Use(aliases, "beyond"));
        Assert.Equal((1, true), Use(aliases, "a"));
    }

    /// <summary>The model: what a server would know, given every use.</summary>
    [Fact]
    public void A_known_alias_always_means_what_the_server_believes()
    {
        var random = new Random(42);
        for (var round = 0; round < 200; round++)
        {
            var size = random.Next(1, 6);
            var aliases = new OutboundAliases(size);
            var server = new Dictionary<ushort, string>();
            for (var i = 0; i < 200; i++)
            {
                var topic = $"t{random.Next(8)}";
                if (random.Next(10) == 0)
                {
                    var own = (ushort)random.Next(1, size + 3);
                    aliases.Commit(own, System.Text.Encoding.UTF8.GetBytes(topic));
                    server[own] = topic;
                    continue;
                }

                var (alias, known) = Use(aliases, topic);
                Assert.InRange(alias, 1, size);
                Assert.True(!known || server[(ushort)alias] == topic);
                server[(ushort)alias] = topic;
            }
        }
    }

    private static (int Alias, bool Known) Use(OutboundAliases aliases, string topic)
    {
        var utf8 = System.Text.Encoding.UTF8.GetBytes(topic);
        var alias = aliases.Find(utf8, out var known);
        if (!known)
        {
            aliases.Commit(alias, utf8);
        }

        return (alias, known);
    }
}
