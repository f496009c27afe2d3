using Microsoft.Extensions.Logging;
using Nightjar.Diagnostics;

namespace Nightjar.Connection;

/// <summary>
/// Listens for changes of the network while the client waits for its next attempt, and only then: a client that is connected costs the system nothing. Turns come from several threads
/// and are numbered under the gate; the last one counts. The source may be the application's, so it is called without a lock.
/// </summary>
internal sealed class NetworkWatch(EngineHost host, ILogger logger)
{
    private readonly Lock _lock = new();
    private IDisposable? _watching;
    private bool _listens;
    private long _turn;

    public void Follow(bool waiting, long turn)
    {
        var source = host.Options.Reconnect.NetworkChange;
        IDisposable? ended = null;
        bool begins;
        lock (_lock)
        {
            var listens = waiting && source is not null;
            if (turn <= _turn)
            {
                return;
            }

            _turn = turn;
            begins = listens && !_listens;
            _listens = listens;
            if (!listens)
            {
                (ended, _watching) = (_watching, null);
            }
        }

        try
        {
            ended?.Dispose();
            if (begins)
            {
                Keep(source!.Watch(host.NetworkChanged));
            }
        }
#pragma warning disable CA1031 // whatever it throws: waits are then not cut short
        catch (Exception error)
#pragma warning restore CA1031
        {
            Log.NetworkWatchFailed(logger, error);
        }
    }

    /// <summary>Unless the wait is over already.</summary>
    private void Keep(IDisposable watching)
    {
        IDisposable? superfluous;
        lock (_lock)
        {
            (superfluous, _watching) = _listens ? (_watching, watching) : (watching, _watching);
        }

        superfluous?.Dispose();
    }
}
