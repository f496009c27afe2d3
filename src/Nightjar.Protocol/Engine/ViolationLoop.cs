namespace Nightjar.Protocol.Engine;

/// <summary>
/// Finds a client that runs in a circle: connection after connection ends with the same breach of the protocol, because whatever causes it waits on the server. A retained message
/// that is larger than we take, on a server that cannot be told our limit, is the usual one. Trying again soon does not cure it, so the back-off goes to its longest.
/// <para>
/// A server that sends more than Receive Maximum is told so, and what was refused comes again. Mosquitto 2.0 forgets to count what it queued for a session, so that it would do the same for ever;
/// when two connections in a row of one session ended for that, the next ones take what it sends, until one goes by on which it keeps the limit, or the session is a new one.
/// </para>
/// </summary>
internal sealed class ViolationLoop(EngineSettings settings, Queue<EngineOutput> outputs)
{
    /// <summary>So many in a row are no accident.</summary>
    public const int Threshold = 3;

    /// <summary>What a server breaks that sends more than Receive Maximum.</summary>
    public const string ReceiveMaximumClause = "MQTT5-3.3.4-9";

    /// <summary>So many connections of one session end for that, before the next takes what the server sends.</summary>
    private const int ExcessesRefused = 2;

    private string? _clause;
    private int _times;
    private int _excesses;

    /// <summary>More than Receive Maximum is taken on the connection that begins.</summary>
    public bool TakesExcess => _excesses >= ExcessesRefused;

    /// <summary>A connection was accepted, in the session of before or a new one.</summary>
    public void Begin(bool sessionPresent)
    {
        if (!sessionPresent)
        {
            _excesses = 0;
        }
    }

    /// <summary>A connection, or an attempt, ended; returns the reason with what is to be said of its repetition.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="lasted">For how long there was a connection.</param>
    /// <param name="exceeded">The server sent more than Receive Maximum, and it was taken.</param>
    public CloseReason Note(CloseReason reason, long lasted, bool exceeded = false)
    {
        if (reason is not { Kind: CloseKind.Violation, WasConnected: true })
        {
            // An attempt that fails proves nothing; a connection that lasted and ended for another reason does.
            if (reason.WasConnected && lasted >= settings.StableAfter)
            {
                _clause = null;
                _times = 0;
                _excesses = exceeded ? _excesses : 0;
            }

            return reason;
        }

        _times = reason.Clause == _clause ? _times + 1 : 1;
        _clause = reason.Clause;
        if (reason.Clause == ReceiveMaximumClause && ++_excesses == ExcessesRefused)
        {
            return BeginTaking(reason with { Times = _times });
        }

        if (_times < Threshold)
        {
            return reason with { Times = _times };
        }

        var looping = reason with
        {
            Times = _times,
            IsTransient = false,
            Message = $"{reason.Message} This ended {_times} connections in a row; {Advice(reason)}.",
        };
        if (_times == Threshold)
        {
            outputs.Enqueue(new EngineOutput.Looping(looping, _times));
        }

        return looping;
    }

    private CloseReason BeginTaking(CloseReason reason)
    {
        var looping = reason with
        {
            Message = $"{reason.Message} This ended {ExcessesRefused} connections of this session in a row; from here on what the server sends beyond it is taken, until it keeps the limit again or the session is a new one.",
        };
        outputs.Enqueue(new EngineOutput.Looping(looping, ExcessesRefused));

        // That breaks the circle.
        _clause = null;
        _times = 0;
        return looping;
    }

    private static string Advice(CloseReason reason) => reason.ReasonCode == ReasonCode.PacketTooLarge
        ? "the server keeps a message that is larger than Receive.MaximumPacketSize allows: raise that, set Receive.OversizedPackets to Skip, or remove the message from the server"
        : "trying again will not cure it, so the next attempts are far apart";
}
