namespace Nightjar;

/// <summary>Why a message will not be sent.</summary>
public enum MessageDropReason
{
    /// <summary>The outbox was full (<see cref="OutboxOverflow.DropOldest"/>, <see cref="OutboxOverflow.DropNewest"/>).</summary>
    Overflow,

    /// <summary>A newer value of its topic took its place (<see cref="OutboxOverflow.LatestPerTopic"/>).</summary>
    Replaced,

    /// <summary>Its time to live was over before it could be sent.</summary>
    Expired,

    /// <summary>It waited longer than the outbox allows.</summary>
    TooOld,

    /// <summary>There was no connection (<see cref="WhenOffline.Drop"/>).</summary>
    Offline,

    /// <summary>QoS 0: it went down with its connection before it was written.</summary>
    ConnectionLost,

    /// <summary>A limit of the server that it is connected to now forbids it.</summary>
    Limit,
}
