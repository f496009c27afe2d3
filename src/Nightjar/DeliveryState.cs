namespace Nightjar;

/// <summary>How far a message came; see <see cref="DeliveryReceipt.State"/>.</summary>
public enum DeliveryState
{
    /// <summary>It waits in the outbox and was never handed to the transport.</summary>
    Queued,

    /// <summary>It was handed to the transport, and waits for its answer.</summary>
    Sent,

    /// <summary>It was sent before, and the limits of the server that the client is connected to now forbid sending it again. It is kept, and tried on the next connection.</summary>
    Quarantined,

    /// <summary>The server has it; at QoS 0: it was handed to the transport. An end.</summary>
    Delivered,

    /// <summary>The server refused it, or a limit of the server forbids it. An end.</summary>
    Refused,

    /// <summary>Its time was over before it could be sent. An end.</summary>
    Expired,

    /// <summary>It was dropped from the outbox and never sent. An end.</summary>
    Dropped,

    /// <summary>It was taken back before it was sent. An end.</summary>
    Withdrawn,

    /// <summary>The client was closed, or gave up, before it was sent, and there is no store that would keep it. An end.</summary>
    NotSent,

    /// <summary>The client was closed, or gave up, after it was sent and before it was answered, and there is no store: it may have arrived. An end.</summary>
    Unknown,

    /// <summary>The client was closed, or gave up, and the message lives on in the store: the next client that opens it sends it. An end, of this receipt only.</summary>
    Kept,
}
