namespace Nightjar.Protocol.Codec;

/// <summary>
/// One thing that the specification asks of a packet. The codec answers with the rule that was broken, or null; the decoder turns it
/// into a <see cref="ProtocolViolation"/> of the version in use.
/// </summary>
internal sealed class Rule(ReasonCode reasonCode, string clause5, string clause311, string message)
{
    /// <summary>A rule that only 5.0 has.</summary>
    public Rule(ReasonCode reasonCode, string clause5, string message)
        : this(reasonCode, clause5, clause5, message)
    {
    }

    public ReasonCode ReasonCode => reasonCode;

    public ProtocolViolation BrokenIn(MqttVersion version) =>
        new(reasonCode, version == MqttVersion.Mqtt5 ? clause5 : clause311, message);
}
