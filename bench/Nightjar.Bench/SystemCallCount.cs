using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Nightjar.Bench.Peer;

namespace Nightjar.Bench;

/// <summary>System calls per message.</summary>
/// <param name="PerMessage">All of them.</param>
/// <param name="ByName">The same by call, most frequent first.</param>
internal sealed record SystemCallCount(double PerMessage, IReadOnlyList<KeyValuePair<string, double>> ByName)
{
    // What an idle thread of the runtime's pool calls while it spins for work.
    private const string Yield = "sched_yield";

    private const int PipelinedMessages = 400_000;
    private const int LatencyMessages = 4_000;

    /// <summary>
    /// Without the thread pool's <c>sched_yield</c>: that is what idle threads do while they wait for the peer, and its number says how busy the machine is (it
    /// varies tenfold with the load), not what a message costs.
    /// </summary>
    public double WithoutYields => PerMessage - ByName.Where(call => call.Key == Yield).Sum(call => Math.Max(0, call.Value));

    /// <summary>
    /// Runs the row under <c>strace -f -c</c>, with the measured messages and with the warm-up alone, and divides the difference, so that start-up,
    /// connecting and the end count for nothing. Of two such runs the lower counts: what disturbs a batch only ever splits it.
    /// </summary>
    public static async Task<SystemCallCount> TakeAsync(PeerEndpoint peer, Row row)
    {
        var messages = row.IsLatency ? LatencyMessages : PipelinedMessages;
        var without = await TraceAsync(new StraceChild.Arguments(row.Name, peer, 0));
        SystemCallCount[] runs = [await TakeAsync(), await TakeAsync()];
        return runs.MinBy(run => run.WithoutYields)!;

        async Task<SystemCallCount> TakeAsync()
        {
            var with = await TraceAsync(new StraceChild.Arguments(row.Name, peer, messages));
            KeyValuePair<string, double>[] byName =
            [
                .. with
                    .Select(call => KeyValuePair.Create(call.Key, (double)(call.Value - without.GetValueOrDefault(call.Key)) / messages))
                    .OrderByDescending(call => call.Value),
            ];

            // Calls that the shorter run happened to make more often are noise of start-up, not something to take off.
            return new SystemCallCount(byName.Sum(call => Math.Max(0, call.Value)), byName);
        }
    }

    /// <summary>Throws <see cref="FormatException"/>, for the command line, if strace is not there.</summary>
    public static void RequireStrace()
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("strace", ["-V"]) { UseShellExecute = false, RedirectStandardOutput = true });
            process!.StandardOutput.ReadToEnd();
            process.WaitForExit();
        }
        catch (Win32Exception exception)
        {
            throw new FormatException("--syscalls and --floors need strace (apt-get install strace)", exception);
        }
    }

    private static async Task<Dictionary<string, long>> TraceAsync(StraceChild.Arguments arguments)
    {
        var summary = Path.GetTempFileName();
        try
        {
            string[] command =
            [
                "-f", "-c", "-o", summary, PeerProcess.DotNetHost, "exec", typeof(StraceChild).Assembly.Location,
                .. StraceChild.CommandLine(arguments),
            ];
            using var process = Process.Start(new ProcessStartInfo("strace", command) { UseShellExecute = false })!;
            await process.WaitForExitAsync();
            return process.ExitCode == 0
                ? Parse(await File.ReadAllLinesAsync(summary))
                : throw new InvalidOperationException($"the traced process for {arguments.Row} ended with {process.ExitCode}");
        }
        finally
        {
            File.Delete(summary);
        }
    }

    // % time, seconds, usecs/call, calls, [errors], syscall
    private static Dictionary<string, long> Parse(string[] lines)
    {
        var calls = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var line in lines)
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length >= 5 && words[^1] != "total" && long.TryParse(words[3], CultureInfo.InvariantCulture, out var count))
            {
                calls[words[^1]] = count;
            }
        }

        return calls.Count > 0 ? calls : throw new InvalidOperationException("strace wrote no summary");
    }
}
