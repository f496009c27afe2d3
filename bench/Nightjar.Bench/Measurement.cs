using System.Diagnostics;
using Nightjar.Bench.Peer;
using Nightjar.Bench.Work;

namespace Nightjar.Bench;

/// <summary>The figures of one run, or of the median run.</summary>
/// <param name="Messages">How many were moved.</param>
/// <param name="MessagesPerSecond">The rate.</param>
/// <param name="CpuMicroseconds">User and kernel time of this process, all threads, per message.</param>
/// <param name="AllocatedBytes">On the managed heap, per message.</param>
/// <param name="LiveBytes">What is left of each message on the managed heap, after a full collection; null where that says nothing.</param>
/// <param name="P50">Microseconds; only with one in flight.</param>
/// <param name="P99">Microseconds; only with one in flight.</param>
internal sealed record Measurement(long Messages, double MessagesPerSecond, double CpuMicroseconds, double AllocatedBytes, double? LiveBytes, double? P50, double? P99)
{
    /// <summary>Runs the work once.</summary>
    public static async Task<Measurement> TakeAsync(IWork work, Quota quota)
    {
        await work.PrepareRunAsync();
        var allocated = GC.GetTotalAllocatedBytes(precise: true);
        var cpu = Environment.CpuUsage.TotalTime;
        var run = await work.RunAsync(quota);
        cpu = Environment.CpuUsage.TotalTime - cpu;
        allocated = GC.GetTotalAllocatedBytes(precise: true) - allocated;

        var latencies = run.Latencies.ToArray();
        Array.Sort(latencies);
        return new Measurement(
            run.Messages,
            run.Messages / Stopwatch.GetElapsedTime(run.Started, run.Ended).TotalSeconds,
            cpu.TotalMicroseconds / run.Messages,
            (double)allocated / run.Messages,
            (double?)work.CountLiveBytes() / run.Messages,
            Percentile(latencies, 50),
            Percentile(latencies, 99));
    }

    /// <summary>The median of each figure by itself.</summary>
    public static Measurement Median(IReadOnlyList<Measurement> runs) => new(
        (long)Median(runs, run => run.Messages),
        Median(runs, run => run.MessagesPerSecond),
        Median(runs, run => run.CpuMicroseconds),
        Median(runs, run => run.AllocatedBytes),
        runs[0].LiveBytes is null ? null : Median(runs, run => run.LiveBytes!.Value),
        runs[0].P50 is null ? null : Median(runs, run => run.P50!.Value),
        runs[0].P99 is null ? null : Median(runs, run => run.P99!.Value));

    private static double Median(IReadOnlyList<Measurement> runs, Func<Measurement, double> figure)
    {
        double[] sorted = [.. runs.Select(figure).Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static double? Percentile(long[] sorted, int percent) =>
        sorted.Length == 0 ? null : sorted[(int)((sorted.Length - 1) * (long)percent / 100)] * 1e6 / Stopwatch.Frequency;
}
