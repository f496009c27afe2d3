using System.Buffers;
using System.Diagnostics;
using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Engine;

/// <summary>How far a message came.</summary>
internal enum MessageStage : byte
{
    Free,

    /// <summary>It waits for a connection, for quota or for room; nobody but us knows it.</summary>
    Queued,

    /// <summary>It has a packet identifier, or had one on a lost session.</summary>
    Sent,
}

/// <summary>What else there is to know about a message.</summary>
[Flags]
internal enum MessageTraits : byte
{
    None = 0,

    /// <summary>Its waiter is a receipt: it hears of each step, and no time ends its wait.</summary>
    Receipt = 1,

    /// <summary>It was handed to the transport.</summary>
    Handed = 2,

    /// <summary>What ends at <see cref="MessageStore.ExpiresAt"/> is the age that the outbox allows, not the message's own time.</summary>
    ExpiresByAge = 4,

    /// <summary>Its time to live is over at <see cref="MessageStore.ExpiresAt"/>.</summary>
    Expires = 8,
}

/// <summary>One outgoing message. Its bytes lie in a segment: topic, properties, payload, version-neutral, and its id. 64 bytes, of which a million may wait: what few messages have lies elsewhere.</summary>
internal struct StoredMessage
{
    public MessageSegment? Segment;
    public object? Waiter;

    /// <summary>Where its bytes begin; only messages that share a segment begin anywhere but at 0, and it is no longer than that.</summary>
    public ushort Offset;
    public int PropertiesLength;
    public int PayloadLength;
    public ushort TopicLength;
    public ushort TopicAlias;
    public ushort PacketId;

    /// <summary>How long the application's own id is, as UTF-8; 0: it has none.</summary>
    public ushort IdLength;

    /// <summary>The record of the journal that it came in with: its identity there, and its place among all messages. 0: it is not in one.</summary>
    public long Record;

    /// <summary>The next in its queue, or the next free place.</summary>
    public int Next;

    /// <summary>The one before it in its queue.</summary>
    public int Previous;
    public uint Generation;

    /// <summary>Its number in its queue; it keeps it if it comes back.</summary>
    public uint Number;

    public QoS QoS;
    public bool Retain;
    public MessageStage Stage;
    public PublishFlags Flags;
    public MessageTraits Traits;

    /// <summary>What PUBREC said: the server's verdict on the message, while PUBCOMP only ends the exchange.</summary>
    public ReasonCode ReasonCode;

    public readonly ReadOnlySpan<byte> Topic => Segment!.Bytes.AsSpan(Offset, TopicLength);

    public readonly ReadOnlySpan<byte> Properties => Segment!.Bytes.AsSpan(Offset + TopicLength, PropertiesLength);

    public readonly ReadOnlySpan<byte> Payload => Segment!.Bytes.AsSpan(Offset + TopicLength + PropertiesLength, PayloadLength);

    /// <summary>The application's own id, UTF-8; empty if it has none.</summary>
    public readonly ReadOnlySpan<byte> Id => Segment is null ? default : Segment.Bytes.AsSpan(Offset + TopicLength + PropertiesLength + PayloadLength, IdLength);

    /// <summary>Whether its time to live ends, while it was not sent.</summary>
    public readonly bool Expires => (Traits & MessageTraits.Expires) != MessageTraits.None;

    /// <summary>Topic, properties, payload and id.</summary>
    public readonly ReadOnlySpan<byte> Bytes => Segment is null ? default : Segment.Bytes.AsSpan(Offset, Length);

    /// <summary>What these take.</summary>
    public readonly int Length => Segment is null ? 0 : TopicLength + PropertiesLength + PayloadLength + IdLength;

    /// <summary>As it goes to the wire.</summary>
    public readonly PublishPacket ToPacket(QoS qos, ushort id, bool duplicate) => new()
    {
        Topic = Topic,
        Properties = Properties,
        Payload = Payload,
        QoS = qos,
        Retain = Retain,
        PacketId = id,
        Duplicate = duplicate,
    };
}

/// <summary>A pooled stretch of bytes that several messages share.</summary>
internal sealed class MessageSegment(byte[] bytes)
{
    public readonly byte[] Bytes = bytes;
    public int Used;
    public int Live;
}

/// <summary>
/// The messages that may have to be sent (again). Bytes are copied in once, into shared segments that go back to their pool when the last message in them is done; places are
/// reused, so in steady state nothing is allocated. Not thread-safe: it belongs to the outbound half.
/// </summary>
internal sealed class MessageStore
{
    private const int PageBits = 8;
    private const int PageSize = 1 << PageBits;

    // Large enough to share among hundreds of readings, small enough for the shared pool to keep, and for a message to begin at any place of it.
    private const int SegmentSize = 64 * 1024;

    private readonly List<StoredMessage[]> _pages = [];

    // For each page when its messages expire; null until the first that does.
    private readonly List<long[]?> _expiries = [];
    private MessageSegment? _current;
    private MessageSegment? _spare;
    private int _free = -1;
    private uint _numbered;

    public int Count { get; private set; }

    /// <summary>What topics, properties, payloads and ids of all messages take.</summary>
    public long Bytes { get; private set; }

    public ref StoredMessage this[int handle] => ref _pages[handle >> PageBits][handle & (PageSize - 1)];

    /// <summary>Numbers what is queued, in all queues together.</summary>
    public uint NextNumber() => ++_numbered;

