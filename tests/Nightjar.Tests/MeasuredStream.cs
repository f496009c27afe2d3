using System.Runtime.InteropServices;

namespace Nightjar.Tests;

/// <summary>
/// Passes everything on and notes how the client reads: how much, and into how much memory. It can keep a read or a write that is under way from ending with the stream.
/// </summary>
internal sealed class MeasuredStream(Stream inner) : Stream
{
    private readonly HashSet<byte[]> _buffers = [];
    private readonly Lock _lock = new();
    private long _bytes;
    private int _emptyReads;
    private readonly TaskCompletionSource _emptyRead = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Set: reads and writes wait for this before they end, whatever happens to the stream.</summary>
    public Task? HoldReads { get; set; }

    public Task? HoldWrites { get; set; }

    /// <summary>What the held read returns instead, if anything.</summary>
    public byte[]? LateBytes { get; set; }

    public long BytesRead => Interlocked.Read(ref _bytes);

    public int EmptyReads => Volatile.Read(ref _emptyReads);

    /// <summary>Completes with the first read without a buffer.</summary>
    public Task WhenEmptyRead => _emptyRead.Task;

    /// <summary>How many arrays were read into, and how large they are together.</summary>
    public (int Count, long Size) Buffers
    {
        get
        {
            lock (_lock)
            {
                return (_buffers.Count, _buffers.Sum(b => (long)b.Length));
            }
        }
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty)
        {
            Interlocked.Increment(ref _emptyReads);
            _emptyRead.TrySetResult();
        }
        else if (MemoryMarshal.TryGetArray<byte>(buffer, out var segment))
        {
            lock (_lock)
            {
                _buffers.Add(segment.Array!);
            }
        }

        int count;
        try
        {
            count = await inner.ReadAsync(buffer, cancellationToken);
        }
        catch (Exception) when (HoldReads is { } hold)
        {
            await hold;
            if (LateBytes is not { } late)
            {
                throw;
            }

            LateBytes = null;
            late.CopyTo(buffer);
            return late.Length;
        }

        Interlocked.Add(ref _bytes, count);
        return count;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (HoldWrites is { } hold)
        {
            await hold;
        }

        await inner.WriteAsync(buffer, cancellationToken);
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush() => throw new NotSupportedException();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        inner.Dispose();
        base.Dispose(disposing);
    }
}
