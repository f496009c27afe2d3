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
    /// Runs the row in a child process, with the measured messages and with the warm-up alone, and divides the difference, so that start-up, connecting and
    /// the end count for nothing. Of two such runs the lower counts: what disturbs a batch only ever splits it.
    /// </summary>
    public static async Task<SystemCallCount> TakeAsync(SystemCallCounter counter, PeerEndpoint peer, Row row, string directory)
    {
        var messages = row.IsLatency ? LatencyMessages : PipelinedMessages;
        var without = await CountAsync(0);
        SystemCallCount[] runs = [await TakeAsync(), await TakeAsync()];
        return runs.MinBy(run => run.WithoutYields)!;

        async Task<SystemCallCount> TakeAsync()
        {
            var with = await CountAsync(messages);
            KeyValuePair<string, double>[] byName =
            [
                .. with
                    .Select(call => KeyValuePair.Create(call.Key, (double)(call.Value - without.GetValueOrDefault(call.Key)) / messages))
                    .OrderByDescending(call => call.Value),
            ];

            // Calls that the shorter run happened to make more often are noise of start-up, not something to take off.
            return new SystemCallCount(byName.Sum(call => Math.Max(0, call.Value)), byName);
        }

        Task<IReadOnlyDictionary<string, long>> CountAsync(int count) => counter.CountAsync(
            [PeerProcess.DotNetHost, "exec", typeof(CountedChild).Assembly.Location, .. CountedChild.CommandLine(new CountedChild.Arguments(row.Name, peer, count, directory))]);
    }
}
