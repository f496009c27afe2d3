namespace Nightjar.Protocol.Engine;

/// <summary>The options of a subscription as they go to the wire.</summary>
internal sealed record SubscriptionTerms(
    QoS QoS, bool NoLocal, bool RetainAsPublished, RetainHandling RetainHandling, uint? Identifier, IReadOnlyList<UserProperty> UserProperties)
{
    /// <summary>
    /// What serves both: the higher QoS, the own messages if one wants them, the RETAIN flag as published if one wants it so, and what the later one says about identifier and user
    /// properties.
    /// </summary>
    public SubscriptionTerms And(SubscriptionTerms later) => this with
    {
        QoS = later.QoS > QoS ? later.QoS : QoS,
        NoLocal = NoLocal && later.NoLocal,
        RetainAsPublished = RetainAsPublished || later.RetainAsPublished,
        RetainHandling = later.RetainHandling < RetainHandling ? later.RetainHandling : RetainHandling,
        Identifier = later.Identifier ?? Identifier,
        UserProperties = later.UserProperties.Count > 0 ? later.UserProperties : UserProperties,
    };

    /// <summary>Whether a server that was asked for these need not be asked for the others; what is said about retained messages does not count.</summary>
    public bool Serve(SubscriptionTerms others) =>
        QoS == others.QoS && NoLocal == others.NoLocal && RetainAsPublished == others.RetainAsPublished && Identifier == others.Identifier
        && ReferenceEquals(UserProperties, others.UserProperties);
}
