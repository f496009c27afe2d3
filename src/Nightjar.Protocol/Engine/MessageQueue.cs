namespace Nightjar.Protocol.Engine;

/// <summary>
/// A first-in, first-out queue of stored messages, linked both ways through their places: it allocates nothing, and every operation on one message is O(1). Messages that were sent
/// before and came back lie in front of all that never left.
/// </summary>
internal struct MessageQueue
{
    private int _first;
    private int _last;
    private int _firstNew;

    public MessageQueue() => _first = _last = _firstNew = -1;

    private uint _added;

    public int Count { get; private set; }

    /// <summary>Numbers the newest message, for <see cref="HasLeft"/>.</summary>
    public readonly uint Last => _added;

    /// <summary>The oldest; -1 if it is empty.</summary>
    public readonly int First => _first;

    /// <summary>The oldest of those that never left; -1 if there is none.</summary>
    public readonly int FirstNew => _firstNew;

    public void Enqueue(MessageStore store, int handle)
    {
        ref var message = ref store[handle];
        message.Next = -1;
        message.Previous = _last;
        message.Number = _added = store.NextNumber();
        if (_last < 0)
        {
            _first = handle;
        }
        else
        {
            store[_last].Next = handle;
        }

        if (_firstNew < 0)
        {
            _firstNew = handle;
        }

        _last = handle;
        Count++;
    }

    /// <summary>Whether all messages up to this number have left, one way or the other, and none of them came back.</summary>
    public readonly bool HasLeft(MessageStore store, uint number) => _first < 0 || IsAfter(store[_first].Number, number);

    /// <summary>Numbers go round; those that are queued together lie close.</summary>
    public static bool IsAfter(uint number, uint other) => Compare(number, other) > 0;

    public static int Compare(uint number, uint other) => unchecked((int)(number - other));

    /// <summary>Takes the oldest away.</summary>
    public int Dequeue(MessageStore store)
    {
        var handle = _first;
        Remove(store, handle);
        return handle;
    }

    /// <summary>Takes one out, wherever it is. The caller knows that it is in this queue.</summary>
    public void Remove(MessageStore store, int handle)
    {
        ref var message = ref store[handle];
        if (handle == _firstNew)
        {
            // What comes behind one that never left never left either.
            _firstNew = message.Next;
        }

        if (message.Previous < 0)
        {
            _first = message.Next;
        }
        else
        {
            store[message.Previous].Next = message.Next;
        }

        if (message.Next < 0)
        {
            _last = message.Previous;
        }
        else
        {
            store[message.Next].Previous = message.Previous;
        }

        Count--;
    }

    /// <summary>Puts a message, which is in no queue, into the place of another, with its number.</summary>
    public void Replace(MessageStore store, int old, int handle)
    {
        ref var message = ref store[handle];
        ref var replaced = ref store[old];
        message.Next = replaced.Next;
        message.Previous = replaced.Previous;
        message.Number = replaced.Number;
        if (message.Previous < 0)
        {
            _first = handle;
        }
        else
        {
            store[message.Previous].Next = handle;
        }

        if (message.Next < 0)
        {
            _last = handle;
        }
        else
        {
            store[message.Next].Previous = handle;
        }

        if (_firstNew == old)
        {
            _firstNew = handle;
        }
    }

    /// <summary>Puts messages that had left before, in order, before all others; or those of an earlier process, which <paramref name="neverLeft"/>.</summary>
    public void PutInFront(MessageStore store, List<int> handles, bool neverLeft = false)
    {
        for (var i = handles.Count - 1; i >= 0; i--)
        {
            var handle = handles[i];
            store[handle].Next = _first;
            store[handle].Previous = -1;
            if (_first < 0)
            {
                _last = handle;
            }
            else
            {
                store[_first].Previous = handle;
            }

            _first = handle;
            Count++;
        }

        if (neverLeft && handles.Count > 0)
        {
            _firstNew = handles[0];
        }
    }
}
