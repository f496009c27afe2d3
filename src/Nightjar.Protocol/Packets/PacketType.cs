namespace Nightjar.Protocol.Packets;

/// <summary>The control packets; the values are those of the first byte's upper half (MQTT 5, 2.1.2).</summary>
public enum PacketType : byte
{
    /// <summary>Reserved; no packet has it.</summary>
    None = 0,

    /// <summary>Client to server: open a session.</summary>
    Connect = 1,

    /// <summary>Server to client: the session is open, or refused.</summary>
    ConnAck = 2,

    /// <summary>Both ways: an application message.</summary>
    Publish = 3,

    /// <summary>Both ways: the answer to a QoS 1 PUBLISH.</summary>
    PubAck = 4,

    /// <summary>Both ways: the first answer to a QoS 2 PUBLISH.</summary>
    PubRec = 5,

    /// <summary>Both ways: the sender releases a QoS 2 packet identifier.</summary>
    PubRel = 6,

    /// <summary>Both ways: the end of a QoS 2 exchange.</summary>
    PubComp = 7,

    /// <summary>Client to server: subscribe.</summary>
    Subscribe = 8,

    /// <summary>Server to client: one answer per filter.</summary>
    SubAck = 9,

    /// <summary>Client to server: unsubscribe.</summary>
    Unsubscribe = 10,

    /// <summary>Server to client: one answer per filter (5.0), or a bare one.</summary>
    UnsubAck = 11,

    /// <summary>Client to server: are you there?</summary>
    PingReq = 12,

    /// <summary>Server to client: yes.</summary>
    PingResp = 13,

    /// <summary>Both ways (from the server in 5.0 only): the connection ends, and why.</summary>
    Disconnect = 14,

    /// <summary>Both ways, 5.0 only: a step of enhanced authentication.</summary>
    Auth = 15,
}
