using System.Diagnostics;
using Nightjar.Protocol.Engine;

namespace Nightjar.Protocol.Journal;

/// <summary>
/// Writes down what must outlive the process: what a session has to know, at the moment at which it changes. Methods return the record that bytes on the wire have to wait for.
/// An engine without a store has no journal, and asks for none of this.
/// </summary>
/// <remarks>Not thread-safe: guarded with the outbound half. Nothing is allocated per message.</remarks>
internal sealed partial class SessionJournal
{
    private readonly IRecordAppender _log;
    private readonly LiveRecords _live;
    private readonly Dictionary<int, long> _releases = [];
    private readonly Dictionary<int, long> _places = [];
    private MessageStore _messages = new();
    private LogSpan _span = new();
    private long _lastRecord;
    private long _now;
    private DateTimeOffset _utcNow;

    /// <param name="log">Where to.</param>
    /// <param name="slack">How many bytes of log may lie behind the oldest live record beside a multiple of what is alive, before old records are written anew.</param>
    public SessionJournal(IRecordAppender log, long slack = DefaultSlack)
    {
        _log = log;
        _slack = slack;
        _live = new LiveRecords(SizeOfMessage);
    }

    /// <summary>The last record that packets may depend on; 0 if there is none. What only helps to restore the session does not count.</summary>
    public long Last { get; private set; }

    /// <summary>How many ids of delivered messages are remembered.</summary>
    public int RememberedIds { get; private set; } = 100_000;

    /// <summary>The session begins, or goes on: what follows is written behind its records.</summary>
    /// <param name="session">What there was; its messages have their handles in <paramref name="messages"/>.</param>
    /// <param name="messages">Where messages to be sent lie from here on.</param>
    /// <param name="rememberedIds">How many ids of delivered messages are remembered.</param>
    /// <param name="now">The engine's time.</param>
    /// <param name="utcNow">The world's.</param>
    public void Begin(RestoredSession session, MessageStore messages, int rememberedIds, long now, DateTimeOffset utcNow)
    {
        RememberedIds = rememberedIds;
        _messages = messages;
        _now = now;
        _utcNow = utcNow;
        _lastRecord = Last = session.Last;
        _span = session.Span;
        _forgotAt = _span.Position;
        _uncertain = session.IsUncertain;
        _identity = session.Identity ?? _identity;
        _highestIdentifier = session.HighestIdentifier;
        _storedMessages = session.Stored;
        foreach (var (sequence, size, thing) in session.LiveThings())
        {
            Restore(thing, sequence, size);
        }
    }

    /// <summary>A message was accepted.</summary>
    /// <param name="handle">The message.</param>
    /// <param name="now">The engine's time.</param>
    /// <param name="replaced">The one whose place it takes, which is still there; -1: it comes behind all others.</param>
    public void Accepted(int handle, long now, int replaced = -1)
    {
        ref var message = ref _messages[handle];
        Debug.Assert(message.Record == 0);
        var place = replaced < 0 ? 0 : PlaceOf(replaced);
        if (place != 0)
        {
            _places[handle] = place;
        }

        message.Record = Last = AppendMessage(handle, MessagePhase.Queued, place, now);
        _live.AddMessage(handle, message.Record);
    }

    /// <summary>A message gets a packet identifier: its PUBLISH depends on that.</summary>
    public long Assigned(int handle, ushort id, QoS qos) => Last = AppendAssigned(_messages[handle].Record, id, qos);

    /// <summary>PUBREC came: PUBREL depends on that.</summary>
    public long Released(int handle, ushort id, ReasonCode reason)
    {
        Last = AppendReleased(_messages[handle].Record, id, reason);
        _releases[handle] = Last;
        return Last;
    }

