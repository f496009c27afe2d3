namespace Nightjar.Connection;

/// <summary>
/// Listens for changes of the network while the client waits for its next attempt, and only then: a client that is connected costs the system nothing. Turns come from several threads
/// and are numbered under the gate; the last one counts.
/// </summary>
internal sealed class NetworkWatch(EngineHost host)
{
    private readonly Lock _lock = new();
    private IDisposable? _watching;
    private long _turn;

    public void Follow(bool waiting, long turn)
    {
        var source = host.Options.Reconnect.NetworkChange;
        lock (_lock)
        {
            if (turn <= _turn)
            {
                return;
            }

            _turn = turn;
            if (!waiting || source is null)
            {
                Stop();
            }
            else
            {
                _watching ??= source.Watch(host.NetworkChanged);
            }
        }
    }

    private void Stop()
    {
        _watching?.Dispose();
        _watching = null;
    }
}
