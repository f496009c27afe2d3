using Nightjar.Testing;
using Xunit;

namespace Nightjar.Cli.Tests.Commands;

public sealed class DemoCommandTests
{
    [Fact]
    public async Task It_needs_nothing_and_ends_by_itself()
    {
        using var run = new ToolRun("demo", clock: new FastClock());

        Assert.Equal(0, await run.ExitCodeAsync());
        Assert.Contains("12 readings published and acknowledged, 12 received.", run.Output, StringComparison.Ordinal);
        Assert.Equal(4, run.Output.Split('\n').Count(line => line.StartsWith("  kitchen", StringComparison.Ordinal)));
        Assert.Empty(run.Error);
    }

    [Fact]
    public async Task It_uses_the_broker_that_it_is_given()
    {
        await using var broker = new MqttTestBroker();
        using var run = new ToolRun($"demo -p {broker.Port}", clock: new FastClock());

        Assert.Equal(0, await run.ExitCodeAsync());
        Assert.Equal(12, broker.Published.Count);
    }

    [Fact]
    public async Task A_broker_that_is_not_there_is_an_error()
    {
        var (exitCode, _, error) = await ToolRun.ToEndAsync("demo -p 1");

        Assert.Equal(ExitCode.CannotConnect, exitCode);
        Assert.Contains("Cannot connect", error, StringComparison.Ordinal);
    }
}
