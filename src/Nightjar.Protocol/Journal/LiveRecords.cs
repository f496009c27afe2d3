namespace Nightjar.Protocol.Journal;

/// <summary>What a live record stands for; together with a key it says where the thing itself is.</summary>
internal enum LiveKind : byte
{
    /// <summary>A message to be sent; the key is its handle.</summary>
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
internal sealed class LiveRecords
{
    private const int PageBits = 8;
    private const int PageSize = 1 << PageBits;
    private const int KindBits = 3;

    private readonly List<Entry[]> _pages = [];
    private int _free = -1;
    private int _newest = -1;

    /// <summary>The oldest; -1 if there is none.</summary>
    public int Oldest { get; private set; } = -1;

    public int Count { get; private set; }

    /// <summary>What all of them take in the log.</summary>
    public long Bytes { get; private set; }

    public long SequenceOf(int place) => At(place).Sequence;

    public int SizeOf(int place) => (int)(At(place).SizeAndKind >> KindBits);

    public LiveKind KindOf(int place) => (LiveKind)(At(place).SizeAndKind & ((1 << KindBits) - 1));

    public int KeyOf(int place) => At(place).Key;

    /// <summary>A new thing, told by a record that is newer than all here. Returns its place.</summary>
    public int Add(LiveKind kind, int key, long sequence, int size)
    {
        if (_free < 0)
        {
            AddPage();
        }

        var place = _free;
        ref var entry = ref At(place);
        _free = entry.Newer;
        entry.Key = key;
        entry.SizeAndKind = (uint)kind;
        Count++;
        Append(place, ref entry, sequence, size);
        return place;
    }

    /// <summary>The thing was told anew by a record that is newer than all here.</summary>
    public void Renew(int place, long sequence, int size)
    {
        ref var entry = ref At(place);
        Unlink(place, entry);
        Append(place, ref entry, sequence, size);
    }

    /// <summary>The thing is no more.</summary>
    public void Remove(int place)
    {
        ref var entry = ref At(place);
        Unlink(place, entry);
        Count--;
        entry.Newer = _free;
        _free = place;
    }

    private ref Entry At(int place) => ref _pages[place >> PageBits][place & (PageSize - 1)];

    private void Append(int place, ref Entry entry, long sequence, int size)
    {
        entry.Sequence = sequence;
        entry.SizeAndKind = ((uint)size << KindBits) | (entry.SizeAndKind & ((1 << KindBits) - 1));
        entry.Older = _newest;
        entry.Newer = -1;
        if (_newest < 0)
        {
            Oldest = place;
        }
        else
        {
            At(_newest).Newer = place;
        }

        _newest = place;
        Bytes += size;
    }

    private void Unlink(int place, in Entry entry)
    {
        Bytes -= entry.SizeAndKind >> KindBits;
        if (entry.Older < 0)
        {
            Oldest = entry.Newer;
        }
        else
        {
            At(entry.Older).Newer = entry.Newer;
        }

        if (entry.Newer < 0)
        {
            _newest = entry.Older;
        }
        else
        {
            At(entry.Newer).Older = entry.Older;
        }
    }

    private void AddPage()
    {
        var first = _pages.Count << PageBits;
        var page = new Entry[PageSize];
        for (var i = 0; i < PageSize; i++)
        {
            page[i].Newer = i + 1 < PageSize ? first + i + 1 : -1;
        }

        _pages.Add(page);
        _free = first;
    }

    private struct Entry
    {
        public long Sequence;
        public int Older;

        /// <summary>The next newer one; of a place that is free, the next free one.</summary>
        public int Newer;
        public int Key;
        public uint SizeAndKind;
    }
}
