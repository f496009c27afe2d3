namespace Nightjar.Subscriptions;

/// <summary>
/// The QoS 0 messages of a subscription that limits them. They lie apart from those that are never dropped, and each remembers how many of the others came before it, so that all
/// are taken in the order of arrival. One writer (the receive loop), one reader.
/// </summary>
internal sealed class LimitedQueue(int limit, Overflow overflow)
{
    private readonly Lock _lock = new();
    private readonly List<Entry> _appended = [];
    private Entry[] _ring = new Entry[Math.Min(limit, 16)];
    private int _head;
    private int _count;
    private int _outside;
    private TaskCompletionSource? _whenRoom;
    private int _roomAt;
    private bool _closed;

    public int Limit => limit;

    /// <summary>Messages that wait here, and those that the reader has put aside.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _count + _outside;
            }
        }
    }

    /// <summary>Whether the receive loop must wait before it brings more.</summary>
    public bool IsFull => overflow == Overflow.Wait && Count >= limit;

    /// <summary>Nothing is dropped here.</summary>
    public bool Waits => overflow == Overflow.Wait;

    /// <summary>Whether there is something to take.</summary>
    public bool HasMessages => Volatile.Read(ref _count) > 0;

    /// <summary>The writer's: the reader does not see it before <see cref="Publish"/>.</summary>
    /// <param name="message">The message.</param>
    /// <param name="after">How many of the others came before it.</param>
    public void Append(in ReceivedMessage message, long after) => _appended.Add(new Entry(message, after));

    /// <summary>The writer's: shows the reader what was appended. Returns how many messages were dropped for it.</summary>
    public int Publish()
    {
        var dropped = 0;
        lock (_lock)
        {
            foreach (var entry in _appended)
            {
                if (_count + _outside >= limit && overflow != Overflow.Wait)
                {
                    dropped++;
                    if (overflow == Overflow.DropNewest || _count == 0)
                    {
                        entry.Message.Chunk.Release();
                        continue;
                    }

                    Pop().Message.Chunk.Release();
                }

                Push(entry);
            }
        }

        _appended.Clear();
        return dropped;
    }

    /// <summary>The reader's: takes the oldest, unless one of the others comes first.</summary>
    /// <param name="taken">How many of the others were taken.</param>
    /// <param name="message">The message.</param>
    public bool TryTake(long taken, out ReceivedMessage message)
    {
        lock (_lock)
        {
            if (_count == 0 || _ring[_head].After > taken)
            {
                message = default;
                return false;
            }

            message = Pop().Message;
            MakeRoom();
            return true;
        }
    }

    /// <summary>The reader's: so many messages that it took wait elsewhere, or do so no more.</summary>
    public void PutAside(int change)
    {
        lock (_lock)
        {
            _outside += change;
            MakeRoom();
        }
    }

    /// <summary>Ends when half of what waits is taken.</summary>
    public Task WhenRoom()
    {
        lock (_lock)
        {
            _roomAt = (_count + _outside) / 2;
            var whenRoom = _whenRoom = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            MakeRoom();
            return whenRoom.Task;
        }
    }

    /// <summary>Nobody will take anything any more.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _closed = true;
            MakeRoom();
        }
    }

    private void MakeRoom()
    {
        if (_whenRoom is not null && (_closed || _count + _outside <= _roomAt))
        {
            _whenRoom.TrySetResult();
            _whenRoom = null;
        }
    }

    private void Push(in Entry entry)
    {
        if (_count == _ring.Length)
        {
            var larger = new Entry[_ring.Length * 2];
            for (var i = 0; i < _count; i++)
            {
                larger[i] = _ring[(_head + i) % _ring.Length];
            }

            (_ring, _head) = (larger, 0);
        }

        _ring[(_head + _count) % _ring.Length] = entry;
        _count++;
    }

    private Entry Pop()
    {
        var entry = _ring[_head];
        _ring[_head] = default;
        _head = (_head + 1) % _ring.Length;
        _count--;
        return entry;
    }

    private readonly record struct Entry(ReceivedMessage Message, long After);
}
