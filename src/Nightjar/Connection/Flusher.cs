using System.Threading.Tasks.Sources;
using Nightjar.Protocol.Engine;

namespace Nightjar.Connection;

/// <summary>
/// Writes what has gathered, one flush at a time and away from those who publish: while one batch is on its way to the socket, the next gathers. That is
/// what makes many packets of one system call.
/// </summary>
internal sealed class Flusher(EngineHost host, NetworkConnection connection) : IValueTaskSource
{
    private readonly OutputBatch _batch = new();
    private ManualResetValueTaskSourceCore<bool> _wake = new() { RunContinuationsAsynchronously = true };

    /// <summary>A flush is under way or about to be; guarded by the host's lock.</summary>
    public bool IsBusy { get; set; }

    /// <summary>Starts a flush; the caller has set <see cref="IsBusy"/>, so nobody else does.</summary>
    public void Wake() => _wake.SetResult(true);

    public async Task RunAsync(Stream stream)
    {
        try
        {
            while (true)
            {
                await new ValueTask(this, _wake.Version).ConfigureAwait(false);
                _wake.Reset();
                var written = false;
                while (host.TakeOutput(connection, _batch, written))
                {
                    connection.Trace?.Sent(_batch);
                    for (var i = 0; i < _batch.Count; i++)
                    {
                        await stream.WriteAsync(_batch[i], CancellationToken.None).ConfigureAwait(false);
                    }

                    await stream.FlushAsync(CancellationToken.None).ConfigureAwait(false);
                    _batch.Release();
                    written = true;
                }
            }
        }
        catch (Exception error)
        {
            // A stream of the caller's throws what it likes. The receive loop sees the same end; closing makes sure that it does.
            connection.Close(error);
        }
    }

    void IValueTaskSource.GetResult(short token) => _wake.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _wake.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wake.OnCompleted(continuation, state, token, flags);
}