    /// <summary>Copies a message in.</summary>
    public int Add(in OutgoingPublish message, object? waiter)
    {
        var handle = TakePlace();
        ref var stored = ref this[handle];
        var length = message.Length;
        var segment = message.Filled ?? SegmentFor(length);
        stored.Segment = segment;
        stored.Offset = (ushort)segment.Used;
        stored.TopicLength = (ushort)message.Topic.Length;
        stored.PropertiesLength = message.Properties.Length;
        stored.PayloadLength = message.Payload.Length;
        stored.IdLength = (ushort)message.Id.Length;
        stored.TopicAlias = message.TopicAlias;
        stored.PacketId = 0;
        stored.QoS = message.QoS;
        stored.Retain = message.Retain;
        stored.Stage = MessageStage.Queued;
        stored.Flags = PublishFlags.None;
        stored.Traits = message.HasReceipt ? MessageTraits.Receipt : MessageTraits.None;
        stored.Record = 0;
        stored.ReasonCode = ReasonCode.Success;
        stored.Waiter = waiter;
        stored.Next = stored.Previous = -1;

        var target = segment.Bytes.AsSpan(segment.Used, length);
        message.Topic.CopyTo(target);
        message.Properties.CopyTo(target[message.Topic.Length..]);
        if (message.Filled is null)
        {
            message.Payload.CopyTo(target[(message.Topic.Length + message.Properties.Length)..]);
        }

        message.Id.CopyTo(target[(length - message.Id.Length)..]);
        segment.Used += length;
        segment.Live++;
        Count++;
        Bytes += length;
        return handle;
    }

    /// <summary>A place for a message of an earlier process whose content is lost.</summary>
    public int AddLost(QoS qos)
    {
        var handle = TakePlace();
        var generation = this[handle].Generation;
        this[handle] = new StoredMessage { Generation = generation, QoS = qos, Stage = MessageStage.Sent, Next = -1 };
        Count++;
        return handle;
    }

    /// <summary>When the time to live of a message is over that <see cref="StoredMessage.Expires"/>, in ticks of the engine's clock.</summary>
    public long ExpiresAt(int handle) => _expiries[handle >> PageBits]![handle & (PageSize - 1)];

    /// <summary>The message's time to live is over then.</summary>
    public void Expire(int handle, long at)
    {
        while (_expiries.Count < _pages.Count)
        {
            _expiries.Add(null);
        }

        var page = _expiries[handle >> PageBits] ??= new long[PageSize];
        page[handle & (PageSize - 1)] = at;
        this[handle].Traits |= MessageTraits.Expires;
    }

    /// <summary>Whether the ticket's message is still there.</summary>
    public bool IsCurrent(MessageTicket ticket) =>
        ticket.Handle >> PageBits < _pages.Count && this[ticket.Handle] is { Stage: not MessageStage.Free } stored && stored.Generation == ticket.Generation;

    /// <summary>Whether this place holds the message that this waiter waits for.</summary>
    public bool Holds(int handle, object waiter) => handle >= 0 && handle >> PageBits < _pages.Count && ReferenceEquals(this[handle].Waiter, waiter);

    /// <summary>The bytes are not needed any more (PUBREC came); the place is.</summary>
    public void DropBytes(int handle)
    {
        ref var stored = ref this[handle];
        if (stored.Segment is { } segment)
        {
            Bytes -= stored.Length;
            stored.Segment = null;
            Release(segment);
        }
    }

    /// <summary>These go to a server that may have them already, and will not know.</summary>
    public void MarkPossiblyDuplicated(IEnumerable<int> handles)
    {
        foreach (var handle in handles)
        {
            this[handle].Flags |= PublishFlags.PossiblyDuplicated;
        }
    }

    /// <summary>The message is done.</summary>
    public void Remove(int handle)
    {
        DropBytes(handle);
        ref var stored = ref this[handle];
        Debug.Assert(stored.Stage != MessageStage.Free);
        stored.Stage = MessageStage.Free;
        stored.Waiter = null;
        stored.Generation++;
        stored.Next = _free;
        _free = handle;
        Count--;
        if (Count == 0)
        {
            ReturnSpare();
        }
    }

    private int TakePlace()
    {
        if (_free < 0)
        {
            var page = new StoredMessage[PageSize];
            var first = _pages.Count << PageBits;
            for (var i = 0; i < PageSize; i++)
            {
                page[i].Next = i + 1 < PageSize ? first + i + 1 : -1;
            }

            _pages.Add(page);
            _free = first;
        }

        var handle = _free;
        _free = this[handle].Next;
        return handle;
    }

    private MessageSegment SegmentFor(int length)
    {
        if (_current is { } current && SegmentSize - current.Used >= length)
        {
            return current;
        }

        if (length > SegmentSize / 4)
        {
            // It gets a segment of its own, so that it pins nobody else's and the current one goes on.
            return new MessageSegment(ArrayPool<byte>.Shared.Rent(length));
        }

        _current = _spare ?? new MessageSegment(ArrayPool<byte>.Shared.Rent(SegmentSize));
        _spare = null;
        return _current;
    }

    private void Release(MessageSegment segment)
    {
        if (--segment.Live > 0)
        {
            return;
        }

        if (segment == _current)
        {
            segment.Used = 0;
        }
        else if (_spare is null && segment.Bytes.Length == SegmentSize)
        {
            segment.Used = 0;
            _spare = segment;
        }
        else
        {
            ArrayPool<byte>.Shared.Return(segment.Bytes);
        }
    }

    /// <summary>An idle client keeps one segment at most.</summary>
    private void ReturnSpare()
    {
        if (_spare is not null)
        {
            ArrayPool<byte>.Shared.Return(_spare.Bytes);
            _spare = null;
        }
    }
}
