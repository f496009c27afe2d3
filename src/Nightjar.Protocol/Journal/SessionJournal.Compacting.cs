using Nightjar.Protocol.Engine;

namespace Nightjar.Protocol.Journal;

// Keeping the log short: what has been alive for long is written anew at the end, so that what lies before the next oldest can go. There is no pause: each step does as much as was
// appended since.
internal sealed partial class SessionJournal
{
    /// <summary>What may lie behind the oldest live record, beside <see cref="Factor"/> times what is alive, in bytes.</summary>
    public const long DefaultSlack = 4 * 1024 * 1024;

    private const int Factor = 4;

    private readonly long _slack;
    private readonly List<(CompletedId Id, int Live)> _completed = [];
    private readonly Queue<int> _completedOrder = new();
    private readonly Stack<int> _freeCompleted = new();
    private int _size;
    private long _appended;
    private long _obsolete;
    private long _obsoleteWhen = long.MaxValue;
    private long _obsoleteNext;
    private long _forgotAt;

    /// <summary>Bytes of log from the oldest live record on.</summary>
    public long Span => _live.Oldest < 0 ? 0 : _span.From(_live.SequenceOf(_live.Oldest));

    /// <summary>What would be left if everything were written anew, in bytes.</summary>
    public long LiveBytes => _live.Bytes;

    /// <summary>Ids of messages that were delivered, oldest first.</summary>
    public IEnumerable<CompletedId> CompletedIds => _completedOrder.Select(place => _completed[place].Id);

    /// <summary>The end of a call: nothing is half changed now, so old records may be written anew, at most twice as many bytes as the calls since have appended.</summary>
    public void Compact(long now)
    {
        if (_appended == 0)
        {
            return;
        }

        if (Span <= _slack + (Factor * _live.Bytes))
        {
            _appended = 0;
        }
        else
        {
            Rewrite(now);
        }

        Forget();
    }

    /// <summary>The log is committed up to this record.</summary>
    public void Committed(long sequence)
    {
        if (sequence >= _obsoleteWhen)
        {
            _log.Obsolete(_obsoleteNext);
            _obsolete = _obsoleteNext;
            _obsoleteWhen = long.MaxValue;
            Forget();
        }
    }

    private void Rewrite(long now)
    {
        var credit = 2 * _appended;
        while (_live.Oldest is >= 0 and var oldest && _live.SizeOf(oldest) <= credit && Span > _slack + (Factor * _live.Bytes))
        {
            credit -= _live.SizeOf(oldest);
            _live.Renew(oldest, Rewrite(_live.KindOf(oldest), _live.KeyOf(oldest), now), _size);
        }

        // What is left goes towards a record that is larger than all that was appended since.
        _appended = credit / 2;
    }

    private long Rewrite(LiveKind kind, int key, long now)
    {
        switch (kind)
        {
            case LiveKind.Message:
                return RewriteMessage(key, now);
            case LiveKind.Arrival:
                return AppendArrived(_arrivals[(ushort)key], (ushort)key);
            case LiveKind.Stored:
                ref var stored = ref _storedMessages[key];
                return AppendStored(stored, id: 0, stored.Record, isAnswered: false);
            case LiveKind.CompletedId:
                var completed = _completed[key].Id;
                return AppendEnded(completed, completed.Id);
            case LiveKind.Identifier:
                return AppendIdentified(_identifierPlaces[key].Identifier, _identifierPlaces[key].Filter);
            default:
                return AppendIdentity();
        }
    }

    private long RewriteMessage(int handle, long now)
    {
        ref var message = ref _messages[handle];
        var isReleased = _releases.TryGetValue(handle, out var order);
        if (message.Segment is null)
        {
            // Its content is lost; all that is known is its identifier.
            return isReleased ? AppendReleased(message.Record, message.PacketId, message.ReasonCode) : AppendAssigned(message.Record, message.PacketId, message.QoS);
        }

        var isAssigned = message.Stage == MessageStage.Sent && message.PacketId != 0;
        if (!isReleased)
        {
            _places.TryGetValue(handle, out order);
        }

        return AppendMessage(handle, isReleased ? MessagePhase.Released : isAssigned ? MessagePhase.Assigned : MessagePhase.Queued, order, now);
    }

    /// <summary>What a message takes when it is written anew, or what is left of it.</summary>
    private int SizeOfMessage(int handle) => LogSpan.Overhead + (_messages[handle] is { Segment: not null } message ? MessageRecord.HeadLength + message.Length : MessageRecord.LostLength);

    /// <summary>Says what is needed no more, once what takes its place is committed; not for every few bytes.</summary>
    private void Forget()
    {
        var upTo = _live.Oldest < 0 ? _lastRecord : _live.SequenceOf(_live.Oldest) - 1;
        if (_obsoleteWhen != long.MaxValue || upTo <= _obsolete || _span.Position < _forgotAt + (_slack / 4))
        {
            return;
        }

        _forgotAt = _span.Position;
        _obsoleteNext = upTo;
        var writer = new RecordWriter(stackalloc byte[RecordWriter.Largest]);
        writer.Write(upTo);
        _obsoleteWhen = Append(JournalRecord.Obsolete, writer.ToHead());
    }

    private void Remember(in CompletedId completed, long sequence, int size)
    {
        if (!_freeCompleted.TryPop(out var place))
        {
            place = _completed.Count;
            _completed.Add(default);
        }

        _completed[place] = (completed, _live.Add(LiveKind.CompletedId, place, sequence, size));
        _completedOrder.Enqueue(place);
        if (_completedOrder.Count > RememberedIds)
        {
            var oldest = _completedOrder.Dequeue();
            _live.Remove(_completed[oldest].Live);
            _completed[oldest] = default;
            _freeCompleted.Push(oldest);
        }
    }
}
