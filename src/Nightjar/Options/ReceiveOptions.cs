namespace Nightjar;

/// <summary>What the server may send.</summary>
public sealed class ReceiveOptions
{
    /// <summary>
    /// The most QoS 1 and 2 messages that wait for our acknowledgement. Default: 256; 1 to 65,535. A server of 5.0 that exceeds it is disconnected with 0x93, except
    /// with what it repeats in a session that goes on, as Mosquitto 2.0 does after a restart. When that ended two connections of a session in a row, <see cref="ClientEvent.ReconnectLoop"/> says so, and what
    /// the server sends beyond it is taken: Mosquitto 2.0 may forget to count what it queued. From a connection on which it keeps the limit, or a new session on, it counts again. Mosquitto 2.0 also exceeds a value below its own <c>max_inflight_messages</c> (20) by one, so stay above that.
    /// </summary>
    public int ReceiveMaximum { get; set; } = 256;

    /// <summary>
    /// The largest packet in bytes that is held whole. Default: 1 MiB; 16 B to 268,435,460 B. What happens to a larger one says <see cref="OversizedPackets"/>.
    /// </summary>
    public int MaximumPacketSize { get; set; } = 1024 * 1024;

    /// <summary>
    /// The largest packet in bytes for <see cref="MqttClient.OnStream"/>, whose handlers read a payload as it arrives. Default: 0, no larger than
    /// <see cref="MaximumPacketSize"/>; else more than that, up to 268,435,460 B. It is what the server is told, and a message between the two that no such handler takes is skipped.
    /// </summary>
    public int MaximumStreamedPacketSize { get; set; }

    /// <summary>
    /// What happens to a packet that is larger than the limits above. Default: <see cref="OversizedPackets.Fail"/>, the connection ends with 0x95 before it is read. A server that
    /// cannot be told the limit (3.1, 3.1.1) and keeps such a message sends it again on each connection; <see cref="ClientEvent.ReconnectLoop"/> reports that.
    /// <see cref="OversizedPackets.Skip"/> discards and reports the message instead; only its topic and properties are held, which must fit into <see cref="MaximumPacketSize"/>, or
    /// into 128 KiB if that is more. Other packets than PUBLISH end the connection all the same.
    /// </summary>
    public OversizedPackets OversizedPackets { get; set; }

    /// <summary>The most topic aliases that the server may use. Default: 16; 0 to 65,535.</summary>
    public int TopicAliasMaximum { get; set; } = 16;

    /// <summary>
    /// The most bytes that received messages may hold while they wait for handlers, all subscriptions together; then reading pauses. Default: 16 MiB; at least
    /// <see cref="MaximumPacketSize"/>. If handlers then stand still for a second, QoS 0 messages are dropped and reading goes on, so that acknowledgements and pings behind them
    /// are seen; what QoS 1 and 2 messages that come meanwhile hold is as much again at the most, then nothing is read until handlers make room. A handler that waits for its own
    /// publish to be acknowledged should not have that much in front of it: keep <see cref="ReceiveMaximum"/> times the usual size below.
    /// </summary>
    public int Budget { get; set; } = 16 * 1024 * 1024;

    /// <summary>How often a handler that throws is tried again in place. Default: 3; not negative.</summary>
    public int HandlerRetries { get; set; } = 3;

    /// <summary>
    /// What becomes of a message whose handler still throws when the retries are used up; the message, and what was thrown last. It may take its time, to publish the message elsewhere for
    /// instance; if it throws itself, that is logged. Default: null, which acknowledges it. A subscription can have its own (<see cref="SubscribeOptions.OnPoison"/>). At QoS 0 and with
    /// <see cref="AcknowledgeMode.AtArrival"/> it is asked too, but nothing waits for its answer any more: what it returns changes nothing.
    /// </summary>
    public Func<MqttMessage, Exception, ValueTask<MessageOutcome>>? OnPoison { get; set; }

    /// <summary>
    /// How long a handler may hold the acknowledgement of a message before an event, a log line and <see cref="ClientStatus.Held"/> say so. Default: 30 s; more than zero, up to 49 days, or
    /// <see cref="Timeout.InfiniteTimeSpan"/>.
    /// </summary>
    public TimeSpan HandlerWarning { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a message may wait for its handlers to end, from its arrival, before it is left unacknowledged so that those behind it can go on; its handler runs on. Default:
    /// <see cref="Timeout.InfiniteTimeSpan"/>, never; more than zero, up to 49 days.
    /// </summary>
    public TimeSpan HandlerTimeout { get; set; } = Timeout.InfiniteTimeSpan;

    /// <summary>A copy.</summary>
    internal ReceiveOptions Snapshot() => (ReceiveOptions)MemberwiseClone();
}
