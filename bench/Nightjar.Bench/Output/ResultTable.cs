namespace Nightjar.Bench.Output;

/// <summary>The table on standard output, one line as soon as its row is measured.</summary>
internal sealed class ResultTable(BenchOptions options)
{
    private static readonly (string Title, int Width)[] Columns =
    [
        ("row", -30), ("msg/s", 8), ("bare", 8), ("ratio", 6), ("CPU us", 7), ("bare", 7), ("B/msg", 7), ("live B", 7), ("bare", 7), ("syscalls", 8),
        ("p50 us", 7), ("bare", 7), ("ratio", 6), ("p99 us", 7), ("bare", 7),
    ];

    public void WriteHeader(SystemCallCounter? counter)
    {
        if (counter is not null)
        {
            Console.WriteLine($"System calls are counted by {counter.Name}.");
        }

        Console.WriteLine(Line([.. Columns.Select(column => column.Title)], options.Floors ? "  floor" : ""));
    }

    public void Write(RowResult result)
    {
        var (client, bare) = (result.Client, result.Bare);
        string[] cells =
        [
            result.Row.Name,
            Figure.Rate(client?.MessagesPerSecond), Figure.Rate(bare.MessagesPerSecond), Figure.Digits(result.RateRatio),
            Figure.Digits(client?.CpuMicroseconds), Figure.Digits(bare.CpuMicroseconds), Figure.Digits(client?.AllocatedBytes),
            Figure.Digits(client?.LiveBytes), Figure.Digits(bare.LiveBytes),
            result.SystemCalls is { } calls ? $"{calls.PerMessage:F4}" : Figure.None,
            Figure.Digits(client?.P50), Figure.Digits(bare.P50), Figure.Digits(result.LatencyRatio), Figure.Digits(client?.P99), Figure.Digits(bare.P99),
        ];
        Console.WriteLine(Line(cells, options.Floors ? $"  {Verdict(result)}" : ""));
        if (result.SystemCalls is { } count)
        {
            var names = count.ByName.Where(call => call.Value >= 0.0005).Take(6).Select(call => $"{call.Key} {call.Value:F4}");
            Console.WriteLine($"    {string.Join(", ", names)}");
        }
    }

    private static string Verdict(RowResult result) => Floor.Check(result) switch
    {
        null => "",
        [] => Floor.Rate(result) is { } rate ? $"pass ({Figure.Rate(rate)}/s)" : "pass",
        var below => $"BELOW: {string.Join("; ", below)}",
    };

    private static string Line(string[] cells, string end)
    {
        var padded = cells.Select((cell, index) => Columns[index].Width < 0 ? cell.PadRight(-Columns[index].Width) : cell.PadLeft(Columns[index].Width));
        return (string.Join(" ", padded) + end).TrimEnd();
    }
}
