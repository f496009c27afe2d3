using Nightjar.Cli.Tests.Commands;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Cli.Tests;

public sealed class FlagWordsTests
{
    [Fact]
    public async Task Advice_names_flags_and_not_options()
    {
        await using var broker = new MqttTestBroker(new MqttTestBrokerOptions { Users = { ["joe"] = "secret" } });

        var (_, _, error) = await ToolRun.ToEndAsync($"pub -p {broker.Port} -t a -m x");

        Assert.Contains("No user name was given; give -u and -P.", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Other_words_stay() => Assert.Equal("as it is", FlagWords.Translate("as it is"));
}
