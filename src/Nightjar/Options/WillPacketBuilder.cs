using Nightjar.Protocol.Packets;

namespace Nightjar;

/// <summary>The will as CONNECT carries it, from options that were validated.</summary>
internal static class WillPacketBuilder
{
    /// <summary>Null if there is no will. Its properties are written in 5.0 only; the writer of packets sees to that.</summary>
    public static WillPacket? Build(WillMessage? will) => will is null ? null : new WillPacket
    {
        Topic = will.Topic,
        Payload = will.Payload,
        QoS = will.QoS,
        Retain = will.Retain,
        DelayInterval = will.Delay == TimeSpan.Zero ? null : (uint)will.Delay.TotalSeconds,
        PayloadFormat = will.PayloadFormat,
        MessageExpiryInterval = (uint?)will.TimeToLive?.TotalSeconds,
        ContentType = will.ContentType,
        ResponseTopic = will.ResponseTopic,
        CorrelationData = will.CorrelationData,
        UserProperties = will.UserProperties,
    };
}
