using Nightjar.Protocol.Engine;

namespace Nightjar.Testing.Simulation;

/// <content>How connections begin.</content>
internal sealed partial class SimulatedClient
{
    private void Accepted(Accepted accepted)
    {
        Version = accepted.Version;
        var session = _world.Broker.SessionNumber;
        var known = _world.Application.Session;
        _world.SessionIsAmbiguous |= accepted.SessionPresent && known != session && known != 0;
        _world.Application.Session = session;
    }

    private void Dial(int attempt)
    {
        _dials.Dial();
        _attempt = attempt;
        var due = _world.Time.Now + (2 * _world.Network.Latency);
        _world.Time.At(Math.Max(due, _world.Network.StalledUntil), () => Dialed(attempt));
    }

    private void Dialed(int attempt)
    {
        if (attempt != _attempt)
        {
            return;
        }

        if (_world.Network.RefusedUntil > _world.Time.Now)
        {
            _engine.HandleTransportLost(attempt, new CloseReason(CloseKind.DialFailed, "Nobody listens."), _world.Time.Now);
            Collect();
            return;
        }

        var number = ++_world.Application.Connections;
        _link = _last = new SimulatedLink(_world, number);
        _world.Note($"connection {number} is open");
        _engine.HandleDialed(attempt);
        _decoder = _engine.Inbound;
        _unparsed = [];
        var link = _link;
        Collect();
        if (number <= _world.Options.Cuts.Count && link == _link)
        {
            var cut = _world.Options.Cuts[number - 1];
            (cut.ToServer ? link.ToServer : link.ToClient).Break(cut.Offset);
        }
    }
}
