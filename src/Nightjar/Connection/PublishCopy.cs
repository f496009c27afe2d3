using Nightjar.Protocol.Engine;

namespace Nightjar.Connection;

/// <summary>A message that waits for the session's store to open: what the caller's spans held.</summary>
internal sealed class PublishCopy(in OutgoingPublish message)
{
    private readonly byte[] _topic = message.Topic.ToArray();
    private readonly byte[] _properties = message.Properties.ToArray();
    private readonly byte[] _payload = message.Payload.ToArray();
    private readonly QoS _qos = message.QoS;
    private readonly bool _retain = message.Retain;
    private readonly ushort _alias = message.TopicAlias;

    public OutgoingPublish Message => new()
    {
        Topic = _topic,
        Properties = _properties,
        Payload = _payload,
        QoS = _qos,
        Retain = _retain,
        TopicAlias = _alias,
    };
}
