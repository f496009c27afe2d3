using System.Text.RegularExpressions;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Cli.Tests.Commands;

public sealed partial class BrokerCommandTests
{
    [Fact]
    public async Task It_says_where_it_listens_and_runs_until_stopped()
    {
        using var run = new ToolRun("broker -p 0 -u joe -P secret");
        await run.WaitForErrorAsync("Ctrl-C");
        var port = Port().Match(run.Error).Value;

        Assert.Equal(0, (await ToolRun.ToEndAsync($"pub -p {port} -u joe -P secret -t a -m x -q 1")).ExitCode);
        Assert.Equal(134, (await ToolRun.ToEndAsync($"pub -p {port} -u joe -P other -t a -m x -q 1")).ExitCode);
        run.Stop();

        Assert.Equal(ExitCode.Interrupted, await run.ExitCodeAsync());
        Assert.Contains("for development", run.Error, StringComparison.Ordinal);
        Assert.Empty(run.Output);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_said()
    {
        await using var broker = new MqttTestBroker();

        var (exitCode, _, error) = await ToolRun.ToEndAsync($"broker -p {broker.Port}");

        Assert.Equal(ExitCode.Usage, exitCode);
        Assert.Contains($"port {broker.Port}", error, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"(?<=mqtt://127\.0\.0\.1:)\d+")]
    private static partial Regex Port();
}
