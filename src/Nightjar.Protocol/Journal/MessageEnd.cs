namespace Nightjar.Protocol.Journal;

/// <summary>Why a message is kept no more. The numbers are written and never change.</summary>
internal enum MessageEnd : byte
{
    None = 0,

    /// <summary>The server answered, perhaps with a failure; or, at a lowered QoS 0, it left.</summary>
    Answered = 1,

    /// <summary>A limit of the server forbade it before it ever left.</summary>
    Refused = 2,

    /// <summary>Its time to live was over.</summary>
    Expired = 3,

    /// <summary>Its sender took it back.</summary>
    Withdrawn = 4,

    /// <summary>It had to make room.</summary>
    Dropped = 5,

    /// <summary>It could not be sent again, and its session is gone.</summary>
    Quarantined = 6,
}
