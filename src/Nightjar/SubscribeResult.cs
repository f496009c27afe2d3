using Nightjar.Diagnostics;

namespace Nightjar;

/// <summary>What the server said to one filter of a subscription.</summary>
/// <param name="Filter">The filter.</param>
/// <param name="ReasonCode">The granted QoS, or a failure of 0x80 or above (MQTT 5, 3.9.3).</param>
public sealed record SubscribeResult(string Filter, ReasonCode ReasonCode)
{
    /// <summary>Whether it was granted.</summary>
    public bool IsGranted => !ReasonCode.IsFailure();

    /// <summary>The highest QoS that messages come with; null if the filter was refused.</summary>
    public QoS? GrantedQoS => IsGranted ? (QoS)(byte)ReasonCode : null;

    /// <summary>5.0: the server's own words; or why this client did not even ask.</summary>
    public string? ReasonString { get; init; }

    /// <summary>5.0: in the order of the wire. They belong to the SUBACK, which may have answered other filters too.</summary>
    public IReadOnlyList<UserProperty> UserProperties { get; init; } = [];

    /// <summary>One line for people.</summary>
    public override string ToString() => $"'{OneLine.Of(Filter)}': {ReasonCode}{(ReasonString is null ? "" : $": {OneLine.Of(ReasonString)}")}";
}

/// <summary>What the server said to one filter of an UNSUBSCRIBE.</summary>
/// <param name="Filter">The filter.</param>
/// <param name="ReasonCode">Success, No Subscription Existed (0x11), or a failure of 0x80 or above (MQTT 5, 3.11.3); always success before 5.0.</param>
public sealed record UnsubscribeResult(string Filter, ReasonCode ReasonCode)
{
    /// <summary>5.0: the server's own words.</summary>
    public string? ReasonString { get; init; }

    /// <summary>One line for people.</summary>
    public override string ToString() => $"'{OneLine.Of(Filter)}': {ReasonCode}{(ReasonString is null ? "" : $": {OneLine.Of(ReasonString)}")}";
}
