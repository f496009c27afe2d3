using System.Threading.Tasks.Sources;
using Nightjar.Protocol.Engine;

namespace Nightjar.Connection;

/// <summary>
/// Writes what has gathered, one flush at a time and away from those who publish: while one batch is on its way to the socket, the next gathers. That is
/// what makes many packets of one system call.
/// </summary>
internal sealed class Flusher(EngineHost host, NetworkConnection connection) : IValueTaskSource, IThreadPoolWorkItem
{
    /// <summary>So many callers about to go on are worth waiting for: with fewer, a glance costs about as much as the system call that it may save.</summary>
    internal const int Crowd = 4;

    // A few packets of telemetry; and so many bytes that a larger write saves nothing any more.
    private const int Busy = 256;
    private const int Enough = 16 * 1024;

    // Some two microseconds: a caller that goes on publishes within one. At the most some seventy are spent in one go.
    private const int GlanceIterations = 60;
    private static readonly int MostGlances = Environment.ProcessorCount > 1 ? 32 : 0;

    // A crowd stands still while the pool wakes the next of its threads, which takes some ten microseconds.
    private const int CrowdStandstill = 5;

    private readonly OutputBatch _batch = new();
    private ManualResetValueTaskSourceCore<bool> _wake;

    /// <summary>A flush is under way or about to be; guarded by the host's lock.</summary>
    public bool IsBusy { get; set; }

    /// <summary>Starts a flush; the caller has set <see cref="IsBusy"/>, so nobody else does.</summary>
    /// <remarks>Behind what the pool has to do already: those who wait for answers publish again, and all of that goes with this flush.</remarks>
    public void Wake() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

    void IThreadPoolWorkItem.Execute() => _wake.SetResult(true);

    public async Task RunAsync(Stream stream)
    {
        try
        {
            while (true)
            {
                await new ValueTask(this, _wake.Version).ConfigureAwait(false);
                _wake.Reset();
                var written = false;
                Gather(isBusy: false);
                while (host.TakeOutput(connection, _batch, written))
                {
                    connection.Trace?.Sent(_batch);
                    for (var i = 0; i < _batch.Count; i++)
                    {
                        await stream.WriteAsync(_batch[i], CancellationToken.None).ConfigureAwait(false);
                    }

                    await stream.FlushAsync(CancellationToken.None).ConfigureAwait(false);
                    var isBusy = _batch.Length >= Busy;
                    _batch.Release();
                    written = true;
                    Gather(isBusy);
                }
            }
        }
        catch (Exception error)
        {
            // A stream of the caller's throws what it likes. The receive loop sees the same end; closing makes sure that it does.
            connection.Close(error);
        }
    }

    /// <summary>
    /// Waits a moment while more keeps coming: callers who were just told that their message is through and publish the next one, or one who publishes without a pause. Their
    /// packets then share one system call, which costs more than all of them. A lone publisher is never waited for.
    /// </summary>
    /// <param name="isBusy">What was written last was more than a packet or two.</param>
    private void Gather(bool isBusy)
    {
        var resuming = host.Waiters.Resuming;
        var isCrowd = resuming >= Crowd;
        if (!isBusy && !isCrowd)
        {
            return;
        }

        var gathered = host.Gathered;
        var enough = gathered + Enough;
        var standstill = 0;
        for (var glance = 0; glance < MostGlances; glance++)
        {
            Thread.SpinWait(GlanceIterations);
            var stillResuming = host.Waiters.Resuming;
            var now = host.Gathered;
            standstill = now == gathered && stillResuming >= resuming ? standstill + 1 : 0;
            if (now >= enough || standstill >= (isCrowd && stillResuming > 0 ? CrowdStandstill : 1))
            {
                return;
            }

            resuming = stillResuming;
            gathered = now;
        }
    }

    void IValueTaskSource.GetResult(short token) => _wake.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _wake.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wake.OnCompleted(continuation, state, token, flags);
}
