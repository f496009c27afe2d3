using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;

namespace Nightjar;

/// <summary>What a DISCONNECT says (MQTT 5; 3.1 and 3.1.1 send it bare).</summary>
public sealed record DisconnectOptions
{
    /// <summary>Default: a normal disconnection. <see cref="ReasonCode.DisconnectWithWillMessage"/> makes the server publish the will.</summary>
    public ReasonCode ReasonCode { get; init; }

    /// <summary>A text for the server's log.</summary>
    public string? ReasonString { get; init; }

    /// <summary>Replaces the session expiry of CONNECT; zero ends the session now. Default: null, unchanged.</summary>
    public TimeSpan? SessionExpiryInterval { get; init; }

    /// <summary>In the order of the wire.</summary>
    public IReadOnlyList<UserProperty> UserProperties { get; init; } = [];

    /// <summary>Throws one <see cref="ArgumentException"/> that lists every conflict.</summary>
    internal void ThrowIfInvalid(string parameterName)
    {
        var conflicts = new OptionConflicts();
        conflicts.Require(
            ReasonCodeTable.IsLegal(ReasonCode, PacketType.Disconnect, PacketSender.Client),
            $"{nameof(ReasonCode)} is {ReasonCode} (0x{(byte)ReasonCode:X2}), which is not a client's to send in DISCONNECT (MQTT5-3.14.2-1).");
        conflicts.Utf8(nameof(ReasonString), ReasonString);
        conflicts.UserProperties(nameof(UserProperties), UserProperties);
        if (SessionExpiryInterval is { } expiry)
        {
            conflicts.Seconds(nameof(SessionExpiryInterval), expiry, orForever: true);
        }

        conflicts.ThrowIfAny("This DISCONNECT cannot be sent", parameterName);
    }
}
