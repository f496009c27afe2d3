using Nightjar.Protocol.Topics;

namespace Nightjar.Testing.Broker;

/// <summary>The last retained message of each topic (MQTT 5, 3.3.1.3). Guarded by the broker's lock.</summary>
internal sealed class RetainedMessages
{
    private readonly SortedDictionary<string, BrokerMessage> _byTopic = new(StringComparer.Ordinal);

    /// <summary>Keeps a message in the place of the one before; one without payload only removes that [MQTT5-3.3.1-6, -7].</summary>
    public void Set(BrokerMessage message)
    {
        if (message.Payload.Length == 0)
        {
            _byTopic.Remove(message.TopicText);
        }
        else
        {
            _byTopic[message.TopicText] = message;
        }
    }

    /// <summary>What a new subscription gets, in the order of topics; expired messages are forgotten on the way.</summary>
    public List<BrokerMessage> Match(TopicFilter filter, TimeSpan now)
    {
        Expire(now);
        return [.. _byTopic.Values.Where(message => filter.Matches(message.Topic))];
    }

    public List<BrokerMessage> All(TimeSpan now)
    {
        Expire(now);
        return [.. _byTopic.Values];
    }

    public void Clear() => _byTopic.Clear();

    private void Expire(TimeSpan now)
    {
        foreach (var expired in _byTopic.Values.Where(message => message.IsExpired(now)).ToList())
        {
            _byTopic.Remove(expired.TopicText);
        }
    }
}
