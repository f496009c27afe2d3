namespace Nightjar.Protocol.Codec;

/// <summary>The properties of MQTT 5 (2.2.2.2).</summary>
public enum PropertyId : byte
{
    /// <summary>Byte: 0 or 1.</summary>
    PayloadFormatIndicator = 0x01,

    /// <summary>Four bytes, seconds.</summary>
    MessageExpiryInterval = 0x02,

    /// <summary>UTF-8.</summary>
    ContentType = 0x03,

    /// <summary>UTF-8, a topic name.</summary>
    ResponseTopic = 0x08,

    /// <summary>Binary.</summary>
    CorrelationData = 0x09,

    /// <summary>Variable byte integer, not 0. The only one beside User Property that may repeat, and that in PUBLISH only.</summary>
    SubscriptionIdentifier = 0x0B,

    /// <summary>Four bytes, seconds.</summary>
    SessionExpiryInterval = 0x11,

    /// <summary>UTF-8.</summary>
    AssignedClientIdentifier = 0x12,

    /// <summary>Two bytes, seconds.</summary>
    ServerKeepAlive = 0x13,

    /// <summary>UTF-8.</summary>
    AuthenticationMethod = 0x15,

    /// <summary>Binary.</summary>
    AuthenticationData = 0x16,

    /// <summary>Byte: 0 or 1.</summary>
    RequestProblemInformation = 0x17,

    /// <summary>Four bytes, seconds.</summary>
    WillDelayInterval = 0x18,

    /// <summary>Byte: 0 or 1.</summary>
    RequestResponseInformation = 0x19,

    /// <summary>UTF-8.</summary>
    ResponseInformation = 0x1A,

    /// <summary>UTF-8.</summary>
    ServerReference = 0x1C,

    /// <summary>UTF-8.</summary>
    ReasonString = 0x1F,

    /// <summary>Two bytes, not 0.</summary>
    ReceiveMaximum = 0x21,

    /// <summary>Two bytes.</summary>
    TopicAliasMaximum = 0x22,

    /// <summary>Two bytes, not 0.</summary>
    TopicAlias = 0x23,

    /// <summary>Byte: 0 or 1.</summary>
    MaximumQoS = 0x24,

    /// <summary>Byte: 0 or 1.</summary>
    RetainAvailable = 0x25,

    /// <summary>A pair of UTF-8 strings; may repeat.</summary>
    UserProperty = 0x26,

    /// <summary>Four bytes, not 0.</summary>
    MaximumPacketSize = 0x27,

    /// <summary>Byte: 0 or 1.</summary>
    WildcardSubscriptionAvailable = 0x28,

    /// <summary>Byte: 0 or 1.</summary>
    SubscriptionIdentifierAvailable = 0x29,

    /// <summary>Byte: 0 or 1.</summary>
    SharedSubscriptionAvailable = 0x2A,
}
