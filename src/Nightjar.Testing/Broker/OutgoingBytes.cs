using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;

namespace Nightjar.Testing.Broker;

/// <summary>
/// What a connection still has to write. Adding never waits; one flush at a time, apart from the caller, takes all that has gathered, so
/// that many packets share a system call and a client that does not read delays nobody else. Thread-safe; its lock is taken last.
/// </summary>
internal sealed class OutgoingBytes(Stream stream, Action written, Action<bool> finished)
{
    // Buffers that grew beyond this for a burst are given back when they are empty.
    private const int KeptLength = 256 * 1024;

    private readonly Lock _gate = new();
    private byte[] _gathering = [];
    private byte[] _spare = [];
    private int _count;
    private int _flushing;
    private bool _busy;
    private bool _complete;

    /// <summary>How many bytes wait, those of a flush under way included.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate)
            {
                return _count + _flushing;
            }
        }
    }

    public void Add(in PublishPacket packet, MqttVersion version)
    {
        lock (_gate)
        {
            if (!_complete)
            {
                _count += PacketWriter.Write(packet, version, Reserve(PacketWriter.GetSize(packet, version)));
                StartFlush();
            }
        }
    }

    public void Add(in AckPacket packet, MqttVersion version)
    {
        lock (_gate)
        {
            if (!_complete)
            {
                _count += PacketWriter.Write(packet, version, Reserve(PacketWriter.GetSize(packet, version)));
                StartFlush();
            }
        }
    }

    public void Add(object packet, MqttVersion version)
    {
        lock (_gate)
        {
            if (!_complete)
            {
                _count += PacketWriter.Write(packet, version, Reserve(PacketWriter.GetSize(packet, version)));
                StartFlush();
            }
        }
    }

    /// <summary>Takes nothing more; when all is written, or cannot be, the owner is told that it finished.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            if (!_complete)
            {
                _complete = true;
                StartFlush();
            }
        }
    }

    private Span<byte> Reserve(int size)
    {
        if (_gathering.Length - _count < size)
        {
            Array.Resize(ref _gathering, Math.Max(_count + size, Math.Max(_gathering.Length * 2, 1024)));
        }

        return _gathering.AsSpan(_count, size);
    }

    private void StartFlush()
    {
        if (!_busy)
        {
            _busy = true;
            ThreadPool.UnsafeQueueUserWorkItem(static output => _ = output.FlushAsync(), this, preferLocal: true);
        }
    }

    private async Task FlushAsync()
    {
        try
        {
            while (TakeGathered(out var bytes))
            {
                await stream.WriteAsync(bytes).ConfigureAwait(false);
                await stream.FlushAsync().ConfigureAwait(false);
                lock (_gate)
                {
                    _flushing = 0;
                }

                written();
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            lock (_gate)
            {
                _complete = true;
                _count = _flushing = 0;
            }

            finished(false);
        }
    }

    private bool TakeGathered(out ReadOnlyMemory<byte> bytes)
    {
        bool complete;
        lock (_gate)
        {
            _flushing = _count;
            bytes = _gathering.AsMemory(0, _count);
            if (_count > 0)
            {
                (_gathering, _spare) = (_spare.Length > KeptLength ? [] : _spare, _gathering);
                _count = 0;
                return true;
            }

            // Stays busy when complete: there is nothing more to flush.
            complete = _complete;
            _busy = complete;
        }

        if (complete)
        {
            finished(true);
        }

        return false;
    }
}
