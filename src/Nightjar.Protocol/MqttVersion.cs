namespace Nightjar;

/// <summary>The versions of the protocol; the values are those of CONNECT's Protocol Version byte.</summary>
public enum MqttVersion : byte
{
    /// <summary>MQTT 3.1, the version that introduced itself as <c>MQIsdp</c>.</summary>
    Mqtt31 = 3,

    /// <summary>MQTT 3.1.1.</summary>
    Mqtt311 = 4,

    /// <summary>MQTT 5.0.</summary>
    Mqtt5 = 5,
}