    /// <summary>A message is done; its bytes are still there.</summary>
    /// <param name="handle">Which.</param>
    /// <param name="end">Why.</param>
    /// <param name="reason">What the server said.</param>
    /// <param name="remembered">Its id, if it is to be remembered; kept as it is given, so that whoever else remembers it shares its memory.</param>
    public void Ended(int handle, MessageEnd end, ReasonCode reason, byte[]? remembered = null)
    {
        ref var message = ref _messages[handle];
        if (message.Record == 0)
        {
            return;
        }

        _releases.Remove(handle);
        _places.Remove(handle);
        _live.RemoveMessage(handle);
        var completed = new CompletedId(remembered ?? [], message.Record, end, reason, message.Flags, message.PacketId);
        Last = AppendEnded(completed, message.Id);
        if (remembered is not null)
        {
            Remember(completed, Last, _size);
        }

        message.Record = 0;
    }

    /// <summary>The server has no session: all packet identifiers are void.</summary>
    /// <param name="isElsewhere">It is another server, or another client identifier: released messages are sent again too.</param>
    public void Started(bool isElsewhere)
    {
        var writer = new RecordWriter(stackalloc byte[RecordWriter.Largest]);
        writer.Write(isElsewhere ? (byte)1 : (byte)0);
        Last = Append(JournalRecord.Started, writer.ToHead());
        _releases.Clear();
        ForgetArrivals();
        ForgetIdentifiers();
        _unanswered = _uncertain = false;
    }

    /// <summary>Where a message stands among all: where it came in, or where the one did that it replaced.</summary>
    private long PlaceOf(int handle) => _places.GetValueOrDefault(handle, _messages[handle].Record);

    private long AppendAssigned(long message, ushort id, QoS qos)
    {
        var writer = new RecordWriter(stackalloc byte[RecordWriter.Largest]);
        writer.Write(message);
        writer.Write(id);
        writer.Write((byte)qos);
        return Append(JournalRecord.Assigned, writer.ToHead());
    }

    private long AppendReleased(long message, ushort id, ReasonCode reason)
    {
        var writer = new RecordWriter(stackalloc byte[RecordWriter.Largest]);
        writer.Write(message);
        writer.Write(id);
        writer.Write((byte)reason);
        return Append(JournalRecord.Released, writer.ToHead());
    }

    private long AppendMessage(int handle, MessagePhase phase, long order, long now)
    {
        ref var message = ref _messages[handle];
        var expires = message.Expires;
        var writer = new RecordWriter(stackalloc byte[RecordWriter.Largest]);
        var byAge = (message.Traits & MessageTraits.ExpiresByAge) != MessageTraits.None;
        writer.Write((byte)((int)message.QoS | (message.Retain ? MessageRecord.RetainBit : 0) | (byAge ? MessageRecord.AgeBit : 0)));
        writer.Write((byte)message.Flags);
        writer.Write((byte)phase);
        writer.Write((byte)message.ReasonCode);
        writer.Write(phase == MessagePhase.Queued ? (ushort)0 : message.PacketId);
        writer.Write(message.TopicAlias);
        writer.Write(message.TopicLength);
        writer.Write(message.IdLength);
        writer.Write(message.PropertiesLength);
        writer.Write(message.PayloadLength);
        writer.Write(expires || message.Record == 0 ? UtcAt(now).Ticks : 0);
        writer.Write(expires ? Math.Max(1, _messages.ExpiresAt(handle) - now) : 0);
        writer.Write(message.Record);
        writer.Write(order);
        return Append(JournalRecord.Message, writer.ToHead(), message.Bytes);
    }

    private DateTime UtcAt(long now) => (_utcNow + TimeSpan.FromTicks(now - _now)).UtcDateTime;

    private long AppendEnded(in CompletedId ended, ReadOnlySpan<byte> id)
    {
        var writer = new RecordWriter(stackalloc byte[RecordWriter.Largest]);
        writer.Write(ended.Record);
        writer.Write((byte)ended.End);
        writer.Write((byte)ended.ReasonCode);
        writer.Write((byte)ended.Flags);
        writer.Write(ended.PacketId);
        return Append(JournalRecord.Ended, writer.ToHead(), id);
    }

    private long Append(JournalRecord type, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second = default)
    {
        _lastRecord = _log.Append((byte)type, first, second);
        _size = first.Length + second.Length + LogSpan.Overhead;
        _span.Append(_lastRecord, first.Length + second.Length);
        _appended += _size;
        return _lastRecord;
    }
}
