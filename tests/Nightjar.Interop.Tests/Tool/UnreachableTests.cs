using System.Globalization;
using Nightjar.Interop.Tests.Processes;
using Xunit;

namespace Nightjar.Interop.Tests.Tool;

public sealed class UnreachableTests
{
    [Fact]
    public async Task A_closed_port_is_named()
    {
        var port = LoopbackPort.FindFree().ToString(CultureInfo.InvariantCulture);

        AssertNames(await CommandLineClient.Nightjar.PublishAsync(["-h", "127.0.0.1", "-p", port, "-t", "a", "-m", "b"]), $"127.0.0.1:{port}");

        await using var subscriber = CommandLineClient.Nightjar.StartSubscriber("-h", "127.0.0.1", "-p", port, "-t", "a");
        AssertNames(await subscriber.ExitAsync(), $"127.0.0.1:{port}");
    }

    [Fact]
    public async Task An_unknown_host_is_named() =>
        AssertNames(await CommandLineClient.Nightjar.PublishAsync(["-h", "no-such-host.invalid", "-t", "a", "-m", "b"]), "no-such-host.invalid");

    private static void AssertNames(Exit ended, string server)
    {
        Assert.NotEqual(0, ended.Code);
        Assert.Empty(ended.Output);
        Assert.Contains(server, ended.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", ended.Errors, StringComparison.Ordinal);
    }
}
