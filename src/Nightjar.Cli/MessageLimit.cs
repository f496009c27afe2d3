namespace Nightjar.Cli;

/// <summary>The limits of the protocol: like mosquitto_pub and mosquitto_sub, the tool sets none of its own.</summary>
internal static class MessageLimit
{
    /// <summary>The largest packet in bytes: four bytes of remaining length (MQTT 5, 1.5.5), and the fixed header before it.</summary>
    public const int Packet = Payload + 5;

    /// <summary>What the remaining length can say.</summary>
    public const int Payload = 268_435_455;
}
