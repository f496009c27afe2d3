using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Topics;

namespace Nightjar.Protocol.Journal;

/// <summary>Rebuilds a session from the records that lie in its log. It throws on nothing that it reads: what it cannot understand is counted and passed over.</summary>
internal sealed partial class JournalReader
{
    private readonly Dictionary<long, RestoredMessage> _messages = [];
    private readonly Dictionary<long, RestoredId> _completed = [];
    private readonly Dictionary<(uint Identifier, string Filter), RestoredIdentifier> _identifiers = [];
    private readonly MessageStore _contents = new();
    private readonly LogSpan _span = new();
    private SessionIdentity? _identity;
    private (long Base, int Size) _identityRecord;
    private uint _highestIdentifier;
    private bool _unanswered;
    private bool _uncertain;
    private long _obsolete;
    private long _last;
    private int _unknown;

    /// <summary>The next record, in order.</summary>
    /// <param name="sequence">Its number.</param>
    /// <param name="type">What it is.</param>
    /// <param name="payload">What it says; read during the call.</param>
    public void Record(long sequence, byte type, ReadOnlySpan<byte> payload)
    {
        _last = Math.Max(_last, sequence);
        _span.Append(sequence, payload.Length);
        var size = payload.Length + LogSpan.Overhead;
        var reader = new RecordReader(payload);
        var isKnown = reader.IsValid && (JournalRecord)type switch
        {
            JournalRecord.Message => Message(sequence, size, ref reader),
            JournalRecord.Assigned => Assigned(sequence, size, ref reader),
            JournalRecord.Released => Released(sequence, size, ref reader),
            JournalRecord.Ended => Ended(sequence, size, ref reader),
            JournalRecord.Arrived => Arrived(sequence, size, ref reader),
            JournalRecord.ArrivedStored => ArrivedStored(sequence, size, ref reader),
            JournalRecord.Received => Received(sequence, size, ref reader),
            JournalRecord.ReceivedReleased or JournalRecord.Acknowledged => Answered(ref reader),
            JournalRecord.Handled => Handled(ref reader),
            JournalRecord.Identified => Identified(sequence, size, ref reader),
            JournalRecord.Unidentified => Unidentified(ref reader),
            JournalRecord.Identity => Identity(sequence, size, ref reader),
            JournalRecord.Connecting => Connecting(),
            JournalRecord.Connected => Connected(ref reader),
            JournalRecord.Started => Started(ref reader),
            JournalRecord.Obsolete => Obsolete(ref reader),
            JournalRecord.Refused => Refused(),
            _ => false,
        };
        _unknown += isKnown ? 0 : 1;
    }

    /// <summary>That was all.</summary>
    public RestoredSession Complete()
    {
        return new RestoredSession
        {
            Identity = _identity,
            IdentityRecord = _identityRecord,
            IsUncertain = _uncertain || _unanswered,
            Messages = Messages(),
            Arrivals = [.. _arrivals.Values.Where(arrival => Counts(arrival.Base))],
            Deliveries = Deliveries(),
            Identifiers = [.. _identifiers.Values.Where(identifier => Counts(identifier.Base)).OrderBy(identifier => identifier.Base)],
            HighestIdentifier = _highestIdentifier,
            CompletedIds = [.. _completed.Values.Where(id => Counts(id.Base)).OrderBy(id => id.Completed.Record)],
            ReservedIds = ReservedIds(),
            Lost = _lost,
            UnknownRecords = _unknown,
            Last = _last,
            Contents = _contents,
            Stored = _stored,
            Span = _span,
        };
    }

    private bool Message(long sequence, int size, ref RecordReader reader)
    {
        var bits = reader.Byte();
        var flags = (PublishFlags)reader.Byte();
        var phase = (MessagePhase)reader.Byte();
        var reason = (ReasonCode)reader.Byte();
        var packetId = reader.UInt16();
        var alias = reader.UInt16();
        var topicLength = reader.UInt16();
        var idLength = reader.UInt16();
        var propertiesLength = reader.Int32();
        var payloadLength = reader.Int32();
        var at = reader.Int64();
        var timeToLive = reader.Int64();
        var identity = reader.Int64();
        var order = reader.Int64();
        var message = new OutgoingPublish
        {
            Topic = reader.Take(topicLength),
            Properties = reader.Take(propertiesLength),
            Payload = reader.Take(payloadLength),
            Id = reader.Take(idLength),
            QoS = (QoS)(bits & MessageRecord.QoSMask),
            Retain = (bits & MessageRecord.RetainBit) != 0,
            TopicAlias = alias,
        };
        if (!reader.IsValid || message.QoS is not (QoS.AtLeastOnce or QoS.ExactlyOnce) || !TopicName.IsValid(message.Topic)
            || phase > MessagePhase.Released || (phase == MessagePhase.Queued) != (packetId == 0))
        {
            return false;
        }

        identity = identity == 0 ? sequence : identity;
        if (_messages.TryGetValue(identity, out var known) && !known.IsLost)
        {
            _contents.Remove(known.Handle);
        }

        _messages[identity] = new RestoredMessage
        {
            Record = identity,
            Handle = _contents.Add(message, waiter: null),
            Phase = phase,
            PacketId = packetId,
            QoS = message.QoS,
            Flags = flags,
            ReasonCode = reason,
            Order = order == 0 || phase == MessagePhase.Released ? identity : order,
            ReleasedAt = order,
            At = at > 0 && at <= DateTime.MaxValue.Ticks ? new DateTime(at, DateTimeKind.Utc) : null,
            TimeToLive = Math.Max(0, timeToLive),
            ExpiresByAge = (bits & MessageRecord.AgeBit) != 0,
            Base = sequence,
            Size = size,
        };
        return true;
    }

