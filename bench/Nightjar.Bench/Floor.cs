using Nightjar.Bench.Output;

namespace Nightjar.Bench;

/// <summary>What a row must reach. Figures of the project's first measurements on two cores of an EPYC; see README.md.</summary>
internal static class Floor
{
    // For the rows that have a rate. A hundred messages of 1 KiB in flight are more than one write and one read at the other end, and so come to 0.13 at QoS 2.
    private const double SystemCalls = 0.1;
    private const double AllocatedBytes = 1;
    private const double LatencyRatio = 1.5;

    // A queued message of 64 bytes, with its topic, its receipt and all that is known about it; and what a store must know to find it in its log.
    private const double LiveBytes = 200;
    private const double LiveBytesOfStore = 28;

    // A bridge, over a handler that waits for each message. What limits it is the source's Receive Maximum, 256.
    private const double BridgeRatio = 100;

    // Where the bare loop itself is slower than this part of its reference, the machine is at fault and the ratio counts.
    private const double HealthyMachine = 0.7;

    // Messages per second of the client, and of the bare loop on the machine where that floor was set (the lower end of what it did there).
    private static readonly Dictionary<string, (double Rate, double Bare)> Rates = new(StringComparer.Ordinal)
    {
        ["publish-qos0-16"] = (3e6, 54e6),
        ["publish-qos0-1024"] = (1e6, 3.3e6),
        ["publish-qos1-16-w100"] = (700e3, 1.5e6),
        ["publish-qos1-16-w1000"] = (1.2e6, 12e6),
        ["publish-qos2-16-w100"] = (300e3, 800e3),
        ["receive-qos0-16-leased"] = (5e6, 61e6),
        ["receive-qos0-16-safe"] = (2e6, 61e6),
        ["receive-qos0-1024-leased"] = (1e6, 3.4e6),
        ["receive-qos0-1024-safe"] = (1e6, 3.4e6),
        ["receive-qos1-16-leased"] = (2e6, 11e6),
        ["publish-qos1-64-w1000-grouped"] = (100e3, 6e6),

        // 100,000 messages in 2 s.
        ["drain-qos1-64"] = (50e3, 12e6),
        ["drain-qos1-64-grouped"] = (50e3, 12e6),
    };

    private static readonly HashSet<string> Latencies = new(StringComparer.Ordinal) { "publish-qos1-16-w1", "publish-qos1-1024-w1" };

    /// <summary>Each floor that the row is under, as a sentence; empty if it passes, null if no floor applies to it.</summary>
    public static IReadOnlyList<string>? Check(RowResult result)
    {
        if (result.Client is not { } client)
        {
            return null;
        }

        var below = new List<string>();
        if (Rate(result) is { } rate && client.MessagesPerSecond < rate)
        {
            below.Add($"{Figure.Rate(client.MessagesPerSecond)}/s of {Figure.Rate(rate)}/s");
        }

        if (Latencies.Contains(result.Row.Name) && result.LatencyRatio > LatencyRatio)
        {
            below.Add($"p50 is {result.LatencyRatio:F2} x bare, not {LatencyRatio:F1}");
        }

        var live = LiveBytes + (result.Row.Store is null ? 0 : LiveBytesOfStore);
        if (result.Row.Kind == RowKind.Queue && client.LiveBytes > live)
        {
            below.Add($"{client.LiveBytes:F0} live bytes of {live:F0}");
        }

        if (result.Row.Kind == RowKind.Bridge && result.RateRatio < BridgeRatio)
        {
            below.Add($"{result.RateRatio:F0} x the handler that waits, not {BridgeRatio:F0}");
        }

        if (result.Row.AllocatesNothing && client.AllocatedBytes >= AllocatedBytes)
        {
            below.Add($"allocates {client.AllocatedBytes:F1} B");
        }

        if (Rates.ContainsKey(result.Row.Name) && result.SystemCalls?.WithoutYields > SystemCalls)
        {
            below.Add($"{result.SystemCalls.WithoutYields:F3} system calls of {SystemCalls}");
        }

        return below;
    }

    /// <summary>The rate that counts on this machine today; null if the row has none.</summary>
    public static double? Rate(RowResult result)
    {
        if (!Rates.TryGetValue(result.Row.Name, out var floor))
        {
            return null;
        }

        return result.Bare.MessagesPerSecond < HealthyMachine * floor.Bare ? floor.Rate / floor.Bare * result.Bare.MessagesPerSecond : floor.Rate;
    }
}
