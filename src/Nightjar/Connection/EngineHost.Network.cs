using Nightjar.Diagnostics;
using Nightjar.Protocol.Engine;

namespace Nightjar.Connection;

// What the network connection tells and asks.
internal sealed partial class EngineHost
{
    /// <summary>How many bytes were ever put into the lanes of this connection. A hint, read without the lock.</summary>
    public long Gathered => _engine.Outbound.Gathered;

    public void SetDialStage(ConnectStage stage)
    {
        using (_gate.Enter())
        {
            _engine.DialStage = (int)stage;
        }
    }

    /// <summary>The transport is open. Null: it is not wanted any more.</summary>
    public Inbound? Dialed(NetworkConnection connection)
    {
        Inbound? inbound;
        using (_gate.Enter())
        {
            _engine.DialStage = (int)ConnectStage.Connect;
            _engine.HandleDialed(connection.Attempt);
            inbound = _gate.Connection == connection ? _engine.Inbound : null;
        }

        return inbound;
    }

    public void TransportLost(NetworkConnection connection, CloseReason reason)
    {
        using (_gate.Enter())
        {
            _engine.HandleTransportLost(connection.Attempt, reason, _gate.Now());
        }
    }

    /// <summary>A chunk was parsed. Output is held back until <see cref="ReleaseOutput"/>.</summary>
    public void Apply(NetworkConnection connection, InboundBatch batch, ReadOnlySpan<byte> chunk)
    {
        using (_gate.Enter())
        {
            connection.HoldsOutput = true;
            _engine.Apply(connection.Attempt, batch, chunk, _gate.Now());
        }
    }

    public void ReleaseOutput(NetworkConnection connection)
    {
        using (_gate.Enter())
        {
            connection.HoldsOutput = false;
        }
    }

    /// <summary>The receive loop waits for handlers, so that the peer's silence means nothing.</summary>
    public void PauseReceiving(NetworkConnection connection)
    {
        using (_gate.Enter())
        {
            connection.IsPaused = true;
            _receivePauses++;
        }
    }

    /// <summary>It goes on. What the peer said meanwhile is still to be read, so its silence counts from now.</summary>
    public void ResumeReceiving(NetworkConnection connection)
    {
        using (_gate.Enter())
        {
            connection.IsPaused = false;
            if (_gate.Connection == connection)
            {
                _engine.HandlePaused(_gate.Now());
            }
        }
    }

    /// <summary>What to wait for before more is parsed: nothing, unless the peer sends without reading.</summary>
    public Task WhenControlHasRoom(NetworkConnection connection)
    {
        TaskCompletionSource? room = null;
        using (_gate.Enter())
        {
            if (_gate.Connection == connection && !connection.IsClosed && _engine.Outbound.ControlIsFull)
            {
                room = connection.WhenControlHasRoom = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }

        return room?.Task ?? Task.CompletedTask;
    }

    /// <summary>The connection is closed, and nobody will make room any more; also when it was the flusher that found its end, of which the engine hears only from the receive loop.</summary>
    public void EndWaitForControl(NetworkConnection connection)
    {
        using (_gate.Enter())
        {
            connection.WhenControlHasRoom?.TrySetResult();
            connection.WhenControlHasRoom = null;
        }
    }

    /// <summary>What the application hung on the token of a gate, a hook or the opening of a stream threw.</summary>
    public void ReportCancellingFailure(Exception error) => Log.CancellingFailed(_logger, error);

    /// <summary>A stream threw when it was closed.</summary>
    public void ReportClosingFailure(Exception error) => Log.ClosingFailed(_logger, ServerName, error);

    /// <summary>The flusher's: what it writes next; false if nothing, and then it sleeps.</summary>
    public bool TakeOutput(NetworkConnection connection, OutputBatch batch, bool written)
    {
        bool any;
        bool closeOutput;
        using (_gate.Enter())
        {
            if (_gate.Connection != connection)
            {
                return false;
            }

            if (written)
            {
                _engine.HandleWritten(connection.Attempt, _gate.Now());
            }

            any = _engine.TakeOutput(batch);
            connection.Flusher!.IsBusy = any;
            closeOutput = !any && connection.CloseAfterFlush;
            connection.WhenControlHasRoom?.TrySetResult();
            connection.WhenControlHasRoom = null;
        }

        if (closeOutput)
        {
            connection.CloseOutput();
        }

        return any;
    }
}
