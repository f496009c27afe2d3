namespace Nightjar;

/// <summary>Where a client is.</summary>
public enum ClientState
{
    /// <summary>Never connected, and nothing asked for it; or the first attempt failed for good.</summary>
    Idle,

    /// <summary>An attempt is under way.</summary>
    Connecting,

    /// <summary>Connected.</summary>
    Connected,

    /// <summary>The last attempt or connection failed; the next attempt waits for its time.</summary>
    Waiting,

    /// <summary>Disconnected on request; it stays so until asked to connect.</summary>
    Disconnected,

    /// <summary>Disposed; nothing works any more.</summary>
    Closed,
}
