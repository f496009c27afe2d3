namespace Nightjar.Protocol.Engine;

/// <summary>
/// Finds a client that runs in a circle: connection after connection ends with the same breach of the protocol, because whatever causes it waits on the server. A retained message
/// that is larger than we take, on a server that cannot be told our limit, is the usual one. Trying again soon does not cure it, so the back-off goes to its longest.
/// </summary>
internal sealed class ViolationLoop(EngineSettings settings, Queue<EngineOutput> outputs)
{
    /// <summary>So many in a row are no accident.</summary>
    public const int Threshold = 3;

    private string? _clause;
    private int _times;

    /// <summary>A connection, or an attempt, ended; returns the reason with what is to be said of its repetition.</summary>
    public CloseReason Note(CloseReason reason, long lasted)
    {
        if (reason is not { Kind: CloseKind.Violation, WasConnected: true })
        {
            // An attempt that fails proves nothing; a connection that lasted and ended for another reason does.
            if (reason.WasConnected && lasted >= settings.StableAfter)
            {
                _clause = null;
                _times = 0;
            }

            return reason;
        }

        _times = reason.Clause == _clause ? _times + 1 : 1;
        _clause = reason.Clause;
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

    private static string Advice(CloseReason reason) => reason.ReasonCode == ReasonCode.PacketTooLarge
        ? "the server keeps a message that is larger than Receive.MaximumPacketSize allows: raise that, set Receive.OversizedPackets to Skip, or remove the message from the server"
        : "trying again will not cure it, so the next attempts are far apart";
}
