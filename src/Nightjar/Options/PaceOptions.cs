namespace Nightjar;

/// <summary>
/// How fast messages may leave, whatever their QoS, those that are sent again included. Off by default. With a limit, QoS 0 too waits for its turn:
/// <see cref="MqttClient.PublishAsync(string, string, QoS, bool, CancellationToken)"/>
/// then completes when the message has it.
/// </summary>
public sealed class PaceOptions
{
    /// <summary>
    /// The most messages in a second, in the long run. Default: 0, no limit; else 0.001 to 1,000,000. Some services disconnect above theirs: AWS IoT 100, EMQX
    /// Serverless 10.
    /// </summary>
    public double MessagesPerSecond { get; set; }

    /// <summary>How many may leave at once after a rest. Default: 1; 1 to 1,000,000; more than 1 only with <see cref="MessagesPerSecond"/>.</summary>
    public int Burst { get; set; } = 1;

    /// <summary>
    /// What the server's "too much" does: a PUBACK or PUBREC of 0x97 (quota exceeded), a DISCONNECT of 0x96 (message rate too high) or 0x97 puts so much more space
    /// between messages, as
    /// <see cref="MqttClient.Throttle"/> does; what answers messages that were sent together counts once. Default: zero, nothing.
    /// </summary>
    public TimeSpan SlowDown { get; set; }

    /// <summary>No space between messages grows beyond this. Default: 30 s; more than zero, at most 49 days.</summary>
    public TimeSpan MaximumDelay { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>A copy.</summary>
    internal PaceOptions Snapshot() => (PaceOptions)MemberwiseClone();
}
