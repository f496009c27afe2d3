using System.Net.Sockets;
using Nightjar.Cli.CommandLine;
using Nightjar.Testing;

namespace Nightjar.Cli.Commands;

/// <summary><c>nightjar broker</c>: runs the development broker until it is stopped.</summary>
internal sealed class BrokerCommand(BrokerSettings settings, Invocation invocation, Diagnostics diagnostics)
{
    /// <summary>Ends by cancellation. Throws <see cref="UsageException"/> if the port is not to be had.</summary>
    public async Task<int> RunAsync(CancellationToken stop)
    {
        await using var broker = Start();
        if (!settings.Quiet)
        {
            diagnostics.Plain($"A broker for development listens on {broker.Uri}: everything is in memory, and gone when it ends. Ctrl-C ends it.");
        }

        await Task.Delay(Timeout.InfiniteTimeSpan, invocation.Clock, stop);
        return ExitCode.Success;
    }

    private MqttTestBroker Start()
    {
        var options = settings.ToOptions(invocation);
        try
        {
            return new MqttTestBroker(options);
        }
        catch (SocketException error)
        {
            throw new UsageException($"Cannot listen on {options.Address}, port {options.Port}: {error.Message}. Choose another port with -p.", error);
        }
    }
}
