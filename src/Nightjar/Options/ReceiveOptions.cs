namespace Nightjar;

/// <summary>What the server may send.</summary>
public sealed class ReceiveOptions
{
    /// <summary>
    /// The most QoS 1 and 2 messages that wait for our acknowledgement. Default: 256; 1 to 65,535. A server of 5.0 that exceeds it is disconnected with 0x93. Mosquitto 2.0
    /// exceeds a value below its own <c>max_inflight_messages</c> (20) by one, so stay above that.
    /// </summary>
    public int ReceiveMaximum { get; set; } = 256;

    /// <summary>The largest packet in bytes. Default: 1 MiB; 16 B to 268,435,460 B. A larger one ends the connection with 0x95 before it is read.</summary>
    public int MaximumPacketSize { get; set; } = 1024 * 1024;

    /// <summary>The most topic aliases that the server may use. Default: 16; 0 to 65,535.</summary>
    public int TopicAliasMaximum { get; set; } = 16;

    /// <summary>
    /// The most bytes that received messages may hold while they wait for handlers, all subscriptions together; then reading pauses. Default: 16 MiB; at least
    /// <see cref="MaximumPacketSize"/>.
    /// </summary>
    public int Budget { get; set; } = 16 * 1024 * 1024;

    /// <summary>How often a handler that throws is tried again in place. Default: 3; not negative.</summary>
    public int HandlerRetries { get; set; } = 3;

    /// <summary>A copy.</summary>
    internal ReceiveOptions Snapshot() => (ReceiveOptions)MemberwiseClone();
}
