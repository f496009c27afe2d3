using Nightjar.Protocol.Journal;

namespace Nightjar.Testing.Simulation;

/// <summary>
/// What the records of the log say, read independently of the client: which packet may leave, because what it depends on is committed.
/// </summary>
internal sealed class LogBook(World world)
{
    private readonly Dictionary<long, int> _messages = [];
    private readonly Dictionary<ushort, Exchange> _assigned = [];
    private readonly Dictionary<ushort, Exchange> _released = [];
    private readonly Dictionary<ushort, long> _received = [];
    private readonly Dictionary<ushort, long> _acknowledged = [];
    private readonly Dictionary<ushort, long> _completed = [];
    private readonly HashSet<long> _handled = [];
    private readonly List<(long Sequence, int Session)> _sessions = [];
    private long _connecting;
    private long _waived;

    private long Committed => world.Log!.Committed;

    /// <summary>The broker's session that the log knows of; 0: none.</summary>
    public int Session => _sessions.Count > 0 ? _sessions[^1].Session : 0;

    /// <summary>The handlers of a stored message are done.</summary>
    public bool IsHandled(long deliveryId) => _handled.Contains(deliveryId);

    /// <summary>The process is gone, and what survives is added again.</summary>
    public void Clear()
    {
        _messages.Clear();
        _assigned.Clear();
        _released.Clear();
        _received.Clear();
        _handled.Clear();
        _connecting = 0;
        Lost();
    }

    /// <summary>The connection is gone, and with it the answers that were on their way.</summary>
    public void Lost()
    {
        _acknowledged.Clear();
        _completed.Clear();
    }

    public void Add(long sequence, JournalRecord type, ReadOnlySpan<byte> payload, bool isNew)
    {
        var reader = new RecordReader(payload);
        switch (type)
        {
            case JournalRecord.Message:
                Message(sequence, ref reader, isNew);
                break;
            case JournalRecord.Assigned:
                Assigned(sequence, reader.Int64(), reader.UInt16(), isNew);
                break;
            case JournalRecord.Released:
                var message = reader.Int64();
                var id = reader.UInt16();
                Note(_released, id, new Exchange(message, sequence));
                break;
            case JournalRecord.Ended when isNew:
                Ended(sequence, reader.Int64(), (MessageEnd)reader.Byte());
                break;
            case JournalRecord.Arrived:
                Arrived(sequence, reader.UInt16(), reader.Byte(), isRepeated: reader.Int64() != 0);
                break;
            case JournalRecord.ArrivedStored:
                Stored(sequence, ref reader, isNew);
                break;
            case JournalRecord.Received:
                Received(sequence, reader.UInt16(), isNew);
                break;
            case JournalRecord.ReceivedReleased:
                id = reader.UInt16();
                _received.Remove(id);
                _completed[id] = sequence;
                break;
            case JournalRecord.Acknowledged:
                id = reader.UInt16();
                _received.Remove(id);
                _acknowledged[id] = sequence;
                break;
            case JournalRecord.Handled:
                _handled.Add(reader.Int64());
                break;
            case JournalRecord.Connecting:
                _connecting = sequence;
                break;
            case JournalRecord.Started or JournalRecord.Connected:
                Began(sequence, type, isNew);
                break;
        }
    }

    /// <summary>PUBLISH leaves.</summary>
    public void CheckPublish(ushort id, OutgoingRecord record) => world.Require(
        _assigned.TryGetValue(id, out var assigned) && assigned.Record <= Committed && _messages.GetValueOrDefault(assigned.Message, -1) == record.Number,
        $"{record} leaves as {id} before that is committed");

    /// <summary>PUBREL leaves.</summary>
    public void CheckRelease(ushort id) => world.Require(
        _released.TryGetValue(id, out var released) && released.Record <= Committed && _assigned.TryGetValue(id, out var assigned) && assigned.Message == released.Message,
        $"PUBREL {id} leaves before it is committed that PUBREC came");

    /// <summary>PUBREC leaves.</summary>
    public void CheckReceived(ushort id) =>
        world.Require(_received.TryGetValue(id, out var record) && record <= Committed, $"PUBREC {id} leaves before it is committed that the message is handled");

    /// <summary>PUBCOMP leaves.</summary>
    public void CheckComplete(ushort id) =>
        world.Require(_completed.Remove(id, out var record) && record <= Committed, $"PUBCOMP {id} leaves before it is committed that PUBREL came");

    /// <summary>PUBACK leaves, or a PUBREC that refuses.</summary>
    public void CheckAcknowledge(ushort id) =>
        world.Require(_acknowledged.Remove(id, out var record) && record <= Committed, $"the answer to {id} leaves before it is committed");

