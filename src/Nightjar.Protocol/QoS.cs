namespace Nightjar;

/// <summary>How hard both ends try to deliver a message (MQTT 5, 4.3).</summary>
public enum QoS : byte
{
    /// <summary>Sent once, never acknowledged: it may be lost, it is never repeated.</summary>
    AtMostOnce = 0,

    /// <summary>Repeated until acknowledged: never lost, perhaps repeated.</summary>
    AtLeastOnce = 1,

    /// <summary>Delivered once, at the price of two round trips.</summary>
    ExactlyOnce = 2,
}
