using Nightjar.Connection;

namespace Nightjar.Diagnostics;

/// <summary>
/// The clients that count towards one meter, and what those that are closed have left, so that no counter ever goes back. It keeps no client alive. Its lock is taken before
/// a client's, never inside it.
/// </summary>
internal sealed class LiveClients
{
    private readonly Lock _lock = new();
    private readonly Dictionary<long, WeakReference<EngineHost>> _clients = [];
    private readonly Dictionary<(string Host, int Port), ServerTotals> _closed = [];
    private long _last;
    private int _pruneAt = 64;

    public void Enter(EngineHost client)
    {
        lock (_lock)
        {
            client.Telemetry.Number = ++_last;
            _clients[_last] = new WeakReference<EngineHost>(client);
            if (_clients.Count >= _pruneAt)
            {
                // Clients that nobody closed, while nobody looks either.
                foreach (var gone in _clients.Where(entry => !entry.Value.TryGetTarget(out _)).Select(entry => entry.Key).ToList())
                {
                    _clients.Remove(gone);
                }

                _pruneAt = Math.Max(64, _clients.Count * 2);
            }
        }
    }

    public void Leave(EngineHost client)
    {
        lock (_lock)
        {
            if (_clients.Remove(client.Telemetry.Number))
            {
                var last = new ServerTotals();
                client.AddTo(last);
                Of(_closed, client).AddTotals(last);
            }
        }
    }

    public Dictionary<(string Host, int Port), ServerTotals> Sum()
    {
        var sums = new Dictionary<(string Host, int Port), ServerTotals>();
        lock (_lock)
        {
            foreach (var (server, totals) in _closed)
            {
                sums[server] = new ServerTotals();
                sums[server].AddTotals(totals);
            }

            foreach (var (number, reference) in _clients)
            {
                if (reference.TryGetTarget(out var client))
                {
                    client.AddTo(Of(sums, client));
                }
                else
                {
                    _clients.Remove(number);
                }
            }
        }

        return sums;
    }

    private static ServerTotals Of(Dictionary<(string Host, int Port), ServerTotals> sums, EngineHost client)
    {
        if (!sums.TryGetValue(client.Telemetry.Server, out var totals))
        {
            sums[client.Telemetry.Server] = totals = new ServerTotals();
        }

        return totals;
    }
}
