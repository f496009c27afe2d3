using System.Diagnostics;
using Nightjar.Protocol.Engine;

namespace Nightjar.Protocol.Journal;

/// <summary>
/// Writes down what must outlive the process: what a session has to know, at the moment at which it changes. Each method returns the record that bytes on the wire may have to wait for. An engine
/// without a store has no journal, and asks for none of this.
/// </summary>
/// <remarks>Not thread-safe: guarded with the outbound half. Nothing is allocated per message.</remarks>
internal sealed partial class SessionJournal
{
    private readonly IRecordAppender _log;
    private MessageStore _messages = new();
    private long _now;
    private DateTimeOffset _utcNow;

    public SessionJournal(IRecordAppender log)
    {
        _log = log;
    }

    /// <summary>The last record; 0 if there is none.</summary>
    public long Last { get; private set; }

    /// <summary>The session begins, or goes on: what follows is written behind its records.</summary>
    public void Begin(RestoredSession session, MessageStore messages, long now, DateTimeOffset utcNow)
    {
        Last = session.Last;
        _messages = messages;
        _now = now;
        _utcNow = utcNow;
    }

    /// <summary>A message was accepted.</summary>
    public void Accepted(int handle, long now)
    {
        ref var message = ref _messages[handle];
        Debug.Assert(message.Record == 0);
        message.Record = AppendMessage(message, MessagePhase.Queued, order: 0, now);
    }

    /// <summary>A message gets a packet identifier: its PUBLISH depends on that.</summary>
    public long Assigned(int handle, ushort id, QoS qos)
    {
        var writer = new RecordWriter(stackalloc byte[RecordWriter.Largest]);
        writer.Write(_messages[handle].Record);
        writer.Write(id);
        writer.Write((byte)qos);
        return Append(JournalRecord.Assigned, writer.ToHead());
    }

    /// <summary>PUBREC came: PUBREL depends on that.</summary>
    public long Released(int handle, ushort id, ReasonCode reason)
    {
        var writer = new RecordWriter(stackalloc byte[RecordWriter.Largest]);
        writer.Write(_messages[handle].Record);
        writer.Write(id);
        writer.Write((byte)reason);
        return Append(JournalRecord.Released, writer.ToHead());
    }

    /// <summary>A message is done; its bytes are still there.</summary>
    public void Ended(int handle, MessageEnd end, ReasonCode reason)
    {
        ref var message = ref _messages[handle];
        if (message.Record == 0)
        {
            return;
        }

        var writer = new RecordWriter(stackalloc byte[RecordWriter.Largest]);
        writer.Write(message.Record);
        writer.Write((byte)end);
        writer.Write((byte)reason);
        writer.Write((byte)message.Flags);
        writer.Write(message.PacketId);
        Append(JournalRecord.Ended, writer.ToHead(), message.Id);
        message.Record = 0;
    }

    /// <summary>The server has no session: all packet identifiers are void.</summary>
    /// <param name="isElsewhere">It is another server, or another client identifier: released messages are sent again too.</param>
    public void Started(bool isElsewhere)
    {
        var writer = new RecordWriter(stackalloc byte[RecordWriter.Largest]);
        writer.Write(isElsewhere ? (byte)1 : (byte)0);
        Append(JournalRecord.Started, writer.ToHead());
    }

    private long AppendMessage(in StoredMessage message, MessagePhase phase, long order, long now)
    {
        var writer = new RecordWriter(stackalloc byte[RecordWriter.Largest]);
        writer.Write((byte)((int)message.QoS | (message.Retain ? 4 : 0)));
        writer.Write((byte)message.Flags);
        writer.Write((byte)phase);
        writer.Write((byte)message.ReasonCode);
        writer.Write(message.PacketId);
        writer.Write(message.TopicAlias);
        writer.Write(message.TopicLength);
        writer.Write(message.IdLength);
        writer.Write(message.PropertiesLength);
        writer.Write(message.PayloadLength);
        writer.Write(message.ExpiresAt == 0 && message.Record != 0 ? 0 : UtcAt(now).Ticks);
        writer.Write(message.ExpiresAt == 0 ? 0 : Math.Max(1, message.ExpiresAt - now));
        writer.Write(message.Record);
        writer.Write(order);
        return Append(JournalRecord.Message, writer.ToHead(), message.Bytes);
    }

    private DateTime UtcAt(long now) => (_utcNow + TimeSpan.FromTicks(now - _now)).UtcDateTime;

    private long Append(JournalRecord type, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second = default) => Last = _log.Append((byte)type, first, second);
}
