namespace Nightjar.Protocol.Engine;

/// <summary>Which of several servers the next attempt is for: the list, a server reference while it lasts, and the way back to the preferred one.</summary>
internal sealed class ServerChoice
{
    // Each server of a cluster may name the next one; a circle shows soon.
    private const int MostReferences = 5;

    private readonly IReadOnlyList<ServerSettings> _configured;
    private readonly IReadOnlyList<string> _allowed;
    private readonly ServerSettings[] _servers;
    private ServerSettings? _referred;
    private int _current;
    private int _followed;
    private int _cameFrom = -1;

    public ServerChoice(EngineSettings settings)
    {
        _configured = settings.AllServers;
        _allowed = settings.Retry.AllowedRedirects;
        _servers = [.. _configured];
        Target = _servers[0];
        for (var i = _servers.Length - 1; i > 0 && settings.Retry.ServerOrder == ServerOrder.Random; i--)
        {
            var other = (int)(settings.Random() * (i + 1));
            (_servers[i], _servers[other]) = (_servers[other], _servers[i]);
        }
    }

    public ServerSettings Current => _referred ?? _servers[_current];

    /// <summary>The server of the current or last attempt: the current one, unless the host prepared the attempt for another.</summary>
    public ServerSettings Target { get; set; }

    public int Count => _servers.Length;

    /// <summary>Whether it is the one that is to be used when it can be.</summary>
    public bool IsPreferred => _current == 0 && _referred is null;

    /// <summary>The current one does not do: on to the next, and round again.</summary>
    public void MoveOn() => _current = (_current + 1) % _servers.Length;

    /// <summary>A connection lived long enough: the circle of references, if it was one, is broken.</summary>
    public void HandleStable() => _followed = 0;

    /// <summary>A connection was accepted, or options changed: a trial of the preferred server is over.</summary>
    public void HandleAccepted() => _cameFrom = -1;

    /// <summary>The connection to the current server ended: what another one referred to is used for one connection only. True: it was such a one.</summary>
    public bool DropReference()
    {
        var was = _referred is not null;
        _referred = null;
        return was;
    }

    /// <summary>From a healthy connection back to the preferred server, to see whether it works again.</summary>
    public void FailBack()
    {
        _cameFrom = _current;
        _current = 0;
    }

    /// <summary>The preferred server does not work yet: back to where we were. False: that was no such trial.</summary>
    public bool ReturnFromFailBack()
    {
        if (_cameFrom < 0)
        {
            return false;
        }

        _current = _cameFrom;
        _cameFrom = -1;
        return true;
    }

    /// <summary>The server told us to use another one. False: that is not done, and why.</summary>
    public bool Follow(CloseReason reason, out string refusal)
    {
        var target = ServerReference.Resolve(reason.ServerReference, Target, _configured, _allowed, out refusal);
        if (target is null)
        {
            return false;
        }

        if (++_followed > MostReferences)
        {
            refusal = $"It names '{ServerReference.Shown(reason.ServerReference!)}', which is not followed: {MostReferences} references led to no lasting connection.";
            return false;
        }

        var isConfigured = _referred is null && (ReferenceEquals(Target, _servers[_current]) || ServerReference.IsSame(Target, _servers[_current]));
        if (reason.ReasonCode == ReasonCode.ServerMoved && isConfigured)
        {
            // For good, that is for this client's life: what is configured does not change. It is the server that says so which moved: one that another referred to, or that the
            // application chose for this attempt, takes no configured one's place.
            _servers[_current] = target;
            _referred = null;
        }
        else
        {
            _referred = target;
        }

        return true;
    }
}
