namespace Nightjar.Protocol.Engine;

/// <summary>A first-in, first-out queue of stored messages, linked through their places: it allocates nothing.</summary>
internal struct MessageQueue
{
    private int _first;
    private int _last;

    public MessageQueue() => _first = _last = -1;

    private long _added;

    public int Count { get; private set; }

    /// <summary>Numbers the newest message, for <see cref="HasLeft"/>.</summary>
    public readonly long Last => _added;

    /// <summary>The oldest; -1 if it is empty.</summary>
    public readonly int First => _first;

    public void Enqueue(MessageStore store, int handle)
    {
        store[handle].Next = -1;
        store[handle].Number = ++_added;
        if (_last < 0)
        {
            _first = handle;
        }
        else
        {
            store[_last].Next = handle;
        }

        _last = handle;
        Count++;
    }

    /// <summary>Whether all messages up to this number have left, one way or the other, and none of them came back.</summary>
    public readonly bool HasLeft(MessageStore store, long number) => _first < 0 || store[_first].Number > number;

    /// <summary>Takes the oldest away.</summary>
    public int Dequeue(MessageStore store)
    {
        var handle = _first;
        _first = store[handle].Next;
        if (_first < 0)
        {
            _last = -1;
        }

        Count--;
        return handle;
    }

    /// <summary>Takes one out of the middle: O(length), for a message that its sender withdraws.</summary>
    public bool Remove(MessageStore store, int handle)
    {
        var previous = -1;
        for (var current = _first; current >= 0; previous = current, current = store[current].Next)
        {
            if (current != handle)
            {
                continue;
            }

            var next = store[current].Next;
            if (previous < 0)
            {
                _first = next;
            }
            else
            {
                store[previous].Next = next;
            }

            if (_last == current)
            {
                _last = previous;
            }

            Count--;
            return true;
        }

        return false;
    }

    /// <summary>Puts messages that had left before, in order, before all others.</summary>
    public void PutInFront(MessageStore store, List<int> handles)
    {
        for (var i = handles.Count - 1; i >= 0; i--)
        {
            store[handles[i]].Next = _first;
            if (_first < 0)
            {
                _last = handles[i];
            }

            _first = handles[i];
            Count++;
        }
    }
}
