namespace Nightjar;

/// <summary>What happens to a message that is published while there is no connection. It is decided at the call: what was queued stays queued when the connection is lost.</summary>
public enum WhenOffline
{
    /// <summary>It waits for the next connection.</summary>
    Queue,

    /// <summary>The call fails at once.</summary>
    Fail,

    /// <summary>QoS 0 only: it is dropped, which is reported and counted, but no failure of the call.</summary>
    Drop,
}