    /// <summary>CONNECT leaves.</summary>
    public void CheckConnect()
    {
        world.Require(_connecting != 0 && (_connecting <= Committed || world.Log!.IsFailing), "CONNECT leaves before it is committed");
        _waived = _connecting > Committed ? _connecting : _waived;
    }

    /// <summary>What survives a crash goes up to here.</summary>
    public void ForgetSessions(long survived)
    {
        _sessions.RemoveAll(session => session.Sequence > survived);
        world.SessionIsUnknown |= _waived > survived && Session != world.Broker.SessionNumber;
        _waived = 0;
    }

    private void Message(long sequence, ref RecordReader reader, bool isNew)
    {
        reader.Byte();
        reader.Byte();
        var phase = (MessagePhase)reader.Byte();
        reader.Byte();
        var id = reader.UInt16();
        reader.UInt16();
        var topicLength = reader.UInt16();
        reader.UInt16();
        var propertiesLength = reader.Int32();
        var payloadLength = reader.Int32();
        reader.Int64();
        reader.Int64();
        var message = reader.Int64() is var identity and not 0 ? identity : sequence;
        reader.Take(topicLength);
        reader.Take(propertiesLength);
        var number = Payload.Number(reader.Take(payloadLength));
        world.Require(reader.IsValid && number >= 0, $"record {sequence} is no message");
        _messages[message] = number;
        if (isNew)
        {
            world.Outgoing[number].Record = message;
        }

        if (phase != MessagePhase.Queued)
        {
            Note(_assigned, id, new Exchange(message, sequence));
        }

        if (phase == MessagePhase.Released)
        {
            Note(_released, id, new Exchange(message, sequence));
        }
    }

    private void Assigned(long sequence, long message, ushort id, bool isNew)
    {
        Note(_assigned, id, new Exchange(message, sequence));
        if (isNew && _messages.TryGetValue(message, out var number))
        {
            var record = world.Outgoing[number];
            var now = world.Time.Now;
            world.Require(record.ExpiresAt == 0 || record.ExpiresAt > now || record.AssignedAt != 0, $"{record} is sent for the first time after its time is over");
            record.AssignedAt = record.AssignedAt == 0 ? sequence : record.AssignedAt;
        }
    }

    private void Ended(long sequence, long message, MessageEnd end)
    {
        if (_messages.TryGetValue(message, out var number) && world.Outgoing[number] is var record && record.Record == message)
        {
            record.EndedAt = sequence;

            // Nobody may be there any more to hear of it.
            record.IsDropped |= record.Detached && end is MessageEnd.Expired or MessageEnd.Dropped;
        }
    }

    /// <summary>Told anew, it is as true as it was.</summary>
    private static void Note(Dictionary<ushort, Exchange> exchanges, ushort id, Exchange exchange)
    {
        if (!exchanges.TryGetValue(id, out var known) || known.Message != exchange.Message)
        {
            exchanges[id] = exchange;
        }
    }

    private void Arrived(long sequence, ushort id, byte bits, bool isRepeated)
    {
        if (!isRepeated)
        {
            _received.Remove(id);
        }

        if ((bits & MessageRecord.ReceivedBit) != 0)
        {
            _received.TryAdd(id, sequence);
        }
    }

    private void Stored(long sequence, ref RecordReader reader, bool isNew)
    {
        var id = reader.UInt16();
        var bits = reader.Byte();
        var topicLength = reader.UInt16();
        var propertiesLength = reader.Int32();
        var identity = reader.Int64();
        reader.Take(topicLength);
        reader.Take(propertiesLength);
        var number = Payload.Number(reader.Rest);
        world.Require(reader.IsValid && number >= 0 && number < world.Incoming.Count, $"record {sequence} holds no message");
        if (isNew && identity == 0)
        {
            world.Incoming[number].StoredAt = sequence;
        }

        if (id == 0)
        {
            return;
        }

        if (identity == 0)
        {
            _received.Remove(id);
        }

        if ((bits & MessageRecord.ReceivedBit) != 0)
        {
            _received[id] = sequence;
        }
    }

    private void Received(long sequence, ushort id, bool isNew)
    {
        _received[id] = sequence;
        if (isNew && world.Client.Link?.Connection.Answers.Record(id) is { } record)
        {
            record.ReceivedAt = sequence;
        }
    }

    private void Began(long sequence, JournalRecord type, bool isNew)
    {
        if (isNew)
        {
            _sessions.Add((sequence, world.Broker.SessionNumber));
        }

        if (type == JournalRecord.Started)
        {
            _assigned.Clear();
            _released.Clear();
            _received.Clear();
        }
    }

    /// <summary>What an identifier stands for.</summary>
    /// <param name="Message">As the log calls it.</param>
    /// <param name="Record">Where it says so first.</param>
    private readonly record struct Exchange(long Message, long Record);
}
