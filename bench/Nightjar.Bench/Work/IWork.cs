using Nightjar.Bench.Peer;

namespace Nightjar.Bench.Work;

/// <summary>Something to measure, connected to the peer and ready: by the client or by a bare socket.</summary>
internal interface IWork : IAsyncDisposable
{
    /// <summary>Moves messages until the quota is reached, and checks with the peer that all of them arrived.</summary>
    Task<Run> RunAsync(Quota quota);
}

/// <summary>What a run did; the times are ticks of <see cref="System.Diagnostics.Stopwatch"/>, its own or the peer's: it is one clock.</summary>
/// <param name="Messages">How many were moved.</param>
/// <param name="Started">Before the first.</param>
/// <param name="Ended">When the last had arrived and, where it is acknowledged, its acknowledgement too.</param>
/// <param name="Latencies">For one in flight: the ticks of each message.</param>
internal readonly record struct Run(long Messages, long Started, long Ended, ReadOnlyMemory<long> Latencies = default);
