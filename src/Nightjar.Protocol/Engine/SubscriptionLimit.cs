using Nightjar.Protocol.Session;
using Nightjar.Protocol.Topics;

namespace Nightjar.Protocol.Engine;

/// <summary>What a server's limits say to one subscription.</summary>
internal static class SubscriptionLimit
{
    /// <summary>Null if the server does it.</summary>
    public static SendLimit? Check(ServerLimits limits, MqttVersion version, in TopicFilter filter, SubscriptionTerms terms)
    {
        if (version < MqttVersion.Mqtt5)
        {
            return null;
        }

        if (filter.IsShared && !limits.SharedSubscriptionAvailable)
        {
            return new SendLimit(ReasonCode.SharedSubscriptionsNotSupported, "The server does not do shared subscriptions (3.2.2.3.13); subscribe to the filter itself.");
        }

        if (filter.HasWildcards && !limits.WildcardSubscriptionAvailable)
        {
            return new SendLimit(ReasonCode.WildcardSubscriptionsNotSupported, "The server does not do wildcard subscriptions (3.2.2.3.11); subscribe to each topic.");
        }

        return terms.Identifier is not null && !limits.SubscriptionIdentifiersAvailable
            ? new SendLimit(ReasonCode.SubscriptionIdentifiersNotSupported, "The server does not do subscription identifiers (3.2.2.3.12); leave SubscriptionIdentifier out.")
            : null;
    }
}
