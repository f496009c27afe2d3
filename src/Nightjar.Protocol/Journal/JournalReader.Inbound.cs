using System.Text;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Session;
using Nightjar.Protocol.Topics;

namespace Nightjar.Protocol.Journal;

// What the server sent, where the session is, and what is missing.
internal sealed partial class JournalReader
{
    // How many identifiers are set aside for lost records: enough for anything but a lost disk, and the session can still work.
    private const int MostReserved = 16_384;
    private const int ReservedForUnknown = 1_024;
    private const long IndexInSegment = 0xFFFFFF;

    private readonly Dictionary<ushort, RestoredArrival> _arrivals = [];
    private readonly Dictionary<long, RestoredDelivery> _deliveries = [];
    private readonly MessageStore _stored = new();
    private readonly List<LostStretch> _lost = [];
    private readonly HashSet<ushort> _reserved = [];
    private ushort _lastId;
    private int _lostRecords;
    private long _lostAt;

    /// <summary>Records are missing here.</summary>
    /// <param name="after">The last record before them; 0 if there is none.</param>
    /// <param name="before">The first behind them; 0 if there is none.</param>
    /// <param name="isTorn">It is the end of the newest segment, which a killed process may have begun to write: nothing that was committed.</param>
    public void Damage(long after, long before, bool isTorn)
    {
        _last = Math.Max(_last, Math.Max(after, before));
        if (isTorn)
        {
            return;
        }

        _lost.Add(new LostStretch(after, before));
        _lostAt = Math.Max(_lostAt, Math.Max(after, before - 1));

        // Perhaps a new session began there.
        _unanswered = true;

        // In a segment numbers have no gaps, and begin at 0; how many are gone at its end cannot be seen, and between segments they leap.
        var count = before == 0 ? ReservedForUnknown : after == 0 ? before & IndexInSegment : before - after - 1;
        count = count > MostReserved ? ReservedForUnknown : count;
        _lostRecords = (int)Math.Clamp(_lostRecords + count, 0, MostReserved);
    }

    private bool Arrived(long sequence, int size, ref RecordReader reader)
    {
        var id = reader.UInt16();
        var bits = reader.Byte();
        var identity = reader.Int64();
        var qos = (QoS)(bits & MessageRecord.QoSMask);
        if (id == 0 || qos is not (QoS.AtLeastOnce or QoS.ExactlyOnce))
        {
            return false;
        }

        _arrivals[id] = new RestoredArrival(id, qos, identity == 0 ? sequence : identity)
        {
            IsReceived = (bits & MessageRecord.ReceivedBit) != 0,
            WasStored = (bits & MessageRecord.StoredBit) != 0,
            Base = sequence,
            Size = size,
        };
        return true;
    }

    private bool ArrivedStored(long sequence, int size, ref RecordReader reader)
    {
        var id = reader.UInt16();
        var bits = reader.Byte();
        var topicLength = reader.UInt16();
        var propertiesLength = reader.Int32();
        var identity = reader.Int64();
        var message = new OutgoingPublish
        {
            Topic = reader.Take(topicLength),
            Properties = reader.Take(propertiesLength),
            Payload = reader.Rest,
            QoS = (QoS)(bits & MessageRecord.QoSMask),
            Retain = (bits & MessageRecord.RetainBit) != 0,
        };
        if (!reader.IsValid || message.QoS is not (QoS.AtLeastOnce or QoS.ExactlyOnce) || !TopicName.IsValid(message.Topic))
        {
            return false;
        }

        var isNew = identity == 0;
        identity = isNew ? sequence : identity;
        if (_deliveries.TryGetValue(identity, out var known))
        {
            _stored.Remove(known.Handle);
        }

        var handle = _stored.Add(message, waiter: null);
        _stored[handle].Record = identity;
        _deliveries[identity] = new RestoredDelivery(identity, handle, sequence, size);
        if (id != 0)
        {
            _arrivals[id] = new RestoredArrival(id, message.QoS, identity)
            {
                IsReceived = (bits & MessageRecord.ReceivedBit) != 0,
                WasStored = true,
                Base = sequence,
                Size = LogSpan.Overhead,
            };
        }

        return true;
    }

