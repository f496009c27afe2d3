using Nightjar.Protocol.Engine;

namespace Nightjar.Connection;

/// <summary>A message that waits for the session's store to open, or for room in the outbox: what the caller's spans held.</summary>
internal sealed class PublishCopy(in OutgoingPublish message)
{
    private readonly byte[] _topic = message.Topic.ToArray();
    private readonly byte[] _properties = message.Properties.ToArray();
    private readonly byte[] _payload = message.Payload.ToArray();
    private readonly byte[] _id = message.Id.ToArray();
    private readonly QoS _qos = message.QoS;
    private readonly bool _retain = message.Retain;
    private readonly ushort _alias = message.TopicAlias;
    private readonly long _timeToLive = message.TimeToLive;
    private readonly bool _hasReceipt = message.HasReceipt;
    private readonly int _toCome = message.ToCome;

    public OutgoingPublish Message => new()
    {
        Topic = _topic,
        Properties = _properties,
        Payload = _payload,
        Id = _id,
        QoS = _qos,
        Retain = _retain,
        TopicAlias = _alias,
        TimeToLive = _timeToLive,
        HasReceipt = _hasReceipt,
        ToCome = _toCome,
    };
}
