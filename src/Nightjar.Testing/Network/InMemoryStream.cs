namespace Nightjar.Testing;

/// <summary>
/// One end of a connection that lives in memory: no socket, no timer, no thread. What is written to one end is read at the
/// other, through a bounded buffer, so that a reader that stops makes the writer wait, as on a network. At most one read and one
/// write at a time. Asynchronous only.
/// </summary>
public sealed class InMemoryStream : Stream
{
    private readonly BoundedBytes _incoming;
    private readonly BoundedBytes _outgoing;

    private InMemoryStream(BoundedBytes incoming, BoundedBytes outgoing)
    {
        _incoming = incoming;
        _outgoing = outgoing;
    }

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <summary>Not supported: a connection has no length.</summary>
    public override long Length => throw new NotSupportedException("A connection has no length.");

    /// <summary>Not supported: a connection has no position.</summary>
    public override long Position
    {
        get => throw new NotSupportedException("A connection has no position.");
        set => throw new NotSupportedException("A connection has no position.");
    }

    /// <summary>Two ends that are connected to each other.</summary>
    /// <param name="capacity">How many bytes may be under way in each direction, at least 1. Default: 65,536.</param>
    public static (InMemoryStream Near, InMemoryStream Far) CreatePair(int capacity = 65_536)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        var one = new BoundedBytes(capacity);
        var other = new BoundedBytes(capacity);
        return (new InMemoryStream(one, other), new InMemoryStream(other, one));
    }

    /// <summary>Half-closes: the other end reads what is under way and then 0 bytes. Reading goes on. Harmless when repeated.</summary>
    public void CompleteWriting() => _outgoing.Complete();

    /// <summary>Resets the connection: what is under way is lost, and the other end's reads and writes fail with <see cref="IOException"/>.</summary>
    public void Abort()
    {
        _outgoing.Reset();
        _incoming.Abandon();
    }

    /// <summary>
    /// Waits for at least one byte and copies what is there; 0 at the end. With an empty <paramref name="buffer"/> it waits until there is
    /// something to read, and takes nothing.
    /// </summary>
    /// <exception cref="IOException">The other end reset the connection.</exception>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        _incoming.ReadAsync(buffer, cancellationToken);

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    /// <summary>Completes when all bytes are in the buffer; if it is cancelled, some of them may be.</summary>
    /// <exception cref="IOException">The other end is closed.</exception>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        _outgoing.WriteAsync(buffer, cancellationToken);

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    /// <summary>Does nothing: what is written is under way.</summary>
    public override void Flush()
    {
    }

    /// <summary>Does nothing: what is written is under way.</summary>
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Not supported: use <see cref="ReadAsync(Memory{byte}, CancellationToken)"/>.</summary>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Use ReadAsync.");

    /// <summary>Not supported: use <see cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/>.</summary>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Use WriteAsync.");

    /// <summary>Not supported.</summary>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException("A connection has no position.");

    /// <summary>Not supported.</summary>
    public override void SetLength(long value) => throw new NotSupportedException("A connection has no length.");

    /// <summary>Closes: the other end reads what is under way and then 0 bytes; its writes fail.</summary>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _outgoing.Complete();
            _incoming.Abandon();
        }

        base.Dispose(disposing);
    }
}
