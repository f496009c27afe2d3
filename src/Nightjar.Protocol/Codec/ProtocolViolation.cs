namespace Nightjar.Protocol.Codec;

/// <summary>A rule that the peer broke.</summary>
/// <param name="ReasonCode">What a 5.0 DISCONNECT would say.</param>
/// <param name="Clause">
/// The statement of the specification, version-qualified: <c>MQTT5-3.3.1-4</c>; where the specification numbers no statement, its
/// section: <c>MQTT5-3.3.2.3.2</c>. Rules of 3.1 go by their counterparts in 3.1.1.
/// </param>
/// <param name="Message">What was wrong, for people; holds nothing that the peer sent but numbers.</param>
public readonly record struct ProtocolViolation(ReasonCode ReasonCode, string Clause, string Message)
{
    /// <summary>The message and its clause.</summary>
    public override string ToString() => $"{Message} [{Clause}]";
}
