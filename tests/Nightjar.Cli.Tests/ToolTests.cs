using Nightjar.Cli.Tests.Commands;
using Xunit;

namespace Nightjar.Cli.Tests;

public sealed class ToolTests
{
    [Theory]
    [InlineData("--help", "Exit status:")]
    [InlineData("help", "Exit status:")]
    [InlineData("-h", "Exit status:")]
    [InlineData("pub --help", "usage: nightjar pub")]
    [InlineData("sub --help", "usage: nightjar sub")]
    [InlineData("broker --help", "usage: nightjar broker")]
    [InlineData("demo --help", "usage: nightjar demo")]
    [InlineData("session show --help", "usage: nightjar session show DIR")]
    [InlineData("session verify --help", "usage: nightjar session verify DIR")]
    [InlineData("session drain --help", "usage: nightjar session drain DIR")]
    [InlineData("--version", "nightjar 0.")]
    [InlineData("sub --version", "nightjar 0.")]
    public async Task Help_and_version_go_to_standard_output(string commandLine, string expected)
    {
        var (exitCode, output, error) = await ToolRun.ToEndAsync(commandLine);

        Assert.Equal((0, ""), (exitCode, error));
        Assert.Contains(expected, output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pub -zzz", "Error: Unknown option '-zzz'.", "Use 'nightjar pub --help' to see usage.")]
    [InlineData("sub -t", "Error: -t argument given but no FILTER specified.", "Use 'nightjar sub --help' to see usage.")]
    [InlineData("frob", "Error: Unknown verb 'frob'.", "Use 'nightjar --help' to see usage.")]
    [InlineData("pub --quiet -zzz", "Error: Unknown option '-zzz'.", "Use 'nightjar pub --help' to see usage.")]
    public async Task A_command_line_that_cannot_be_used_is_said_even_with_quiet(string commandLine, string said, string help)
    {
        var (exitCode, output, error) = await ToolRun.ToEndAsync(commandLine);

        Assert.Equal((ExitCode.Usage, ""), (exitCode, output));
        Assert.Equal($"{said}\n\n{help}\n", error.ReplaceLineEndings("\n"));
    }

    [Fact]
    public async Task Without_a_verb_the_overview_goes_to_standard_error()
    {
        using var run = new ToolRun(Array.Empty<string>());

        Assert.Equal(ExitCode.Usage, await run.ExitCodeAsync());
        Assert.Empty(run.Output);
        Assert.Contains("usage: nightjar pub", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void No_line_of_help_is_wider_than_a_wide_terminal()
    {
        var pages = new Cli.CommandLine.VerbSettings[] { new Cli.CommandLine.PubSettings(), new Cli.CommandLine.SubSettings(), new Cli.CommandLine.BrokerSettings(), new Cli.CommandLine.DemoSettings(), new Cli.CommandLine.SessionShowSettings(), new Cli.CommandLine.SessionVerifySettings(), new Cli.CommandLine.SessionDrainSettings() };

        Assert.All(pages.SelectMany(page => page.HelpText().Split('\n')), line => Assert.InRange(line.Length, 0, 150));
    }
}
