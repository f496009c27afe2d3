namespace Nightjar.Protocol.Journal;

/// <summary>How far a message to be sent is, as the journal tells it. The numbers are written and never change.</summary>
internal enum MessagePhase : byte
{
    /// <summary>It has no packet identifier.</summary>
    Queued = 0,

    /// <summary>It has one; whether the server has the message is not known.</summary>
    Assigned = 1,

    /// <summary>The server has it (QoS 2), and PUBREL is to be answered.</summary>
    Released = 2,
}
