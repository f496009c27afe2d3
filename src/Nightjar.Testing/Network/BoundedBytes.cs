namespace Nightjar.Testing;

/// <summary>One direction of an <see cref="InMemoryStream"/>: a ring of bytes with one reader and one writer. Thread-safe.</summary>
internal sealed class BoundedBytes(int capacity)
{
    // Most connections of a test carry little; the ring grows when it must.
    private const int FirstLength = 1024;

    private readonly Lock _gate = new();
    private byte[] _ring = [];
    private int _start;
    private int _count;
    private bool _complete;
    private bool _reset;
    private bool _abandoned;
    private TaskCompletionSource? _readable;
    private TaskCompletionSource? _writable;

    public async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Task wait;
            lock (_gate)
            {
                ObjectDisposedException.ThrowIf(_abandoned, typeof(InMemoryStream));
                if (_reset)
                {
                    throw new IOException("The other end reset the connection.");
                }

                if (_count > 0)
                {
                    return Take(destination.Span);
                }

                if (_complete)
                {
                    return 0;
                }

                wait = Waiter(ref _readable);
            }

            await wait.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Task wait;
            lock (_gate)
            {
                if (_complete || _reset)
                {
                    throw new IOException("This end was closed for writing.");
                }

                if (_abandoned)
                {
                    throw new IOException("The other end is closed.");
                }

                source = source[Put(source.Span)..];
                if (source.IsEmpty)
                {
                    return;
                }

                wait = Waiter(ref _writable);
            }

            await wait.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The writer will write no more.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            _complete = true;
            WakeBoth();
        }
    }

    /// <summary>The writer takes back what was not read.</summary>
    public void Reset()
    {
        lock (_gate)
        {
            _reset = true;
            _count = 0;
            _ring = [];
            WakeBoth();
        }
    }

    /// <summary>The reader will read no more.</summary>
    public void Abandon()
    {
        lock (_gate)
        {
            _abandoned = true;
            _count = 0;
            _ring = [];
            WakeBoth();
        }
    }

    private static Task Waiter(ref TaskCompletionSource? waiter) =>
        (waiter ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    private static void Wake(ref TaskCompletionSource? waiter)
    {
        waiter?.TrySetResult();
        waiter = null;
    }

    private void WakeBoth()
    {
        Wake(ref _readable);
        Wake(ref _writable);
    }

    private int Take(Span<byte> destination)
    {
        var taken = Math.Min(_count, destination.Length);
        var first = Math.Min(taken, _ring.Length - _start);
        _ring.AsSpan(_start, first).CopyTo(destination);
        _ring.AsSpan(0, taken - first).CopyTo(destination[first..]);
        _count -= taken;
        _start = _count == 0 ? 0 : (_start + taken) % _ring.Length;
        if (taken > 0)
        {
            Wake(ref _writable);
        }

        return taken;
    }

    private int Put(ReadOnlySpan<byte> source)
    {
        var put = Math.Min(capacity - _count, source.Length);
        if (put == 0)
        {
            return 0;
        }

        Reserve(_count + put);
        var end = (_start + _count) % _ring.Length;
        var first = Math.Min(put, _ring.Length - end);
        source[..first].CopyTo(_ring.AsSpan(end));
        source[first..put].CopyTo(_ring);
        _count += put;
        Wake(ref _readable);
        return put;
    }

    private void Reserve(int length)
    {
        if (length <= _ring.Length)
        {
            return;
        }

        var larger = new byte[Math.Min(capacity, Math.Max(FirstLength, Math.Max(length, _ring.Length * 2)))];
        var first = Math.Min(_count, _ring.Length - _start);
        _ring.AsSpan(_start, first).CopyTo(larger);
        _ring.AsSpan(0, _count - first).CopyTo(larger.AsSpan(first));
        _ring = larger;
        _start = 0;
    }
}
