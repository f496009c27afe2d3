namespace Nightjar;

/// <summary>What a payload claims to be (Payload Format Indicator, MQTT 5, 3.3.2.3.2).</summary>
public enum PayloadFormat : byte
{
    /// <summary>Bytes of no stated form.</summary>
    Unspecified = 0,

    /// <summary>UTF-8 text.</summary>
    Utf8 = 1,
}
