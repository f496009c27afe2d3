using System.Diagnostics;
using System.Globalization;
using Nightjar.Bench.Peer;
using Xunit;

namespace Nightjar.Tests.Allocation;

/// <summary>
/// Each case is a child process that talks to a peer in a third process, so that what it counts is the client's alone. Over 100,000 messages; what
/// is left below one byte per message is the thread pool's and the test's own.
/// </summary>
public sealed class AllocationTests
{
    private const double LimitPerMessage = 1;

    // It takes a second or three; only a message that never arrives takes longer.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Theory]
    [InlineData("publish-qos0")]
    [InlineData("publish-qos1")]
    [InlineData("publish-qos1-w100")]
    [InlineData("receive-qos0")]
    [InlineData("receive-qos1")]
    public async Task Steady_state_allocates_nothing_per_message(string workload)
    {
        var proof = Path.Combine(AppContext.BaseDirectory, "Nightjar.AllocationProof.dll");
        var start = new ProcessStartInfo(PeerProcess.DotNetHost, ["exec", proof, workload])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        using var process = Process.Start(start)!;
        using var deadline = new CancellationTokenSource(Patience);
        string output;
        string errors;
        try
        {
            var reading = process.StandardError.ReadToEndAsync(deadline.Token);
            output = await process.StandardOutput.ReadToEndAsync(deadline.Token);
            errors = await reading;
            await process.WaitForExitAsync(deadline.Token);
        }
        finally
        {
            // The peer ends by itself when its parent is gone.
            process.Kill();
        }

        Assert.True(process.ExitCode == 0, errors);
        var bytesPerMessage = double.Parse(output, CultureInfo.InvariantCulture);
        Assert.True(bytesPerMessage < LimitPerMessage, $"{bytesPerMessage} bytes per message");
    }
}
