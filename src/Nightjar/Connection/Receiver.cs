using Nightjar.Protocol.Engine;
using Nightjar.Subscriptions;

namespace Nightjar.Connection;

/// <summary>
/// The receive loop of one connection: reads chunks, parses all complete packets in place, lets the engine apply them together, hands messages to their queues. It
/// awaits no user code; it pauses when the messages that wait for handlers use up their budget, and when the peer takes no acknowledgements.
/// </summary>
internal sealed class Receiver(EngineHost host, NetworkConnection connection, Stream stream, Inbound inbound)
{
    // An idle connection holds the smallest; one that fills its chunks gets larger ones.
    private const int SmallestChunk = 4 * 1024;
    private const int LargestChunk = 64 * 1024;

    // How long handlers may stand still before QoS 0 messages are dropped rather than leave acknowledgements and pings unread behind them.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly InboundBatch _batch = new();
    private readonly List<MessageFeed> _touched = [];
    private readonly ReceiveBudget _budget = host.ReceiveBudget;
    private ReceiveChunk _chunk = host.ReceiveBudget.Rent(SmallestChunk);
    private int _chunkSize = SmallestChunk;
    private int _start;
    private int _end;
    private bool _dropping;

    public async Task<CloseReason> RunAsync()
    {
        try
        {
            while (true)
            {
                if (_budget.IsExhausted)
                {
                    await PauseAsync().ConfigureAwait(false);
                }
                else if (_dropping)
                {
                    _dropping = false;
                    host.ReportDropped();
                }

                var read = await stream.ReadAsync(_chunk.Bytes.AsMemory(_end), CancellationToken.None).ConfigureAwait(false);
                if (read == 0)
                {
                    return new CloseReason(CloseKind.TransportLost, "The server closed the connection without a word.");
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
        var bytes = _chunk.Bytes.AsSpan(_start, _end - _start);
        var consumed = inbound.Parse(bytes, _batch);
        host.Apply(connection, _batch, bytes);
        lock (host.Delivering)
        {
            Deliver();
        }

        _batch.Clear();
        _start += consumed;
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
            _chunk.Bytes.AsSpan(_start, rest).CopyTo(_chunk.Bytes);
            _start = 0;
            _end = rest;
            return;
        }

        // A declared length is believed step by step, as its bytes arrive.
        Replace(Math.Max(_chunkSize, Math.Min(needed, rest * 2)));
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

    private async Task PauseAsync()
    {
        connection.IsPaused = true;
        var room = _budget.WhenRoomAsync();
        var timeProvider = host.Options.TimeProvider;
        using var stop = new CancellationTokenSource();
        if (!_dropping)
        {
            await Task.WhenAny(room, Task.Delay(Patience, timeProvider, stop.Token)).ConfigureAwait(false);
            await stop.CancelAsync().ConfigureAwait(false);
        }

        connection.IsPaused = false;
        _dropping |= !room.IsCompleted;
    }
}
