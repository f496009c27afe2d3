namespace Nightjar.Protocol.Journal;

/// <summary>Bits beside the QoS in records that hold messages or their arrival, and what records of messages take.</summary>
internal static class MessageRecord
{
    /// <summary>What a message's record has beside topic, properties, payload and id when it is written anew, at most; its place among released ones apart.</summary>
    public const int HeadLength = 45;

    /// <summary>The record of a message whose content is lost: its packet identifier and how far it came.</summary>
    public const int LostLength = 12;

    public const int QoSMask = 3;
    public const int RetainBit = 4;

    /// <summary>What ends with a message's time to live is the age that the outbox allows, not the message's own time.</summary>
    public const int AgeBit = 32;

    /// <summary>A received message needs no further record before it is answered.</summary>
    public const int ReceivedBit = 8;

    /// <summary>A received message lies, or lay, in the log for subscriptions that store.</summary>
    public const int StoredBit = 16;
}
