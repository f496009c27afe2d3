namespace Nightjar.Protocol.Journal;

/// <summary>Bits beside the QoS in records that hold messages or their arrival.</summary>
internal static class MessageRecord
{
    public const int QoSMask = 3;
    public const int RetainBit = 4;

    /// <summary>What ends with a message's time to live is the age that the outbox allows, not the message's own time.</summary>
    public const int AgeBit = 32;

    /// <summary>A received message needs no further record before it is answered.</summary>
    public const int ReceivedBit = 8;

    /// <summary>A received message lies, or lay, in the log for subscriptions that store.</summary>
    public const int StoredBit = 16;
}
