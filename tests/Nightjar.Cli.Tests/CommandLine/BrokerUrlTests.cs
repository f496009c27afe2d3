using Nightjar.Cli.CommandLine;
using Xunit;

namespace Nightjar.Cli.Tests.CommandLine;

public sealed class BrokerUrlTests
{
    [Theory]
    [InlineData("mqtt://h/t", false, null, null, "h", null, "t")]
    [InlineData("MQTTS://h:1/a/#", true, null, null, "h", 1, "a/#")]
    [InlineData("mqtt://joe@h/a?b", false, "joe", null, "h", null, "a?b")]
    [InlineData("mqtt://joe:p%40ss:w@h:1884//a", false, "joe", "p@ss:w", "h", 1884, "/a")]
    [InlineData("mqtt://joe:p@ss@h/a", false, "joe", "p@ss", "h", null, "a")]
    [InlineData("mqtt://joe:@h/a@b", false, "joe", "", "h", null, "a@b")]
    [InlineData("mqtt://[::1]:1884/t", false, null, null, "::1", 1884, "t")]
    [InlineData("mqtt://[::1]/t", false, null, null, "::1", null, "t")]
    public void A_URL_is_taken_apart(string url, bool tls, string? user, string? password, string host, int? port, string topic) =>
        Assert.Equal(new BrokerUrl(tls, user, password, host, port, topic), BrokerUrl.Parse(url));

    [Theory]
    [InlineData("localhost", "-L takes a URL")]
    [InlineData("http://h/t", "unsupported URL scheme 'http'")]
    [InlineData("mqtt://h", "topic missing")]
    [InlineData("mqtt://h/", "topic missing")]
    [InlineData("mqtt:///t", "names no host")]
    [InlineData("mqtt://h:x/t", "takes a whole number from 1 to 65535, not 'x'")]
    [InlineData("mqtt://h:0/t", "takes a whole number from 1 to 65535, not '0'")]
    public void What_is_wrong_with_a_URL_is_said(string url, string message) =>
        Assert.Contains(message, Assert.Throws<UsageException>(() => BrokerUrl.Parse(url)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_password_is_not_in_the_message()
    {
        var error = Assert.Throws<UsageException>(() => BrokerUrl.Parse("mqtt://joe:secret@h"));

        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
    }
}
