using Nightjar.Bench.Peer;

namespace Nightjar.Bench.Work;

/// <summary>Something to measure, ready: by the client or by the bare loop beside it.</summary>
internal interface IWork : IAsyncDisposable
{
    /// <summary>What a run needs and its figures leave out. Called before each.</summary>
    Task PrepareRunAsync() => Task.CompletedTask;

    /// <summary>Moves messages until the quota is reached, or the row's own number; and checks that all of them arrived.</summary>
    Task<Run> RunAsync(Quota quota);

    /// <summary>The bytes on the managed heap that the last run left alive, after a full collection; null where that says nothing.</summary>
    long? CountLiveBytes() => null;
}

/// <summary>What a run did; the times are ticks of <see cref="System.Diagnostics.Stopwatch"/>, its own or the peer's: it is one clock.</summary>
/// <param name="Messages">How many were moved.</param>
/// <param name="Started">Before the first.</param>
/// <param name="Ended">When the last had arrived and, where it is acknowledged, its acknowledgement too.</param>
/// <param name="Latencies">For one in flight: the ticks of each message.</param>
internal readonly record struct Run(long Messages, long Started, long Ended, ReadOnlyMemory<long> Latencies = default);
