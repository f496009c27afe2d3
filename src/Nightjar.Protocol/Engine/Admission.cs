namespace Nightjar.Protocol.Engine;

/// <summary>What is to be done with a received QoS 1 or 2 PUBLISH.</summary>
internal enum Admission
{
    /// <summary>Hand it to its subscribers; each of them completes the token.</summary>
    Deliver,

    /// <summary>A repetition of a QoS 2 message that was, or is being, handled: not to be delivered again [MQTT5-4.3.3-10].</summary>
    Duplicate,

    /// <summary>More unacknowledged messages than our Receive Maximum: 0x93 (MQTT5-3.3.4-7).</summary>
    ReceiveMaximumExceeded,
}
