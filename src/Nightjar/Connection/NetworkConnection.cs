using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using Nightjar.Diagnostics;
using Nightjar.Protocol.Engine;
using Nightjar.Transport;

namespace Nightjar.Connection;

/// <summary>The life of one network connection: dialled, read until it ends, closed. It decides nothing; the engine does.</summary>
[SuppressMessage("Design", "CA1001", Justification = "RunAsync disposes what it uses when it ends, and it always ends.")]
internal sealed class NetworkConnection(EngineHost host, EngineOutput.Dial dial)
{
    private readonly CancellationTokenSource _dialling = new();
    private readonly Lock _lock = new();
    private Stream? _stream;
    private Receiver? _receiver;
    private Exception? _closedBy;
    private bool _closed;

    public int Attempt => dial.Attempt;

    /// <summary>What the engine wants.</summary>
    public EngineOutput.Dial Dial => dial;

    public Flusher? Flusher { get; private set; }

    /// <summary>Shows packets to the application's inspector; null if there is none.</summary>
    public PacketTrace? Trace { get; } = host.Inspection is { } inspection ? new PacketTrace(inspection) : null;

    /// <summary>What the connection is made of; set before the engine hears of it.</summary>
    public TransportInfo? Info { get; private set; }

    /// <summary>Output is held back while a received chunk is being handled; guarded by the host's lock.</summary>
    public bool HoldsOutput { get; set; }

    /// <summary>DISCONNECT is on its way: when all is written, our direction is closed; guarded by the host's lock.</summary>
    public bool CloseAfterFlush { get; set; }

    /// <summary>Whether the receive loop waits for handlers, so that the peer's silence means nothing.</summary>
    public bool IsPaused { get; set; }

    /// <summary>Set while the receive loop waits for the control lane to empty; guarded by the host's lock.</summary>
    public TaskCompletionSource? WhenControlHasRoom { get; set; }

    public async Task RunAsync()
    {
        var reason = await DialAndReadAsync().ConfigureAwait(false);
        Close(error: null);
        _dialling.Dispose();
        if (reason is not null)
        {
            host.TransportLost(this, reason);
        }
    }

    /// <summary>Nothing is read or written any more, or will not be soon.</summary>
    public bool IsClosed => Volatile.Read(ref _closed);

    /// <summary>Ends dialling, reading and writing at once; the first error is the one that is reported. Never throws.</summary>
    public void Close(Exception? error)
    {
        Stream? stream;
        Receiver? receiver;
        lock (_lock)
        {
            if (_closed)
            {
                return;
            }

            _closed = true;
            _closedBy = error;
            stream = _stream;
            receiver = _receiver;
        }

        _ = CancelDiallingAsync();
        CloseStream(stream);
        receiver?.Stop();
        host.EndWaitForControl(this);
    }

    /// <summary>The connection is ending: the receive loop waits for no handler any more.</summary>
    public void StopWaiting() => Volatile.Read(ref _receiver)?.Stop();

    /// <summary>Closes our direction: the peer reads to the end, DISCONNECT included, and closes its own.</summary>
    public void CloseOutput()
    {
        try
        {
            if (_stream is NetworkStream network)
            {
                network.Socket.Shutdown(SocketShutdown.Send);
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // It is closed already.
        }
    }

    /// <summary>On the pool: what a gate, a hook or the opening of a stream do when they are cancelled is the application's code, and nobody here waits for it.</summary>
    private async Task CancelDiallingAsync()
    {
        try
        {
            await _dialling.CancelAsync().ConfigureAwait(false);
        }
        catch (ObjectDisposedException)
        {
            // Dialling is over.
        }
        catch (Exception error)
        {
            host.ReportCancellingFailure(error);
        }
    }

    /// <summary>A stream of the caller's throws what it likes here, too. The connection is over all the same.</summary>
    private void CloseStream(Stream? stream)
    {
        try
        {
            stream?.Dispose();
        }
        catch (Exception error)
        {
            host.ReportClosingFailure(error);
        }
    }

    /// <summary>Null: the engine knows already that this attempt is over.</summary>
    private async Task<CloseReason?> DialAndReadAsync()
    {
        Stream stream;
        try
        {
            if (await host.PrepareAsync(this, _dialling.Token).ConfigureAwait(false) is not { } server)
            {
                return null;
            }

            host.Telemetry.Dialling(server);
            stream = await TransportFactory.For(server, host.Options.TimeProvider, host.Options.KeepAlive).ConnectAsync(host.SetDialStage, _dialling.Token).ConfigureAwait(false);
        }
        catch (MqttConnectException error)
        {
            return new CloseReason(CloseKind.DialFailed, error.Message) { Cause = error, IsTransient = error.IsTransient };
        }
        catch (OperationCanceledException) when (_dialling.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception error)
        {
            var wrapped = new MqttConnectException($"Cannot connect to {dial.Target.Name}: {error.Message}", ConnectStage.Tcp, error) { IsTransient = false };
            return new CloseReason(CloseKind.DialFailed, error.Message) { Cause = wrapped, IsTransient = false };
        }

        bool closed;
        lock (_lock)
        {
            _stream = stream;
            closed = _closed;
        }

        if (closed)
        {
            CloseStream(stream);
            return null;
        }

        Info = TransportDescription.Of(stream);
        Flusher = new Flusher(host, this);
        var flushing = Flusher.RunAsync(stream);
        if (host.Dialed(this) is not { } inbound)
        {
            return null;
        }

        _ = flushing;
        var receiver = new Receiver(host, this, stream, inbound);
        lock (_lock)
        {
            _receiver = receiver;
            closed = _closed;
        }

        if (closed)
        {
            receiver.Stop();
        }

        var ended = await receiver.RunAsync().ConfigureAwait(false);
        return _closedBy is { } first and not ObjectDisposedException ? ended with { Cause = first } : ended;
    }
}
