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

    /// <summary>The server lost its session while the message was on its way; it was sent again as a new one, so it may have arrived twice.</summary>
    PossiblyDuplicated = 1,

    /// <summary>It went out with a lower QoS, because the server does not do the one asked for.</summary>
    QoSLowered = 2,
}
