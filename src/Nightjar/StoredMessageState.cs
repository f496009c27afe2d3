namespace Nightjar;

/// <summary>How far a message in a session's store is.</summary>
public enum StoredMessageState
{
    /// <summary>It was never sent.</summary>
    Queued,

    /// <summary>It was sent, or was about to be; whether the server has it is not known.</summary>
    Sent,

    /// <summary>QoS 2: the server has it, and the last step of the exchange is open.</summary>
    Released,

    /// <summary>Received, and its handler is not done.</summary>
    Unhandled,

    /// <summary>Its content is lost by damage; the packet identifier stays taken until the session ends.</summary>
    ContentLost,
}
