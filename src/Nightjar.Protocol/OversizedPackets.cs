namespace Nightjar;

/// <summary>What happens to a received message that is larger than <c>ReceiveOptions</c> allow.</summary>
public enum OversizedPackets
{
    /// <summary>
    /// The limit is announced in CONNECT, so that a server of 5.0 sends nothing larger; what comes all the same ends the connection with 0x95 (Packet too large).
    /// </summary>
    Fail,

    /// <summary>
    /// The limit is not announced. A larger message is not stored: its bytes are discarded as they arrive, its topic and size are reported. 5.0: answered with PUBACK or
    /// PUBREC 0x83 (Implementation specific error). 3.1 and 3.1.1 cannot refuse a message: it is acknowledged.
    /// </summary>
    Skip,
}
