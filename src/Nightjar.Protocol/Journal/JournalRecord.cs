namespace Nightjar.Protocol.Journal;

/// <summary>What a record of a session says. The layouts are described in docs/session-log.md; the numbers never change.</summary>
internal enum JournalRecord : byte
{
    /// <summary>A message to be sent, whole.</summary>
    Message = 1,

    /// <summary>It has a packet identifier; before its PUBLISH leaves.</summary>
    Assigned = 2,

    /// <summary>PUBREC came; before its PUBREL leaves.</summary>
    Released = 3,

    /// <summary>It is done, however it ended; with its application id, if it has one.</summary>
    Ended = 4,

    /// <summary>A PUBLISH came. Its number is the delivery id.</summary>
    Arrived = 5,

    /// <summary>The same with the message, for subscriptions that are acknowledged when it is stored.</summary>
    ArrivedStored = 6,

    /// <summary>A received QoS 2 message is handled; before its PUBREC leaves.</summary>
    Received = 7,

    /// <summary>PUBREL came; before its PUBCOMP leaves.</summary>
    ReceivedReleased = 8,

    /// <summary>A received message is answered for good; before its PUBACK leaves, or a PUBREC that refuses it.</summary>
    Acknowledged = 9,

    /// <summary>The handlers of a stored message are done.</summary>
    Handled = 10,

    /// <summary>A filter has a subscription identifier; before its SUBSCRIBE leaves.</summary>
    Identified = 11,

    /// <summary>It has none any more.</summary>
    Unidentified = 12,

    /// <summary>Whose session it is, and where.</summary>
    Identity = 13,

    /// <summary>Before CONNECT leaves.</summary>
    Connecting = 14,

    /// <summary>The server has the session.</summary>
    Connected = 15,

    /// <summary>The server has no session: the packet identifiers of before are void.</summary>
    Started = 16,

    /// <summary>What lies before a record counts no more, should it still be there.</summary>
    Obsolete = 17,

    /// <summary>The server refused a connection, which changes no session.</summary>
    Refused = 18,
}
