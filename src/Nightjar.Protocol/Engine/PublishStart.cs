namespace Nightjar.Protocol.Engine;

/// <summary>How a publish began.</summary>
internal enum PublishStart : byte
{
    /// <summary>QoS 0, and it is in the lane: done.</summary>
    Buffered,

    /// <summary>It is in the store; its waiter will hear.</summary>
    Accepted,

    /// <summary>A limit of the server forbids it.</summary>
    Refused,
}
