using Nightjar.Connection;

namespace Nightjar.Subscriptions;

/// <summary>
/// A payload on its way: the receive loop appends what arrives, where it lies, the handler reads it. When too much of it is unread the loop pauses, so that a payload of any length
/// takes a few chunks. One reads at a time.
/// </summary>
internal sealed class StreamedPayload(int length, QoS qos) : Stream
{
    /// <summary>How much may wait unread before the loop pauses: a chunk that is being read and one that comes meanwhile.</summary>
    public const int ReadAhead = 2 * ReceiveBuffer.LargestChunk;

    private readonly Queue<Part> _parts = new();
    private readonly Lock _lock = new();
    private int _unread;
    private int _position;
    private bool _ended;
    private Exception? _cut;
    private TaskCompletionSource? _news;
    private TaskCompletionSource? _room;

    public override bool CanRead => !_ended;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position
    {
        get => _position;
        set => throw NotSupported();
    }

    /// <summary>Whether its connection ended before its end came.</summary>
    public bool IsCut => Volatile.Read(ref _cut) is not null;

    /// <summary>The loop's: a piece came. Takes over one share of the chunk, unless the caller keeps it until <see cref="End"/>.</summary>
    public void Append(ReceiveChunk chunk, int offset, int count, bool takesShare = true)
    {
        TaskCompletionSource? news = null;
        lock (_lock)
        {
            if (!_ended && _cut is null)
            {
                _parts.Enqueue(new Part(chunk, offset, count, takesShare));
                _unread += count;
                (news, _news) = (_news, null);
                takesShare = false;
            }
        }

        news?.TrySetResult();
        if (takesShare)
        {
            chunk.Release();
        }
    }

    /// <summary>The loop's: completed, unless too much of it is unread.</summary>
    public Task WhenRead()
    {
        lock (_lock)
        {
            return _unread < ReadAhead ? Task.CompletedTask : (_room ??= NewSource()).Task;
        }
    }

    /// <summary>The connection ended in the middle.</summary>
    public void Cut()
    {
        var after = qos == QoS.AtMostOnce ? "at QoS 0 it does not come again" : "it was not acknowledged, and a server that keeps the session sends it again";
        Close(ended: false, new MqttDisconnectedException($"The connection ended in the middle of a message of {length} bytes; {after}.") { IsTransient = true });
    }

    /// <summary>The handler is done, or nobody wants it; what is unread goes, and what still comes too.</summary>
    public void End() => Close(ended: true, cut: null);

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            Task news;
            lock (_lock)
            {
                if (TryRead(buffer.Span, out var count))
                {
                    return count;
                }

                news = (_news ??= NewSource()).Task;
            }

            await news.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    public override int Read(byte[] buffer, int offset, int count) =>
        throw new NotSupportedException("The rest may still be on its way, and nothing here blocks a thread; use ReadAsync or CopyToAsync.");

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw NotSupported();

    public override void SetLength(long value) => throw NotSupported();

    public override void Write(byte[] buffer, int offset, int count) => throw NotSupported();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            End();
        }

        base.Dispose(disposing);
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static NotSupportedException NotSupported() => new("A payload is read from its beginning to its end.");

    private bool TryRead(Span<byte> buffer, out int count)
    {
        ObjectDisposedException.ThrowIf(_ended, this);
        if (_cut is not null)
        {
            throw _cut;
        }

        count = 0;
        while (count < buffer.Length && _parts.TryPeek(out var part))
        {
            var taken = Math.Min(buffer.Length - count, part.Count - part.Read);
            part.Chunk.Bytes.AsSpan(part.Offset + part.Read, taken).CopyTo(buffer[count..]);
            count += taken;
            part.Read += taken;
            if (part.Read == part.Count)
            {
                _parts.Dequeue();
                part.Release();
            }
        }

        _unread -= count;
        _position += count;
        if (_unread < ReadAhead / 2)
        {
            _room?.TrySetResult();
            _room = null;
        }

        return count > 0 || buffer.IsEmpty || _position == length;
    }

    private void Close(bool ended, Exception? cut)
    {
        TaskCompletionSource? news;
        lock (_lock)
        {
            if (_ended || (cut is not null && (_cut is not null || _position + _unread == length)))
            {
                return;
            }

            _ended = ended;
            _cut ??= cut;
            while (_parts.TryDequeue(out var part))
            {
                part.Release();
            }

            _unread = 0;
            _room?.TrySetResult();
            (news, _news) = (_news, null);
        }

        news?.TrySetResult();
    }

    /// <summary>A piece where it lies.</summary>
    private sealed class Part(ReceiveChunk chunk, int offset, int count, bool hasShare)
    {
        public ReceiveChunk Chunk => chunk;

        public int Offset => offset;

        public int Count => count;

        public int Read { get; set; }

        public void Release()
        {
            if (hasShare)
            {
                chunk.Release();
            }
        }
    }
}
