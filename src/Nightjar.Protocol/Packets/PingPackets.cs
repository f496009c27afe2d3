namespace Nightjar.Protocol.Packets;

/// <summary>PINGREQ: two bytes and no content (MQTT 5, 3.12).</summary>
public readonly record struct PingReqPacket;

/// <summary>PINGRESP: two bytes and no content (MQTT 5, 3.13).</summary>
public readonly record struct PingRespPacket;
