using Nightjar.Protocol.Engine;
using Nightjar.Subscriptions;

namespace Nightjar.Connection;

/// <summary>
/// The receive loop of one connection: reads chunks, parses all complete packets in place, lets the engine apply them together, hands messages to their queues. It
/// awaits no user code; it pauses when the messages that wait for handlers use up their budget, and when the peer takes no acknowledgements.
/// </summary>
internal sealed class Receiver(EngineHost host, NetworkConnection connection, Stream stream, Inbound inbound)
{
    /// <summary>An idle connection holds a small chunk; one that fills its chunks gets larger ones, up to this.</summary>
    public const int LargestChunk = 64 * 1024;
    private const int SmallestChunk = 4 * 1024;

    // How long handlers may stand still before QoS 0 messages are dropped rather than leave acknowledgements and pings unread behind them.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    // How long the loop lets handlers catch up. Longer than any burst of work, too short for a publisher behind it to notice.
    private static readonly TimeSpan Breath = TimeSpan.FromMilliseconds(20);

    private readonly InboundBatch _batch = new();
    private readonly List<MessageFeed> _touched = [];
    private readonly ReceiveBudget _budget = host.ReceiveBudget;
    private ReceiveChunk _chunk = host.ReceiveBudget.Rent(SmallestChunk);
    private int _chunkSize = SmallestChunk;
    private int _start;
    private int _end;
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

                var reading = stream.ReadAsync(_chunk.Bytes.AsMemory(_end), CancellationToken.None);
                if (!reading.IsCompleted)
                {
                    _budget.Trim();
                }

                var read = await reading.ConfigureAwait(false);
                if (read == 0)
                {
                    return new CloseReason(CloseKind.TransportLost, "The server closed the connection without a word.");
                }

                if (_dropping && _budget.Held < _budget.ReadAhead)
                {
                    // The handlers caught up while there was nothing to read.
                    Recover();
                }

                _end += read;
                Handle();
                await host.WhenControlHasRoom(connection).ConfigureAwait(false);
                MakeRoom();
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
            _chunk.LetGo();
            host.ReportDropped();
        }
    }

    private void Handle()
    {
        if (_deaf)
        {
            _start = _end;
            return;
        }

        var bytes = _chunk.Bytes.AsSpan(_start, _end - _start);
        var consumed = inbound.Parse(bytes, _batch);
        connection.Trace?.Received(_batch, bytes);
        host.Apply(connection, _batch, bytes);
        lock (host.Delivering)
        {
            Deliver();
        }

        // After a broken rule nothing more is read from this server, only away.
        _start = _batch.Violation is null ? _start + consumed : _end;
        _deaf |= _batch.Violation is not null;
        _batch.Clear();
        host.ReleaseOutput(connection);
    }

    private void Deliver()
    {
        var shares = 0;
        for (var i = 0; i < _batch.Count; i++)
        {
            ref var packet = ref _batch[i];
            if (!packet.Deliver)
            {
                continue;
            }

            foreach (var subscription in packet.Route!.Subscriptions)
            {
                var feed = (MessageFeed)subscription;
                if (_dropping && packet.QoS == QoS.AtMostOnce)
                {
                    feed.Dropped++;
                    continue;
                }

                feed.Queue.Append(new ReceivedMessage(packet, _chunk, _start));
                shares++;
                if (!feed.HasNews)
                {
                    feed.HasNews = true;
                    _touched.Add(feed);
                }
            }
        }

        if (shares == 0)
        {
            return;
        }

        // Before anybody sees them: the first reader may be done before the last is told.
        _chunk.Share(shares);
        foreach (var feed in _touched)
        {
            feed.HasNews = false;
            feed.Queue.Publish();
            if (feed.IsClosed)
            {
                feed.LetGo();
            }
        }

        _touched.Clear();
    }

    /// <summary>Sees to it that the next read has room, for the rest of a packet that was cut too.</summary>
    private void MakeRoom()
    {
        var rest = _end - _start;
        if (_end == _chunk.Bytes.Length)
        {
            _chunkSize = Math.Min(_chunkSize * 4, LargestChunk);
        }

        if (rest == 0 && _chunk.IsUnshared)
        {
            _start = _end = 0;
            _chunk.Settle();
            if (_chunk.Bytes.Length < _chunkSize)
            {
                Replace(_chunkSize);
            }

            return;
        }

        var needed = Math.Max(inbound.BytesNeeded, rest + 1);
        var free = _chunk.Bytes.Length - _end;
        if (_start + needed <= _chunk.Bytes.Length && free >= _chunk.Bytes.Length / 4)
        {
            return;
        }

        if (_chunk.IsUnshared && needed <= _chunk.Bytes.Length)
        {
            _chunk.Settle();
            _chunk.Bytes.AsSpan(_start, rest).CopyTo(_chunk.Bytes);
            _start = 0;
            _end = rest;
            return;
        }

        MoveOn();
    }

    /// <summary>To another chunk. A declared length is believed step by step, as its bytes arrive.</summary>
    private void MoveOn()
    {
        var rest = _end - _start;
        Replace(Math.Max(_chunkSize, Math.Min(Math.Max(inbound.BytesNeeded, rest + 1), rest * 2)));
    }

    private void Replace(int size)
    {
        var next = _budget.Rent(size);
        _chunk.Bytes.AsSpan(_start, _end - _start).CopyTo(next.Bytes);
        _chunk.LetGo();
        _chunk = next;
        _end -= _start;
        _start = 0;
    }

    private async ValueTask PauseAsync()
    {
        // Once handlers have shown that they stand still, only the limit counts until they are well ahead again.
        var room = _budget.ReadAhead / 2;
        if (!_handlersStandStill)
        {
            LeaveChunk();
            _handlersStandStill = !await _budget.WaitForRoomAsync(room, Breath).ConfigureAwait(false);
        }

        if (_budget.IsExhausted && !_dropping)
        {
            LeaveChunk();
            connection.IsPaused = true;
            _dropping = !await _budget.WaitForRoomAsync(room, Patience).ConfigureAwait(false);
            connection.IsPaused = false;
        }
    }

    /// <summary>Before waiting: the messages of this chunk would make no room when they are done, as long as the loop has its share in it.</summary>
    private void LeaveChunk()
    {
        if (_chunk.IsUnshared)
        {
            _chunk.Settle();
        }
        else
        {
            MoveOn();
        }
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
