using System.Diagnostics.CodeAnalysis;
using Nightjar.Protocol.Engine;
using Nightjar.Subscriptions;

namespace Nightjar.Connection;

/// <summary>
/// The receive loop of one connection: reads chunks, parses all complete packets in place, lets the engine apply them together, hands messages to their queues. It
/// awaits no user code; it pauses when the messages that wait for handlers use up their budget, when a payload that is read as it arrives is not being read, and when the peer
/// takes no acknowledgements.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "RunAsync disposes what it uses when it ends, and it always ends.")]
internal sealed class Receiver(EngineHost host, NetworkConnection connection, Stream stream, Inbound inbound)
{
    // How long handlers may stand still before QoS 0 messages are dropped rather than leave acknowledgements and pings unread behind them.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    // How long the loop lets handlers catch up. Longer than any burst of work, too short for a publisher behind it to notice.
    private static readonly TimeSpan Breath = TimeSpan.FromMilliseconds(20);

    // After so long without a byte the connection is an idle one, and gives its chunk up before it waits for the next. A pause within a conversation is shorter.
    private static readonly TimeSpan IdleAfter = TimeSpan.FromSeconds(5);

    private readonly InboundBatch _batch = new();
    private readonly ReceiveBudget _budget = host.ReceiveBudget;
    private readonly TimeProvider _time = host.Options.TimeProvider;
    private readonly ReceiveBuffer _buffer = new(host.ReceiveBudget);
    private readonly RoomWait _room = new(host.ReceiveBudget, host.Options.TimeProvider);
    private readonly MessageDelivery _delivery = new(host.ReceiveBudget);
    private readonly TaskCompletionSource _stopping = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isIdle;
    private bool _handlersStandStill;
    private bool _dropping;
    private bool _deaf;

    public async Task<CloseReason> RunAsync()
    {
        try
        {
            while (true)
            {
                if (_budget.Held >= _budget.ReadAhead)
                {
                    await PauseAsync().ConfigureAwait(false);
                }
                else
                {
                    Recover();
                }

                var reading = _isIdle && _buffer.TryRest() ? ReadWhenThereIsSomethingAsync() : stream.ReadAsync(_buffer.Free, CancellationToken.None);
                _isIdle = false;
                int read;
                if (reading.IsCompleted)
                {
                    read = await reading.ConfigureAwait(false);
                }
                else
                {
                    _budget.Trim(ReceiveBudget.KeptWhenQuiet);
                    var began = _time.GetTimestamp();
                    read = await reading.ConfigureAwait(false);
                    _isIdle = _time.GetElapsedTime(began) >= IdleAfter;
                }

                if (read == 0)
                {
                    return new CloseReason(CloseKind.TransportLost, "The server closed the connection without a word.");
                }

                if (_dropping && _budget.Held < _budget.ReadAhead)
                {
                    // The handlers caught up while there was nothing to read.
                    Recover();
                }

                _buffer.Read(read);
                Handle();
                if (host.Waiters.Resuming >= Flusher.Crowd)
                {
                    // Those who were just answered go first: the next read then finds more at once, and the flush of their messages too.
                    await Task.Yield();
                }

                await host.WhenControlHasRoom(connection).ConfigureAwait(false);
                if (!_delivery.WhenStreamsAreRead().IsCompleted)
                {
                    await PauseForStreamsAsync().ConfigureAwait(false);
                }

                _buffer.MakeRoom(inbound.BytesNeeded);
                if (_delivery.FullFeed is { } full)
                {
                    await WaitForQueueAsync(full).ConfigureAwait(false);
                }
            }
        }
        catch (MqttConnectException error)
        {
            // TLS 1.3 refuses a client certificate only after the handshake.
            return new CloseReason(CloseKind.DialFailed, error.Message) { Cause = error, IsTransient = error.IsTransient };
        }
        catch (Exception error)
        {
            // A stream of the caller's throws what it likes; whatever it is, the connection is over.
            return new CloseReason(CloseKind.TransportLost, $"The connection broke: {error.Message}") { Cause = error };
        }
        finally
        {
            _delivery.Stop();
            _room.Dispose();
            _buffer.Dispose();
            host.ReportDropped();
        }
    }

    /// <summary>The connection is ending: from now on it waits for nobody. From any thread.</summary>
    public void Stop()
    {
        _room.Stop();
        _delivery.Stop();
        _stopping.TrySetResult();
    }

    /// <summary>Waits without a chunk. A stream that does not know how to answers at once, and then the wait has a chunk as always.</summary>
    private async ValueTask<int> ReadWhenThereIsSomethingAsync()
    {
        await stream.ReadAsync(Memory<byte>.Empty, CancellationToken.None).ConfigureAwait(false);
        _buffer.Wake();
        return await stream.ReadAsync(_buffer.Free, CancellationToken.None).ConfigureAwait(false);
    }

    private void Handle()
    {
        if (_deaf)
        {
            _buffer.ConsumeAll();
            return;
        }

        var bytes = _buffer.Unparsed;
        var consumed = inbound.Parse(bytes, _batch);
        connection.Trace?.Received(_batch, bytes);
        host.Apply(connection, _batch, bytes);
        lock (host.Delivering)
        {
            _delivery.Deliver(_batch, _buffer.Chunk, _buffer.Start, _dropping);
        }

        _delivery.LetGoOfEnded();
        if (_delivery.HasReports)
        {
            _delivery.HasReports = false;
            host.ReportQueues();
        }

        // After a broken rule nothing more is read from this server, only away.
        if (_batch.Violation is null)
        {
            _buffer.Consume(consumed);
        }
        else
        {
            _buffer.ConsumeAll();
            _deaf = true;
        }

        _batch.Clear();
        host.ReleaseOutput(connection);
    }

    private async ValueTask PauseAsync()
    {
        // Once handlers have shown that they stand still, only the limit counts until they are well ahead again.
        var room = _budget.ReadAhead / 2;
        if (!_handlersStandStill)
        {
            _buffer.Leave();
            _handlersStandStill = !await _room.WaitAsync(room, Breath).ConfigureAwait(false);
        }

        if (_budget.IsOverdrawn || (_budget.IsExhausted && !_dropping))
        {
            _buffer.Leave();
            host.PauseReceiving(connection);
            if (!_dropping)
            {
                _dropping = !await _room.WaitAsync(room, Patience).ConfigureAwait(false);
            }

            if (_budget.IsOverdrawn)
            {
                await _room.WaitAsync(room, Timeout.InfiniteTimeSpan).ConfigureAwait(false);
            }

            host.ResumeReceiving(connection);
        }
    }

    /// <summary>A subscription that drops nothing is full: it has as long as it takes, or as the connection lives.</summary>
    private async ValueTask WaitForQueueAsync(MessageFeed full)
    {
        _delivery.FullFeed = null;
        _buffer.Leave();
        host.PauseReceiving(connection);
        await Task.WhenAny(full.WhenRoom(), _stopping.Task).ConfigureAwait(false);
        host.ResumeReceiving(connection);
    }

    private async ValueTask PauseForStreamsAsync()
    {
        host.PauseReceiving(connection);
        while (_delivery.WhenStreamsAreRead() is { IsCompleted: false } read)
        {
            await read.ConfigureAwait(false);
        }

        host.ResumeReceiving(connection);
    }

    private void Recover()
    {
        if (_handlersStandStill && _budget.Held <= _budget.ReadAhead / 2)
        {
            _handlersStandStill = false;
        }

        if (_dropping)
        {
            _dropping = false;
            host.ReportDropped();
        }
    }
}