    private bool Assigned(long sequence, int size, ref RecordReader reader)
    {
        var identity = reader.Int64();
        var id = reader.UInt16();
        var qos = (QoS)reader.Byte();
        if (id == 0 || identity <= 0 || qos is not (QoS.AtLeastOnce or QoS.ExactlyOnce))
        {
            return false;
        }

        NoteId(id);
        var message = Find(identity, sequence, size);
        message.Phase = MessagePhase.Assigned;
        message.PacketId = id;
        message.Flags |= qos < message.QoS ? PublishFlags.QoSLowered : PublishFlags.None;
        message.QoS = qos;
        return true;
    }

    private bool Released(long sequence, int size, ref RecordReader reader)
    {
        var identity = reader.Int64();
        var id = reader.UInt16();
        var reason = (ReasonCode)reader.Byte();
        if (id == 0 || identity <= 0)
        {
            return false;
        }

        var message = Find(identity, sequence, size);
        message.Phase = MessagePhase.Released;
        message.PacketId = id;
        message.QoS = QoS.ExactlyOnce;
        message.ReasonCode = reason;
        message.ReleasedAt = sequence;
        return true;
    }

    private bool Ended(long sequence, int size, ref RecordReader reader)
    {
        var identity = reader.Int64();
        var end = (MessageEnd)reader.Byte();
        var reason = (ReasonCode)reader.Byte();
        var flags = (PublishFlags)reader.Byte();
        var packetId = reader.UInt16();
        if (identity <= 0)
        {
            return false;
        }

        Remove(identity);
        if (end == MessageEnd.Answered && !reason.IsFailure() && !reader.Rest.IsEmpty)
        {
            _completed[identity] = new RestoredId(new CompletedId(reader.Rest.ToArray(), identity, end, reason, flags, packetId), sequence, size);
        }

        return true;
    }

    private bool Started(ref RecordReader reader)
    {
        var isElsewhere = reader.Byte() != 0;
        foreach (var message in _messages.Values.ToList())
        {
            if (message.Phase == MessagePhase.Queued)
            {
                continue;
            }

            if (message.IsLost || (message.Phase == MessagePhase.Released && !isElsewhere))
            {
                // It was the server's, and is done. The record that says so comes next, unless the process stopped between the two.
                RememberReleased(message);
                Remove(message.Record);
                continue;
            }

            message.Phase = MessagePhase.Queued;
            message.PacketId = 0;
            message.ReasonCode = ReasonCode.Success;
            message.Flags |= PublishFlags.PossiblyDuplicated;
        }

        if (isElsewhere && _identity is not null)
        {
            // Where it is now the next record says. Until then it is nowhere: neither the server that was left nor the new one may be taken for the one that has it.
            _identity = _identity with { Session = "", Emptied = null };
        }

        _arrivals.Clear();
        _identifiers.Clear();
        _reserved.Clear();
        _unanswered = _uncertain = false;
        return true;
    }

    private void RememberReleased(RestoredMessage message)
    {
        if (!message.IsLost && _contents[message.Handle].IdLength > 0)
        {
            var id = _contents[message.Handle].Id.ToArray();
            var completed = new CompletedId(id, message.Record, MessageEnd.Answered, message.ReasonCode, message.Flags, message.PacketId);
            _completed[message.Record] = new RestoredId(completed, message.Base, message.Size);
        }
    }

    /// <summary>A message by its identity; if its own record is lost, what is left of it.</summary>
    private RestoredMessage Find(long identity, long sequence, int size)
    {
        if (!_messages.TryGetValue(identity, out var message))
        {
            _messages[identity] = message = new RestoredMessage { Record = identity, Order = identity, Base = sequence, Size = size, QoS = QoS.AtLeastOnce };
        }

        return message;
    }

    private void Remove(long identity)
    {
        if (_messages.Remove(identity, out var message) && !message.IsLost)
        {
            _contents.Remove(message.Handle);
        }
    }

    private List<RestoredMessage> Messages()
    {
        var taken = new HashSet<ushort>();
        var kept = new List<RestoredMessage>(_messages.Count);
        foreach (var message in _messages.Values.OrderByDescending(message => message.Order).ThenByDescending(message => message.Record))
        {
            if (!Counts(message.Base))
            {
                continue;
            }

            kept.Add(message);
            if (message.Phase != MessagePhase.Queued && !taken.Add(message.PacketId))
            {
                // The end of this exchange is lost: a later message has the identifier. Whether it was done, nobody knows.
                message.Phase = MessagePhase.Queued;
                message.PacketId = 0;
                message.Flags |= PublishFlags.PossiblyDuplicated;
            }

            message.Flags |= IsDoubtful(message.Base) && message.QoS == QoS.ExactlyOnce ? PublishFlags.PossiblyDuplicated : PublishFlags.None;
        }

        kept.RemoveAll(message => message is { IsLost: true, Phase: MessagePhase.Queued });
        kept.Reverse(); // mutant: LoseOrderOnResume
        return kept;
    }
}
