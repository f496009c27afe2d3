using System.Diagnostics;

namespace Nightjar.Protocol.Journal;

/// <summary>What a live record stands for; together with a key it says where the thing itself is.</summary>
internal enum LiveKind : byte
{
    /// <summary>A message to be sent; the key is its handle, and its place is made of it.</summary>
    Message,

    /// <summary>A received message without a final answer; the key is its packet identifier.</summary>
    Arrival,

    /// <summary>A received message that lies in the log until its handlers are done; the key is its handle.</summary>
    Stored,

    /// <summary>The id of a message that is done.</summary>
    CompletedId,

    /// <summary>A subscription identifier.</summary>
    Identifier,

    /// <summary>Whose session it is, and where.</summary>
    Identity,
}

/// <summary>
/// The records from which what is alive could be rebuilt, oldest first: everything before the first of them is needed no more. Each thing has one, the last that tells it whole;
/// what was added to it later lies behind. Every operation is O(1), and places are used again.
/// </summary>
/// <remarks>Of messages there may be a million: their places are their handles, and their sizes are not kept but asked for, so that each takes 16 bytes here.</remarks>
/// <param name="sizeOfMessage">What the message with this handle takes in the log, near enough; the same for as long as it is here.</param>
internal sealed class LiveRecords(Func<int, int> sizeOfMessage)
{
    private const int PageBits = 8;
    private const int PageSize = 1 << PageBits;
    private const int KindBits = 3;

    // Places of messages are even, those of other things odd.
    private readonly List<Link[]?> _messages = [];
    private readonly List<Thing[]> _things = [];
    private int _free = -1;
    private int _newest = -1;

    /// <summary>The oldest; -1 if there is none.</summary>
    public int Oldest { get; private set; } = -1;

    public int Count { get; private set; }

    /// <summary>What all of them take in the log.</summary>
    public long Bytes { get; private set; }

    public long SequenceOf(int place) => At(place).Sequence;

    public int SizeOf(int place) => IsMessage(place) ? sizeOfMessage(place >> 1) : (int)(ThingAt(place).SizeAndKind >> KindBits);

    public LiveKind KindOf(int place) => IsMessage(place) ? LiveKind.Message : (LiveKind)(ThingAt(place).SizeAndKind & ((1 << KindBits) - 1));

    public int KeyOf(int place) => IsMessage(place) ? place >> 1 : ThingAt(place).Key;

    /// <summary>A new message, told by a record that is newer than all here.</summary>
    public void AddMessage(int handle, long sequence)
    {
        var page = handle >> PageBits;
        while (_messages.Count <= page)
        {
            _messages.Add(null);
        }

        _messages[page] ??= new Link[PageSize];
        Append(handle << 1, sequence);
    }

    /// <summary>The message is no more; its content is still there. Nothing happens if it is not here.</summary>
    public void RemoveMessage(int handle)
    {
        var page = handle >> PageBits;
        if (page < _messages.Count && _messages[page] is { } links && links[handle & (PageSize - 1)].Sequence != 0)
        {
            Unlink(handle << 1);
        }
    }

    /// <summary>A new thing that is no message, told by a record that is newer than all here. Returns its place.</summary>
    public int Add(LiveKind kind, int key, long sequence, int size)
    {
        if (_free < 0)
        {
            AddPage();
        }

        var place = _free;
        ref var thing = ref ThingAt(place);
        _free = thing.Link.Newer;
        thing.Key = key;
        thing.SizeAndKind = ((uint)size << KindBits) | (uint)kind;
        Append(place, sequence);
        return place;
    }

    /// <summary>The thing was told anew by a record that is newer than all here. What a message takes stays as it was.</summary>
    public void Renew(int place, long sequence, int size)
    {
        Unlink(place);
        if (!IsMessage(place))
        {
            ref var thing = ref ThingAt(place);
            thing.SizeAndKind = ((uint)size << KindBits) | (thing.SizeAndKind & ((1 << KindBits) - 1));
        }

        Append(place, sequence);
    }

    /// <summary>The thing, which is no message, is no more.</summary>
    public void Remove(int place)
    {
        Unlink(place);
        ThingAt(place).Link.Newer = _free;
        _free = place;
    }

    private static bool IsMessage(int place) => (place & 1) == 0;

    private ref Link At(int place)
    {
        if (IsMessage(place))
        {
            return ref _messages[place >> (PageBits + 1)]![(place >> 1) & (PageSize - 1)];
        }

        return ref ThingAt(place).Link;
    }

    private ref Thing ThingAt(int place) => ref _things[place >> (PageBits + 1)][(place >> 1) & (PageSize - 1)];

    private void Append(int place, long sequence)
    {
        ref var link = ref At(place);
        Debug.Assert(link.Sequence == 0 && sequence != 0);
        link.Sequence = sequence;
        link.Older = _newest;
        link.Newer = -1;
        if (_newest < 0)
        {
            Oldest = place;
        }
        else
        {
            At(_newest).Newer = place;
        }

        _newest = place;
        Count++;
        Bytes += SizeOf(place);
    }

    private void Unlink(int place)
    {
        ref var link = ref At(place);
        Debug.Assert(link.Sequence != 0);
        link.Sequence = 0;
        if (link.Older < 0)
        {
            Oldest = link.Newer;
        }
        else
        {
            At(link.Older).Newer = link.Newer;
        }

        if (link.Newer < 0)
        {
            _newest = link.Older;
        }
        else
        {
            At(link.Newer).Older = link.Older;
        }

        Count--;
        Bytes -= SizeOf(place);
    }

    private void AddPage()
    {
        var first = _things.Count << PageBits;
        var page = new Thing[PageSize];
        for (var i = 0; i < PageSize; i++)
        {
            page[i].Link.Newer = i + 1 < PageSize ? ((first + i + 1) << 1) | 1 : -1;
        }

        _things.Add(page);
        _free = (first << 1) | 1;
    }

    private struct Link
    {
        /// <summary>0: nothing is here.</summary>
        public long Sequence;
        public int Older;

        /// <summary>The next newer one; of a place that is free, the next free one.</summary>
        public int Newer;
    }

    private struct Thing
    {
        public Link Link;
        public int Key;
        public uint SizeAndKind;
    }
}
