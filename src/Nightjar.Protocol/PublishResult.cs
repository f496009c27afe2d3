namespace Nightjar;

/// <summary>How a publish ended.</summary>
/// <param name="ReasonCode">What the server answered; success at QoS 0.</param>
/// <param name="PacketId">The packet identifier; 0 at QoS 0.</param>
/// <param name="Flags">What was special about it.</param>
public readonly record struct PublishResult(ReasonCode ReasonCode, ushort PacketId, PublishFlags Flags);

/// <summary>What was special about a publish.</summary>
[Flags]
public enum PublishFlags : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>
    /// The server lost its session while the message was on its way, and it was sent again as a new one; or, at QoS 2, the server may have lost it without our knowing: MQTT 3.1
    /// does not say, and an answer that said so may have been lost itself. It may have arrived twice.
    /// </summary>
    PossiblyDuplicated = 1,

    /// <summary>It went out with a lower QoS, because the server does not do the one asked for.</summary>
    QoSLowered = 2,

    /// <summary>QoS 0: there was no connection, and it was dropped, as <see cref="WhenOffline.Drop"/> says.</summary>
    Dropped = 4,
}
