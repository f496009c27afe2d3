namespace Nightjar.Protocol.Journal;

// What the server sent.
internal sealed partial class SessionJournal
{
    /// <summary>A received QoS 2 message is handled: PUBREC depends on that.</summary>
    public long Received(ushort id) => AppendId(JournalRecord.Received, id);

    /// <summary>PUBREL came: PUBCOMP depends on that.</summary>
    public long ReceivedReleased(ushort id) => AppendId(JournalRecord.ReceivedReleased, id);

    /// <summary>A received message is answered for good: PUBACK depends on that, or a PUBREC that refuses it.</summary>
    public long Acknowledged(ushort id) => AppendId(JournalRecord.Acknowledged, id);

    /// <summary>A filter has a subscription identifier: its SUBSCRIBE depends on that.</summary>
    public long Identified(uint identifier, string filter)
    {
        var writer = new RecordWriter(stackalloc byte[RecordWriter.Largest]);
        writer.Write((int)identifier);
        return Append(JournalRecord.Identified, writer.ToHead(), System.Text.Encoding.UTF8.GetBytes(filter));
    }

    private long AppendId(JournalRecord type, ushort id)
    {
        var writer = new RecordWriter(stackalloc byte[RecordWriter.Largest]);
        writer.Write(id);
        return Append(type, writer.ToHead());
    }
}
