namespace Nightjar;

/// <summary>One name and value that the application adds to a packet (MQTT 5 only). Names may repeat; order is kept.</summary>
/// <param name="Name">At most 65,535 bytes of UTF-8.</param>
/// <param name="Value">At most 65,535 bytes of UTF-8.</param>
public readonly record struct UserProperty(string Name, string Value);
