using Nightjar.Cli.CommandLine;
using Xunit;

namespace Nightjar.Cli.Tests.CommandLine;

public sealed class SubSettingsTests
{
    [Fact]
    public void The_defaults_are_those_of_mosquitto_sub()
    {
        var settings = Read("-t", "a");

        Assert.Null(settings.Count);
        Assert.Null(settings.Timeout);
        Assert.Equal(100, settings.RandomFilter);
        Assert.Equal(new SubscribeOptions { QoS = QoS.AtMostOnce }, settings.ToSubscribeOptions() with { UserProperties = new SubscribeOptions().UserProperties });
    }

    [Fact]
    public void Topics_repeat_and_a_format_may_stand_between_them()
    {
        var settings = Read("-F", "%t", "-t", "a/#", "-t", "b", "-L", "mqtt://h:1/c");

        Assert.Equal(["a/#", "b", "c"], settings.Filters.Select(filter => filter.Text));
        Assert.Equal(("h", 1), (settings.Host, settings.Port));
    }

    [Fact]
    public void Limits_are_counts_and_seconds()
    {
        var settings = Read("-t", "a", "-C", "3", "-W", "1.5", "-E", "--random-filter", "12.5");

        Assert.Equal(3, settings.Count);
        Assert.Equal(TimeSpan.FromSeconds(1.5), settings.Timeout);
        Assert.True(settings.ExitAfterSubscribing);
        Assert.Equal(12.5, settings.RandomFilter);
    }

    [Fact]
    public void Filtering_out_follows_the_rules_of_filters()
    {
        var settings = Read("-t", "#", "-T", "a/+", "-T", "b/#");

        Assert.True(settings.FiltersOut("a/x"));
        Assert.True(settings.FiltersOut("b"));
        Assert.False(settings.FiltersOut("a/x/y"));
    }

    [Fact]
    public void Leaving_out_retained_messages_asks_the_broker_not_to_send_them()
    {
        Assert.Equal(RetainHandling.DoNotSend, Read("-t", "a", "-R").ToSubscribeOptions().RetainHandling);
        Assert.Equal(RetainHandling.SendAtSubscribe, Read("-t", "a", "-R", "--remove-retained").ToSubscribeOptions().RetainHandling);
    }

    [Fact]
    public void Subscribing_takes_QoS_and_properties()
    {
        var options = Read("-t", "a", "-q", "2", "--retain-as-published", "-D", "subscribe", "subscription-identifier", "7", "-D", "subscribe", "user-property", "k", "v")
            .ToSubscribeOptions();

        Assert.Equal((QoS.ExactlyOnce, true, 7u), (options.QoS, options.RetainAsPublished, options.SubscriptionIdentifier));
        Assert.Equal([new UserProperty("k", "v")], options.UserProperties);
    }

    [Theory]
    [InlineData(true, false, true)]
    [InlineData(true, true, false)]
    [InlineData(false, false, false)]
    public void Control_characters_are_escaped_on_a_terminal_unless_raw(bool terminal, bool raw, bool expected)
    {
        var invocation = new Invocation { Input = Stream.Null, Output = Stream.Null, Error = TextWriter.Null, OutputIsTerminal = terminal };

        Assert.Equal(expected, Read(raw ? ["-t", "a", "--raw"] : ["-t", "a"]).ToPrintOptions(invocation).ForTerminal);
    }

    [Theory]
    [InlineData("You must specify a topic to subscribe to.")]
    [InlineData("You must specify a topic to subscribe to.", "-U", "x")]
    [InlineData("Combining '-R' and '--retained-only' makes no sense.", "-t", "a", "-R", "--retained-only")]
    [InlineData("-C takes a whole number from 1, not '0'.", "-t", "a", "-C", "0")]
    [InlineData("-W takes a number from 0.001 to 2147483647, not '0'.", "-t", "a", "-W", "0")]
    [InlineData("--random-filter takes a number from 0.1 to 100, not '101'.", "--random-filter", "101")]
    [InlineData("Invalid format specifier 'k'.", "-t", "a", "-F", "%k")]
    [InlineData("Unknown option '-m'.", "-m", "x")]
    public void What_does_not_fit_is_said(string message, params string[] arguments) =>
        Assert.Equal(message, Assert.Throws<UsageException>(() => Read(arguments)).Message);

    [Theory]
    [InlineData("a/#/b")]
    [InlineData("a+")]
    public void A_filter_with_misplaced_wildcards_is_refused(string filter)
    {
        Assert.StartsWith($"-t: invalid filter '{filter}'", Assert.Throws<UsageException>(() => Read("-t", filter)).Message, StringComparison.Ordinal);
        Assert.StartsWith($"-T: invalid filter '{filter}'", Assert.Throws<UsageException>(() => Read("-T", filter)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_help_page_names_every_flag_and_every_conversion()
    {
        var page = new SubSettings().HelpText();

        Assert.All(
            "-h -p -t -q -C -W -E -F -v -N -R -T -U --retained-only --remove-retained --retain-as-published --random-filter --pretty --raw".Split(' '),
            flag => Assert.Matches($@"(?m)^ +(-\w, )?{flag}\b", page));
        Assert.All("tpxXlqrmjJIUACDEFPRS%", letter => Assert.Contains($"%{letter} ", page, StringComparison.Ordinal));
        Assert.Contains("27       -W expired", page, StringComparison.Ordinal);
    }

    private static SubSettings Read(params string[] arguments)
    {
        var settings = new SubSettings();
        settings.Read(arguments);
        return settings;
    }
}
