using System.Runtime.InteropServices;
using System.Text.Json;

namespace Nightjar.Bench.Output;

/// <summary>The same figures for a program to read.</summary>
internal static class ResultJson
{
    private static readonly JsonSerializerOptions Layout = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public static async Task WriteAsync(string path, BenchOptions options, IReadOnlyList<RowResult> results)
    {
        var document = new
        {
            Runtime = RuntimeInformation.FrameworkDescription,
            System = RuntimeInformation.OSDescription,
            Cores = Environment.ProcessorCount,
            options.Runs,
            options.Time.TotalSeconds,
            Rows = results.Select(result => new
            {
                result.Row.Name,
                result.Client,
                result.Bare,
                result.RateRatio,
                result.LatencyRatio,
                SystemCallsPerMessage = result.SystemCalls?.PerMessage,
                SystemCallsWithoutYields = result.SystemCalls?.WithoutYields,
                FloorPerSecond = options.Floors ? Floor.Rate(result) : null,
                BelowFloor = options.Floors ? Floor.Check(result) : null,
            }),
        };
        await using var file = File.Create(path);
        await JsonSerializer.SerializeAsync(file, document, Layout);
    }
}