    private bool Received(long sequence, int size, ref RecordReader reader)
    {
        var id = reader.UInt16();
        if (id == 0)
        {
            return false;
        }

        if (!_arrivals.TryGetValue(id, out var arrival) || arrival.QoS != QoS.ExactlyOnce)
        {
            _arrivals[id] = arrival = new RestoredArrival(id, QoS.ExactlyOnce, DeliveryId: 0) { Base = sequence, Size = size };
        }

        arrival.IsReceived = true;
        return true;
    }

    private bool Answered(ref RecordReader reader)
    {
        _arrivals.Remove(reader.UInt16());
        return true;
    }

    private bool Handled(ref RecordReader reader)
    {
        if (_deliveries.Remove(reader.Int64(), out var delivery))
        {
            _stored.Remove(delivery.Handle);
        }

        return true;
    }

    private bool Identified(long sequence, int size, ref RecordReader reader)
    {
        var identifier = (uint)reader.Int32();
        var filter = Encoding.UTF8.GetString(reader.Rest);
        if (identifier is 0 or > 268_435_455 || !TopicFilter.TryParse(filter, out _, out _))
        {
            return false;
        }

        _highestIdentifier = Math.Max(_highestIdentifier, identifier);
        _identifiers[(identifier, filter)] = new RestoredIdentifier(identifier, filter, sequence, size);
        return true;
    }

    private bool Unidentified(ref RecordReader reader)
    {
        _identifiers.Remove(((uint)reader.Int32(), Encoding.UTF8.GetString(reader.Rest)));
        return true;
    }

    private bool Identity(long sequence, int size, ref RecordReader reader)
    {
        var bits = reader.Byte();
        var highest = (uint)reader.Int32();
        if (!SessionIdentity.TryRead(reader.Rest, out var identity))
        {
            return false;
        }

        _identity = identity;
        _identityRecord = (sequence, size);
        _uncertain = (bits & 1) != 0;
        _unanswered = (bits & 2) != 0;
        _highestIdentifier = Math.Max(_highestIdentifier, highest);
        return true;
    }

    private bool Connecting()
    {
        _uncertain |= _unanswered;
        _unanswered = true;
        return true;
    }

    private bool Connected(ref RecordReader reader)
    {
        var isCertain = reader.Byte() != 0;
        _unanswered = _uncertain = false;
        foreach (var message in _messages.Values)
        {
            if (!isCertain && message is { Phase: MessagePhase.Assigned, QoS: QoS.ExactlyOnce })
            {
                message.Flags |= PublishFlags.PossiblyDuplicated;
            }
        }

        return true;
    }

    private bool Refused()
    {
        _unanswered = false;
        return true;
    }

    private bool Obsolete(ref RecordReader reader)
    {
        _obsolete = Math.Max(_obsolete, reader.Int64());
        return true;
    }

    /// <summary>
    /// Whether a thing that a record tells is alive: not if the record should be gone, since what ended the thing may be gone already. Unless records are missing that may have told
    /// it anew.
    /// </summary>
    private bool Counts(long sequence) => sequence > _obsolete || IsDoubtful(sequence);

    /// <summary>Records are missing that may have told more of a thing than this one.</summary>
    private bool IsDoubtful(long sequence) => sequence <= _lostAt;

    private List<RestoredDelivery> Deliveries()
    {
        var deliveries = _deliveries.Values.Where(delivery => Counts(delivery.Base)).OrderBy(delivery => delivery.DeliveryId).ToList();
        foreach (var delivery in _deliveries.Values.Where(delivery => !Counts(delivery.Base)))
        {
            _stored.Remove(delivery.Handle);
        }

        return deliveries;
    }

    /// <summary>An identifier was given out: those between it and the one before may have been given out by records that are lost.</summary>
    private void NoteId(ushort id)
    {
        if (_lostRecords > 0)
        {
            Reserve(_lastId, Math.Min(_lostRecords + ClientSession.IdsKeptForSubscribe, (ushort)(id - _lastId - 1)));
            _lostRecords = 0;
        }

        _lastId = id;
    }

    private void Reserve(ushort after, int count)
    {
        for (var i = 1; i <= count; i++)
        {
            _reserved.Add((ushort)(after + i));
        }
    }

    private List<ushort> ReservedIds()
    {
        if (_lostRecords > 0)
        {
            Reserve(_lastId, _lostRecords + ClientSession.IdsKeptForSubscribe);
        }

        _reserved.Remove(0);
        return [.. _reserved];
    }
}
