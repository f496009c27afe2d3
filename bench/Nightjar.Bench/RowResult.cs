namespace Nightjar.Bench;

/// <summary>One line of the table, filled in.</summary>
/// <param name="Row">Which.</param>
/// <param name="Client">What Nightjar did; null with <c>--bare</c>.</param>
/// <param name="Bare">What a bare socket did with the same bytes, in turn with the client.</param>
/// <param name="SystemCalls">Of the client, per message; null unless asked for.</param>
internal sealed record RowResult(Row Row, Measurement? Client, Measurement Bare, SystemCallCount? SystemCalls)
{
    /// <summary>The client's rate over the bare socket's.</summary>
    public double? RateRatio => Client?.MessagesPerSecond / Bare.MessagesPerSecond;

    /// <summary>The client's median latency over the bare socket's; only with one in flight.</summary>
    public double? LatencyRatio => Client?.P50 / Bare.P50;
}
