namespace Nightjar.Testing;

/// <summary>The client's end of a connection, with the faults of a <see cref="FaultyNetwork"/> between it and the real stream.</summary>
internal sealed class FaultyStream(Stream inner, NetworkDirection toServer, NetworkDirection toClient, Action<FaultyStream> closed) : Stream
{
    private readonly CancellationTokenSource _cut = new();
    private readonly CancellationTokenSource _readingEnded = new();

    // Bytes that the server sent and the network has not let through yet. They stay here when a read is cancelled.
    private readonly byte[] _held = new byte[16 * 1024];
    private int _heldStart;
    private int _heldCount;
    private bool _innerEnded;
    private volatile bool _writingEnded;
    private long _read;
    private long _written;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException("A connection has no length.");

    public override long Position
    {
        get => throw new NotSupportedException("A connection has no position.");
        set => throw new NotSupportedException("A connection has no position.");
    }

    /// <summary>Closes the real stream under both ends' hands.</summary>
    public void Cut()
    {
        _cut.Cancel();
        inner.Dispose();
        closed(this);
    }

    /// <summary>The server reads to the end; what the client writes from here on vanishes.</summary>
    public ValueTask<bool> EndWritingAsync()
    {
        _writingEnded = true;
        return HalfClose.CompleteWritingAsync(inner);
    }

    /// <summary>The client reads the end of the stream; what the server sends from here on vanishes.</summary>
    public void EndReading() => _readingEnded.Cancel();

    /// <summary>The client half-closes, behind all that it wrote.</summary>
    public async ValueTask<bool> CompleteWritingAsync()
    {
        await toServer.WaitAsync(_cut.Token).ConfigureAwait(false);
        return await HalfClose.CompleteWritingAsync(inner).ConfigureAwait(false);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _cut.Token, _readingEnded.Token);
        try
        {
            ended.Token.ThrowIfCancellationRequested();
            if (_heldCount == 0 && !_innerEnded)
            {
                _heldStart = 0;
                _heldCount = await inner.ReadAsync(_held, ended.Token).ConfigureAwait(false);
                _innerEnded = _heldCount == 0;
            }

            await toClient.WaitAsync(ended.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            ThrowIfCut();
            return 0;
        }
        catch (Exception e) when (e is ObjectDisposedException or IOException)
        {
            ThrowIfCut();
            throw;
        }

        var available = Math.Min(_heldCount, buffer.Length);
        if (available == 0)
        {
            return 0;
        }

        var piece = toClient.NextPiece(_read, available);
        if (piece == 0)
        {
            Cut();
            ThrowIfCut();
        }

        _held.AsMemory(_heldStart, piece).CopyTo(buffer);
        _heldStart += piece;
        _heldCount -= piece;
        if (toClient.Pass(ref _read, piece))
        {
            Cut();
        }

        return piece;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _cut.Token);
        while (!buffer.IsEmpty && !_writingEnded)
        {
            try
            {
                ended.Token.ThrowIfCancellationRequested();
                await toServer.WaitAsync(ended.Token).ConfigureAwait(false);
                if (_writingEnded)
                {
                    return;
                }

                var piece = toServer.NextPiece(_written, buffer.Length);
                if (piece == 0)
                {
                    Cut();
                    ThrowIfCut();
                }

                await inner.WriteAsync(buffer[..piece], ended.Token).ConfigureAwait(false);
                await inner.FlushAsync(ended.Token).ConfigureAwait(false);
                buffer = buffer[piece..];
                if (toServer.Pass(ref _written, piece))
                {
                    Cut();
                }
            }
            catch (Exception e) when (e is ObjectDisposedException or IOException or OperationCanceledException)
            {
                ThrowIfCut();
                throw;
            }
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Use ReadAsync.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Use WriteAsync.");

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException("A connection has no position.");

    public override void SetLength(long value) => throw new NotSupportedException("A connection has no length.");

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
            closed(this);
        }

        base.Dispose(disposing);
    }

    private void ThrowIfCut()
    {
        if (_cut.IsCancellationRequested)
        {
            throw new IOException($"The faulty network cut the connection, {_written} bytes to the server, {_read} bytes to the client.");
        }
    }
}
